import type { QuarantineDatabase } from '../../../core/archive/quarantine.ts';
import { inTransaction, type Connection } from '../connect.ts';
import { readStatus } from './status.ts';

/** `quarantine` on PostgreSQL. */
export function quarantineDatabase(connection: Connection): QuarantineDatabase {
  return {
    status: (partitionId) => readStatus(connection, partitionId),

    quarantine: async (partitionId, segmentBytes) => {
      const doing = `quarantine of partition ${String(partitionId)}`;
      await inTransaction(connection, doing, async (transaction) => {
        await transaction`select partition_archiver.quarantine(${partitionId}::bigint, ${segmentBytes}::bigint)`;
      });
    },
  };
}
