import { ArchiverError } from './errors.ts';
import type { Clock } from './ports.ts';

/** How often a short lock is asked for, and how long the pauses between are. */
const TRIES = 20;
const SHORTEST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 3_000;

/**
 * Tries again while a lock is not to be had. Each try waits only a quarter of `deadlock_timeout`, so that the
 * application is never the one that a deadlock kills, and the pauses let its queue run empty: with tries of 0.5 s close
 * to each other an application's delete was killed all the same.
 * Throws the last `LockNotAvailable` when all tries are used up, about half a minute later.
 */
export async function withLockTries<T>(
  clock: Clock,
  work: () => Promise<T>,
  random: () => number = Math.random,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const again = error instanceof ArchiverError && error.code === 'LockNotAvailable' && attempt < TRIES;
      if (!again) throw error;
    }
    await clock.sleep(SHORTEST_PAUSE_MS + random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS));
  }
}

/** Longest pauses while a reader catches up: three quarters of a minute together. Aurora lags by tenths of a second. */
const READER_PAUSES_MS = [200, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000];

/**
 * Tries again while the server that is read at has not replayed what the writer knows. Throws the last `ReaderBehind`
 * when all tries are used up; the workflow then tries again for minutes.
 */
export async function withReaderTries<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  for (const pause of READER_PAUSES_MS) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ArchiverError && error.code === 'ReaderBehind')) throw error;
    }
    await clock.sleep(pause);
  }
  return work();
}
