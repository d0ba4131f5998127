import { ArchiverError } from './errors.ts';
import type { Log } from './ports.ts';

/** What has to turn out well once in a while. */
export type Rehearsal = 'drill' | 'audit';

/** Where the age of the last good ones goes that somebody watches. */
export interface LastGoodMetrics {
  lastGood(what: Rehearsal, daysAgo: number): void;
}

/** The database, as `measureLastGood` needs it. */
export interface LastGoodDatabase {
  /** Days since each was good last, or since the first run where it never was; `null` before that. */
  daysSinceGood(): Promise<Readonly<Record<Rehearsal, number | null>>>;
}

/** Publishes how long ago the last good drill and the last good audit were. That it cannot be told does not spoil a run. */
export async function measureLastGood({
  database,
  metrics,
  log,
}: {
  readonly database: LastGoodDatabase;
  readonly metrics: LastGoodMetrics;
  readonly log: Log;
}): Promise<void> {
  try {
    const days = await database.daysSinceGood();
    for (const what of ['drill', 'audit'] as const) {
      if (days[what] !== null) metrics.lastGood(what, days[what]);
    }
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error;
    log.warn('progress', { error: error.code, message: error.message });
  }
}
