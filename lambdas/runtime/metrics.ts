import {
  ARCHIVER_DIMENSION,
  AUDIT_METRICS,
  COPY_METRICS,
  HEARTBEAT_METRICS,
  METRIC_NAMESPACE,
  PARTITION_SET_DIMENSION,
  RUN_METRICS,
  SET_METRICS,
  type MetricUnit,
} from '../../core/config/metrics.ts';
import type { AuditMetrics } from '../../core/audit/report.ts';
import type { HeartbeatMetrics } from '../../core/heartbeat/heartbeat.ts';
import type { CopyMetrics } from '../../core/query/late-copies.ts';
import type { PeriodicCheck } from '../../core/heartbeat/last-success.ts';
import type { Clock } from '../../core/ports.ts';
import type { Metrics } from '../../core/archive/progress.ts';
import type { BucketSettings } from './settings.ts';

/** The metric of each check's age. */
const LAST_SUCCESS = {
  run: 'DaysSinceSuccessfulRun',
  drill: 'DaysSinceSuccessfulDrill',
  audit: 'DaysSinceSuccessfulAudit',
} as const satisfies Record<PeriodicCheck, keyof typeof HEARTBEAT_METRICS>;

/**
 * Metrics of one archiver in CloudWatch's embedded metric format: a line of JSON in the log that CloudWatch turns into
 * metrics, without a call and without rights. `write` takes lines as they are; the console would wrap each into an
 * object of its own, and CloudWatch would not see them.
 *
 * Written here and not by Powertools: it is one object, for which that would bring two packages and an environment of
 * its own.
 */
export function embeddedMetrics(
  archiver: string,
  now: () => Date,
  write: (line: string) => void,
): Metrics & AuditMetrics & HeartbeatMetrics & CopyMetrics {
  const publish = <Name extends string>(
    units: Readonly<Record<Name, MetricUnit>>,
    values: Readonly<Record<Name, number | null>>,
    dimensions: Readonly<Record<string, string>>,
    dimensionSets: readonly (readonly string[])[],
  ): void => {
    const names = (Object.keys(units) as Name[]).filter((name) => values[name] !== null);
    const metrics = names.map((name) => ({ Name: name, Unit: units[name] }));
    const directive = { Namespace: METRIC_NAMESPACE, Dimensions: dimensionSets, Metrics: metrics };
    write(
      JSON.stringify({
        _aws: { Timestamp: now().getTime(), CloudWatchMetrics: [directive] },
        ...dimensions,
        ...Object.fromEntries(names.map((name) => [name, values[name]])),
      }),
    );
  };
  const AGES = { ...HEARTBEAT_METRICS, ...COPY_METRICS };
  const age = (name: keyof typeof AGES, daysAgo: number): void => {
    const units = { [name]: AGES[name] };
    publish(units, { [name]: daysAgo }, { [ARCHIVER_DIMENSION]: archiver }, [[ARCHIVER_DIMENSION]]);
  };
  return {
    run: ({ archived, dropped, failed, rows, bytes, seconds }) => {
      const values = {
        PartitionsArchived: archived,
        PartitionsDropped: dropped,
        PartitionsFailed: failed,
        RowsArchived: rows,
        BytesArchived: bytes,
        RunSeconds: seconds,
      };
      publish(RUN_METRICS, values, { [ARCHIVER_DIMENSION]: archiver }, [[ARCHIVER_DIMENSION]]);
    },
    deployment: (daysAgo) => {
      age('DaysSinceDeployment', daysAgo);
    },
    lastSuccess: (what, daysAgo) => {
      age(LAST_SUCCESS[what], daysAgo);
    },
    partitioning: (days) => {
      age('DaysInPartitioning', days);
    },
    withoutCopy: (days) => {
      age('DaysWithoutCopy', days);
    },
    audit: ({ archives, damaged, unknown, bytesRead }) => {
      const values = {
        ArchivesAudited: archives,
        ArchivesDamaged: damaged,
        ArchivesUnknown: unknown,
        BytesAudited: bytesRead,
      };
      publish(AUDIT_METRICS, values, { [ARCHIVER_DIMENSION]: archiver }, [[ARCHIVER_DIMENSION]]);
    },
    partitionSet: (partitionSet, progress) => {
      const values = {
        WaitingPartitions: progress.waiting,
        VerifiedPartitions: progress.verified,
        DuePartitions: progress.due,
        BlockedPartitions: progress.blocked,
        OverdueDays: progress.overdueDays,
        DaysSinceArchiveRun: progress.daysSinceRun,
        AttachedBytes: progress.attachedBytes,
        ArchivedBytes: progress.archivedBytes,
        FreedBytes: progress.freedBytes,
        RowsInDefault: progress.rowsInDefault ? 1 : 0,
        FuturePartitions: progress.futurePartitions,
      };
      const dimensions = { [ARCHIVER_DIMENSION]: archiver, [PARTITION_SET_DIMENSION]: partitionSet };
      // For the set, and for the archiver as a whole: alarms look at the highest or lowest of all its sets.
      publish(SET_METRICS, values, dimensions, [
        [ARCHIVER_DIMENSION],
        [ARCHIVER_DIMENSION, PARTITION_SET_DIMENSION],
      ]);
    },
  };
}

/** The metrics of a step, into its log. */
export function stepMetrics({ archiver }: BucketSettings, clock: Clock): ReturnType<typeof embeddedMetrics> {
  return embeddedMetrics(
    archiver,
    () => clock.now(),
    (line) => process.stdout.write(`${line}\n`),
  );
}
