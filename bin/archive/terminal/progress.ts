import type { Log } from '../../../core/ports.ts';
import { Meter } from './meter.ts';
import { shorten } from './table.ts';

/** What moves the meter when a step logs an event. */
export type Watcher = (meter: Meter, event: string, fields: Readonly<Record<string, unknown>>) => void;

/** Progress of a command, on one line of the terminal. */
export interface CommandProgress {
  readonly meter: Meter;
  /** Whether it is shown: totals need not be asked for otherwise. */
  readonly isShown: boolean;
  /** Moves the meter with each event of the log from now on. */
  watch(watcher: Watcher): void;
  /** Removes the line, before something else is printed; it comes back with the next event. */
  clear(): void;
  /** Removes it for good. */
  end(): void;
}

/** Standard error, as far as progress needs it. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const REDRAWN_EVERY_MS = 1_000;
const CLEAR = '\r\u001b[2K';

/** Progress on a terminal, and nothing at all on any other stream. Returns the log that the steps get, too. */
export function commandProgress(
  stream: ProgressStream,
  log: Log,
  isWanted: boolean,
): { readonly progress: CommandProgress; readonly log: Log } {
  const meter = new Meter(() => Date.now());
  if (!isWanted || stream.isTTY !== true) {
    const none = (): void => undefined;
    return { progress: { meter, isShown: false, watch: none, clear: none, end: none }, log };
  }
  let watcher: Watcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  const clear = (): void => {
    stream.write(CLEAR);
  };
  const draw = (): void => {
    const line = watcher === undefined ? null : meter.line();
    // The last column stays free: some terminals begin a new line in it.
    if (line !== null) stream.write(`${CLEAR}${shorten(line, (stream.columns ?? 80) - 1)}`);
  };
  const note: Log['info'] = (event, fields = {}) => {
    watcher?.(meter, event, fields);
    draw();
  };
  const end = (): void => {
    clearInterval(timer);
    if (watcher !== undefined) clear();
    watcher = undefined;
  };
  return {
    progress: {
      meter,
      isShown: true,
      watch: (next) => {
        watcher = next;
        timer ??= setInterval(draw, REDRAWN_EVERY_MS).unref();
      },
      clear: () => {
        if (watcher !== undefined) clear();
      },
      end,
    },
    log: {
      info: (event, fields) => {
        log.info(event, fields);
        note(event, fields);
      },
      warn: (event, fields) => {
        if (watcher !== undefined) clear();
        log.warn(event, fields);
        note(event, fields);
      },
    },
  };
}
