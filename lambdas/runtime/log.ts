import type { Log } from '../../core/ports.ts';

/** One JSON object a line; Lambda's own JSON format adds the time and the request id. */
export const consoleLog: Log = {
  info: (event, fields) => {
    console.info({ event, ...fields });
  },
  warn: (event, fields) => {
    console.warn({ event, ...fields });
  },
};
