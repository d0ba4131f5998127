import type { PartitionState } from '../../../core/partition.ts';
import type { ReleaseDatabase } from '../../../core/ledger/release.ts';
import { inTransaction, type Connection } from '../connect.ts';
import { readStatus } from '../archive/status.ts';

/** `release` on PostgreSQL, as `archiver_maintain`. */
export function releaseDatabase(connection: Connection): ReleaseDatabase {
  return {
    state: async (partition) => (await readStatus(connection, partition)).state,

    release: (partition, to, owner) =>
      inTransaction(connection, `release of partition ${partition}`, async (transaction) => {
        const [row] = await transaction<[{ state: PartitionState }]>`
          select partition_archiver.release(${partition}::bigint, ${to}::text, ${owner}::name) as state`;
        const events = await transaction<{ note: string }[]>`
          select note from partition_archiver.event
           where partition_id = ${partition}::bigint and to_state = 'released' and note is not null and at >= now() order by id`;
        return { state: row.state, notes: events.map(({ note }) => note) };
      }),
  };
}
