/** Namespace of the metrics in CloudWatch. */
export const METRIC_NAMESPACE = 'PartitionArchiver';

/** Dimensions of the metrics: each archiver of an account, and each of its partition sets. */
export const ARCHIVER_DIMENSION = 'Archiver';
export const PARTITION_SET_DIMENSION = 'PartitionSet';

/** Units as CloudWatch calls them. */
export type MetricUnit = 'Count' | 'Bytes' | 'Seconds' | 'None';

/** What a run did; published once a run. */
export const RUN_METRICS = {
  PartitionsArchived: 'Count',
  PartitionsDropped: 'Count',
  PartitionsFailed: 'Count',
  RowsArchived: 'Count',
  BytesArchived: 'Bytes',
  RunSeconds: 'Seconds',
} as const satisfies Record<string, MetricUnit>;

/** What an audit found; published at its end. */
export const AUDIT_METRICS = {
  ArchivesAudited: 'Count',
  ArchivesDamaged: 'Count',
  ArchivesUnknown: 'Count',
  BytesAudited: 'Bytes',
} as const satisfies Record<string, MetricUnit>;

/** How a partition set stands; published by each run and by the heartbeat, for the set and for the whole archiver. */
export const SET_METRICS = {
  WaitingPartitions: 'Count',
  VerifiedPartitions: 'Count',
  DuePartitions: 'Count',
  BlockedPartitions: 'Count',
  OverdueDays: 'None',
  DaysSinceArchiveRun: 'None',
  AttachedBytes: 'Bytes',
  ArchivedBytes: 'Bytes',
  FreedBytes: 'Bytes',
  RowsInDefault: 'Count',
  FuturePartitions: 'Count',
} as const satisfies Record<string, MetricUnit>;

/** How old the deployment, the last successful ones and the oldest unfinished conversion of a plain table are; published by the heartbeat, 0 by each good drill and good audit. */
export const HEARTBEAT_METRICS = {
  DaysSinceDeployment: 'None',
  DaysSinceSuccessfulRun: 'None',
  DaysSinceSuccessfulDrill: 'None',
  DaysSinceSuccessfulAudit: 'None',
  DaysInPartitioning: 'None',
} as const satisfies Record<string, MetricUnit>;

/** How old the oldest text without a Parquet copy is; published by the heartbeat where a set has `query`. */
export const COPY_METRICS = { DaysWithoutCopy: 'None' } as const satisfies Record<string, MetricUnit>;

/** Name of a metric. */
export type MetricName =
  | keyof typeof RUN_METRICS
  | keyof typeof AUDIT_METRICS
  | keyof typeof SET_METRICS
  | keyof typeof HEARTBEAT_METRICS
  | keyof typeof COPY_METRICS;
