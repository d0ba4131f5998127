/** What has to turn out well once in a while. */
export type PeriodicCheck = 'run' | 'drill' | 'audit';

/** Where the age of the last successful ones goes that somebody watches. */
export interface LastSuccessMetrics {
  lastSuccess(what: PeriodicCheck, daysAgo: number): void;
}
