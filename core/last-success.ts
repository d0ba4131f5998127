import { ArchiverError } from './errors.ts';
import type { Log } from './ports.ts';

/** What has to turn out well once in a while. */
export type PeriodicCheck = 'drill' | 'audit';

/** Where the age of the last successful ones goes that somebody watches. */
export interface LastSuccessMetrics {
  lastSuccess(what: PeriodicCheck, daysAgo: number): void;
}

/** The database, as `measureLastSuccess` needs it. */
export interface LastSuccessDatabase {
  /** Days since each was good last, or since the first run where it never was; `null` before that. */
  daysSinceSuccess(): Promise<Readonly<Record<PeriodicCheck, number | null>>>;
}

/** Publishes how long ago the last successful drill and the last successful audit were. That it cannot be told does not spoil a run. */
export async function measureLastSuccess({
  database,
  metrics,
  log,
}: {
  readonly database: LastSuccessDatabase;
  readonly metrics: LastSuccessMetrics;
  readonly log: Log;
}): Promise<void> {
  try {
    const days = await database.daysSinceSuccess();
    for (const what of ['drill', 'audit'] as const) {
      if (days[what] !== null) metrics.lastSuccess(what, days[what]);
    }
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error;
    log.warn('progress', { error: error.code, message: error.message });
  }
}
