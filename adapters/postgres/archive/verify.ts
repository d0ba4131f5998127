import { ArchiverError } from '../../../core/errors.ts';
import { COPY_OPTIONS } from '../../../core/pins.ts';
import type { VerifyDatabase } from '../../../core/archive/verify.ts';
import { inTransaction, translated, type Connection, type Transaction } from '../connect.ts';
import { copyOutByDriver } from '../copy-by-driver.ts';
import { copyOut as copyByFrames, type CopyOut } from '../copy.ts';
import { exportFingerprint } from './export-fingerprint.ts';
import { pin } from '../pins.ts';
import { beginSegment } from './segments.ts';

/** Where tables are read to be compared with their archive. */
export interface VerifyPlace {
  /** Opens a connection for one COPY, which is ended afterwards. */
  readonly open: () => Connection;
  /** Whether it leads elsewhere than `connection`: past the proxy, or to a reader. */
  readonly isVerifyEndpoint: boolean;
  /**
   * The first reader of a COPY.
   *
   * @default - copyOut
   */
  readonly copyOut?: CopyOut;
}

/**
 * `verify` on PostgreSQL. Whatever is written, and the seal that decides, goes by `connection`, to the writer.
 *
 * Elsewhere, the proof that the server has replayed the export, the look at the seal there and the COPY share one
 * snapshot, and one connection, since an endpoint may lead each connection to another reader.
 */
export function verifyDatabase(
  connection: Connection,
  { open, isVerifyEndpoint, copyOut = copyByFrames }: VerifyPlace,
): VerifyDatabase {
  return {
    segment: (partitionId, number) =>
      inTransaction(
        connection,
        `segment ${String(number)} of partition ${String(partitionId)}`,
        (transaction) => beginSegment(transaction, partitionId, number, false),
      ),

    readSegment: async (partitionId, segmentNumber, read, reader) => {
      const copying = open();
      const doing = `reading segment ${String(segmentNumber)} of partition ${String(partitionId)}`;
      try {
        const expected = isVerifyEndpoint
          ? await translated(doing, () => exportFingerprint(connection, partitionId, segmentNumber))
          : null;
        const statement = async (transaction: Transaction): Promise<string> => {
          await pin(transaction);
          if (
            isVerifyEndpoint &&
            (await exportFingerprint(transaction, partitionId, segmentNumber)) !== expected
          ) {
            throw new ArchiverError(
              'ReaderBehind',
              `${doing}: the server that it is read at has not replayed its export, or is no replica of this database`,
            );
          }
          const { query } = await beginSegment(transaction, partitionId, segmentNumber, false);
          return `copy (${query}) to stdout with (${COPY_OPTIONS})`;
        };
        const copy = reader === 'second' ? copyOutByDriver : copyOut;
        return await copy(
          copying,
          doing,
          statement,
          read,
          isVerifyEndpoint ? 'repeatable read read only' : undefined,
        );
      } finally {
        await copying.end({ timeout: 5 });
      }
    },

    countOutOfBounds: (partitionId, segmentNumber) =>
      inTransaction(
        connection,
        `rows out of bounds in segment ${String(segmentNumber)} of partition ${String(partitionId)}`,
        async (transaction) => {
          await pin(transaction);
          const { from, withinBounds } = await beginSegment(transaction, partitionId, segmentNumber, false);
          const [found] = await transaction.unsafe<[{ count: string }]>(
            `select count(*) from ${from} and (${withinBounds}) is not true`,
          );
          return Number(found.count);
        },
      ),

    recordMatch: (partitionId, segmentNumber, { objects, digest, orderDiffers, proof }) =>
      translated(
        `verdict on segment ${String(segmentNumber)} of partition ${String(partitionId)}`,
        async () => {
          await connection`
          select partition_archiver.record_match(${partitionId}::bigint, ${segmentNumber}::integer,
            ${connection.json(objects.map(({ key, versionId, bytes }) => ({ key, versionId, bytes })))}::jsonb,
            ${digest.rows}::bigint, ${digest.bytes}::bigint, ${digest.sha256}::text, ${digest.lineHashSum}::text,
            ${orderDiffers}::boolean, ${proof}::text)`;
        },
      ),

    recordMismatch: (partitionId, segmentNumber) =>
      translated(
        `verdict on segment ${String(segmentNumber)} of partition ${String(partitionId)}`,
        async () => {
          await connection`select partition_archiver.record_mismatch(${partitionId}::bigint, ${segmentNumber}::integer)`;
        },
      ),
  };
}
