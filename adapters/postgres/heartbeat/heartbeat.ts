import type { HeartbeatDatabase } from '../../../core/heartbeat/heartbeat.ts';
import type { PeriodicCheck } from '../../../core/heartbeat/last-success.ts';
import { reportDatabase } from '../archive/report.ts';
import { translated, type Connection } from '../connect.ts';

/** `heartbeat` on PostgreSQL. */
export function heartbeatDatabase(connection: Connection): HeartbeatDatabase {
  return {
    progress: (set) => reportDatabase(connection).progress(set),

    daysSinceSuccess: () =>
      translated('looking for the last successful run, drill and audit', async () => {
        const [row] = await connection<[Record<PeriodicCheck, number | null>]>`
          select partition_archiver.days_since_successful_run() as run, partition_archiver.days_since_drill() as drill,
                 partition_archiver.days_since_audit() as audit`;
        return row;
      }),

    daysInPartitioning: () =>
      translated('looking for unfinished conversions of plain tables', async () => {
        const [{ days }] = await connection<[{ days: number }]>`
          select partition_archiver.days_in_partitioning() as days`;
        return days;
      }),
  };
}
