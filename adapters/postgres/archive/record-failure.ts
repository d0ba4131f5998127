import { ArchiverError } from '../../../core/errors.ts';
import type { FailureDatabase } from '../../../core/archive/record-failure.ts';
import { translated, type Connection } from '../connect.ts';

/** Another session was faster, or removed the row: there is nothing to block. */
const OVERTAKEN: readonly string[] = ['StateConflict', 'NotInLedger'];

/** `record-failure` on PostgreSQL. */
export function failureDatabase(connection: Connection): FailureDatabase {
  return {
    recordFailure: (partitionId, code, reason) =>
      translated(`recording a failure of partition ${String(partitionId)}`, async () => {
        await connection`select partition_archiver.record_failure(${partitionId}::bigint, ${code}::text, ${reason}::text)`;
      }),

    block: async (partitionId, code, reason) => {
      try {
        await translated(`blocking partition ${String(partitionId)}`, async () => {
          await connection`select partition_archiver.block(${partitionId}::bigint, ${code}::text, ${reason}::text)`;
        });
      } catch (error) {
        if (!(error instanceof ArchiverError) || !OVERTAKEN.includes(error.code)) throw error;
      }
    },
  };
}
