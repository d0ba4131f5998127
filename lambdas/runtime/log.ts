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

/** The same log, with fields that each line has. */
export function logWith(log: Log, common: Readonly<Record<string, unknown>>): Log {
  return {
    info: (event, fields) => {
      log.info(event, { ...common, ...fields });
    },
    warn: (event, fields) => {
      log.warn(event, { ...common, ...fields });
    },
  };
}

/** What says which work an event is for: execution, partition and segment. */
export function idsOf(event: unknown): Record<string, unknown> {
  const { execution, partitionId, segmentNumber, restoreId, request } = (event ?? {}) as Record<
    string,
    unknown
  >;
  const run = execution ?? (request as { execution?: unknown } | undefined)?.execution;
  const ids = { execution: run, partitionId, segmentNumber, restoreId };
  return Object.fromEntries(Object.entries(ids).filter(([, id]) => id !== undefined));
}
