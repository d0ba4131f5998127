import { COPY_OPTIONS } from '../../core/pins.ts';
import type { VerifyDatabase } from '../../core/verify.ts';
import { inTransaction, translated, type Connection, type Transaction } from './connect.ts';
import { copyOut } from './copy.ts';
import { pin } from './pins.ts';
import { beginSegment } from './segments.ts';

/**
 * `verify` on PostgreSQL. `open` makes a connection for one COPY, which is ended afterwards.
 */
export function verifyDatabase(connection: Connection, open: () => Connection): VerifyDatabase {
  return {
    segment: (partition, number) =>
      inTransaction(
        connection,
        `segment ${String(number)} of partition ${String(partition)}`,
        (transaction) => beginSegment(transaction, partition, number, false),
      ),

    readSegment: async (partition, segment, read) => {
      const copying = open();
      const doing = `reading segment ${String(segment)} of partition ${String(partition)}`;
      try {
        const copy = async (transaction: Transaction): Promise<string> => {
          await pin(transaction);
          const { query } = await beginSegment(transaction, partition, segment, false);
          return `copy (${query}) to stdout with (${COPY_OPTIONS})`;
        };
        return await copyOut(copying, doing, copy, read);
      } finally {
        await copying.end({ timeout: 5 });
      }
    },

    recordMatch: (partition, segment, { objects, digest, orderDiffers }) =>
      translated(`verdict on segment ${String(segment)} of partition ${String(partition)}`, async () => {
        await connection`
          select partition_archiver.record_match(${partition}::bigint, ${segment}::integer,
            ${connection.json(objects.map(({ key, versionId, bytes }) => ({ key, versionId, bytes })))}::jsonb,
            ${digest.rows}::bigint, ${digest.bytes}::bigint, ${digest.sha256}::text, ${digest.lineHashSum}::text,
            ${orderDiffers}::boolean)`;
      }),

    recordMismatch: (partition, segment) =>
      translated(`verdict on segment ${String(segment)} of partition ${String(partition)}`, async () => {
        await connection`select partition_archiver.record_mismatch(${partition}::bigint, ${segment}::integer)`;
      }),
  };
}
