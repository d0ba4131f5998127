/** What has to turn out well once in a while. */
export type PeriodicCheck = 'run' | 'drill' | 'audit';

/** Where the ages of the last successful ones go: metrics. */
export interface LastSuccessMetrics {
  lastSuccess(what: PeriodicCheck, daysAgo: number): void;
}
