import type { PartitionState } from '../../../core/partition.ts';
import type { ReleaseDatabase } from '../../../core/ledger/release.ts';
import { inTransaction, type Connection } from '../connect.ts';
import { readStatus } from '../archive/status.ts';

/** `resume` and `release` on PostgreSQL, as `archiver_maintain`. */
export function releaseDatabase(connection: Connection): ReleaseDatabase {
  return {
    state: async (partitionId) => (await readStatus(connection, partitionId)).state,

    resume: (partitionId) =>
      inTransaction(connection, `resuming partition ${partitionId}`, async (transaction) => {
        const [row] = await transaction<[{ state: PartitionState }]>`
          select partition_archiver.resume(${partitionId}::bigint) as state`;
        return row.state;
      }),

    release: (partitionId, owner) =>
      inTransaction(connection, `release of partition ${partitionId}`, async (transaction) => {
        const [row] = await transaction<[{ state: PartitionState }]>`
          select partition_archiver.release(${partitionId}::bigint, ${owner}::name) as state`;
        const events = await transaction<{ note: string }[]>`
          select note from partition_archiver.event
           where partition_id = ${partitionId}::bigint and to_state = 'released' and note is not null and at >= now() order by id`;
        return { state: row.state, notes: events.map(({ note }) => note) };
      }),
  };
}
