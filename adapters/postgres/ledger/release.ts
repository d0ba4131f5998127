import type { PartitionState } from '../../../core/partition.ts';
import type { ReleaseDatabase } from '../../../core/ledger/release.ts';
import { inTransaction, type Connection } from '../connect.ts';
import { readStatus } from '../archive/status.ts';

/** `release` on PostgreSQL, as `archiver_maintain`. */
export function releaseDatabase(connection: Connection): ReleaseDatabase {
  return {
    state: async (partition) => (await readStatus(connection, partition)).state,

    release: (partition, to) =>
      inTransaction(connection, `release of partition ${partition}`, async (transaction) => {
        const [row] = await transaction<[{ state: PartitionState }]>`
          select partition_archiver.release(${partition}::bigint, ${to}::text) as state`;
        return row.state;
      }),
  };
}
