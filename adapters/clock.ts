import { setTimeout as sleep } from 'node:timers/promises';
import { ArchiverError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';

/** The time of the machine. A pause ends as `Interrupted` when the signal is aborted. */
export function systemClock(signal?: AbortSignal): Clock {
  return {
    now: () => new Date(),
    sleep: async (milliseconds) => {
      try {
        await sleep(milliseconds, undefined, signal && { signal });
      } catch {
        throw new ArchiverError('Interrupted', 'the step ran out of its time');
      }
    },
  };
}
