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
export function withReaderTries<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  return withPauses(clock, READER_PAUSES_MS, ({ code }) => code === 'ReaderBehind', work);
}

/** A server that starts again is back in seconds; a wrong name should be reported no later. */
const CONNECTION_PAUSES_MS = [500, 1_500, 3_000];
/** One that does not even refuse takes half a minute to say so. */
const LAST_TRY_MS = 10_000;

/** Tries again for seconds what may be only a bad moment of a server. Throws the last error when all tries are used up. */
export function withConnectionTries<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  const began = clock.now().getTime();
  const isEarly = (): boolean => clock.now().getTime() - began < LAST_TRY_MS;
  return withPauses(clock, CONNECTION_PAUSES_MS, ({ retryable }) => retryable && isEarly(), work);
}

/** Tries again after each pause what may pass. Throws the last error when all tries are used up. */
export async function withPauses<T>(
  clock: Clock,
  pauses: readonly number[],
  mayPass: (error: ArchiverError) => boolean,
  work: () => Promise<T>,
): Promise<T> {
  for (const pause of pauses) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ArchiverError && mayPass(error))) throw error;
    }
    await clock.sleep(pause);
  }
  return work();
}
