import type { PartitionSetConfig } from '../../../core/config/partition-set.ts';
import { STREAM_VERSION } from '../../../core/manifest.ts';
import { displayName } from '../../../core/partition.ts';
import type { ProgressDatabase, SetProgress } from '../../../core/archive/progress.ts';
import type { ReportDatabase } from '../../../core/archive/report.ts';
import { translated, type Connection } from '../connect.ts';
import { findParent } from '../partition-set.ts';
import { readBlocked, readLedger } from './status.ts';

/** `report` on PostgreSQL. */
export function reportDatabase(connection: Connection): ReportDatabase & ProgressDatabase {
  return {
    rows: (partitions) => readLedger(connection, partitions),

    blocked: (except, most) => readBlocked(connection, except, most),

    record: ({ startedAt, mode, dryRun, partitionSets, archived, dropped, failed }) =>
      translated('recording the run', async () => {
        await connection`
          select partition_archiver.record_run(${startedAt}::timestamptz, ${mode}::text, ${dryRun}::boolean,
            ${connection.json([...partitionSets])}::jsonb, ${archived}::integer, ${dropped}::integer, ${failed}::integer,
            ${STREAM_VERSION}::text)`;
      }),

    progress: (set) => readProgress(connection, set),
  };
}

function readProgress(connection: Connection, set: PartitionSetConfig): Promise<SetProgress> {
  const partitionSet = displayName(set.schema, set.table);
  return translated(`progress of ${partitionSet}`, async () => {
    const parent = await findParent(connection, set);
    const [row] = await connection<[SetProgress]>`
      select p.attached, p.waiting, p.verified, p.due, p.blocked, p.dropped, p.overdue_days as "overdueDays",
             p.days_since_run as "daysSinceRun", p.attached_bytes as "attachedBytes", p.archived_bytes as "archivedBytes",
             p.freed_bytes as "freedBytes", h.rows_in_default and not ${set.acceptRowsInDefault}::boolean as "rowsInDefault", h.future_partitions as "futurePartitions"
        from partition_archiver.progress(${parent}::oid, ${partitionSet}::text) p,
             partition_archiver.health(${parent}::oid, ${set.timeZone}::text) h`;
    return row;
  });
}
