import type { ExportDatabase, ExportOutcome } from '../../../core/archive/export.ts';
import { COPY_OPTIONS } from '../../../core/pins.ts';
import { inTransaction, translated, type Connection, type Transaction } from '../connect.ts';
import { isStatementTimeout } from '../errors.ts';
import { pin } from '../pins.ts';
import { beginSegment, type SegmentSource } from './segments.ts';

/** Where an export goes. */
interface Destination {
  readonly bucket: string;
  readonly region: string;
}

/**
 * The rows within the bounds are all rows, whatever old statistics make of it: an index on the control column would
 * be read whole for each segment.
 */
export const SCAN_BLOCKS = { enable_indexscan: 'off', enable_indexonlyscan: 'off', enable_bitmapscan: 'off' };

/** Bytes that S3 takes in a millisecond even on a bad day: 1 MB a second. Tens of them are usual. */
const SLOWEST_BYTES_PER_MS = 1_000;

/** What aws_s3 says of an export. */
interface Uploaded {
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
}

/**
 * `export` on PostgreSQL. `timeoutMs` lies below the Lambda's own time, so that it is the server that gives up first:
 * a query whose client died continues otherwise (RDS Proxy passes no cancel request on).
 */
export function exportDatabase(connection: Connection, timeoutMs: number): ExportDatabase {
  return {
    exportSegment: async (partitionId, segmentNumber, to) => {
      const doing = `export of segment ${String(segmentNumber)} of partition ${String(partitionId)}`;
      try {
        return await inTransaction(connection, doing, (transaction) =>
          exportSegment(transaction, timeoutMs, partitionId, segmentNumber, to),
        );
      } catch (error) {
        if (error instanceof UploadTimedOut) return { kind: 'timed-out' };
        throw error;
      }
    },

    splitSegment: (partitionId, segmentNumber, isTooLarge) =>
      translated(
        `splitting segment ${String(segmentNumber)} of partition ${String(partitionId)}`,
        async () => {
          const [row] = await connection<[{ upper: number }]>`
          select partition_archiver.split_segment(${partitionId}::bigint, ${segmentNumber}::integer,
                   ${isTooLarge ? 0 : timeoutMs * SLOWEST_BYTES_PER_MS}::bigint) as upper`;
          return row.upper;
        },
      ),
  };
}

async function exportSegment(
  transaction: Transaction,
  timeoutMs: number,
  partitionId: number,
  segmentNumber: number,
  to: Destination,
): Promise<ExportOutcome> {
  await pin(transaction, { ...SCAN_BLOCKS, statement_timeout: String(timeoutMs) });
  const source = await beginSegment(transaction, partitionId, segmentNumber, true);
  if (source.state !== 'planned') return { kind: 'already' };
  const { rows, files, bytes } = await upload(transaction, timeoutMs, source, to);
  await transaction`
    select partition_archiver.record_export(${partitionId}::bigint, ${segmentNumber}::integer, ${source.key}::text,
             ${rows}::bigint, ${files}::integer, ${bytes}::bigint)`;
  return { kind: 'exported', rows, files, bytes };
}

/** Ends the transaction of an export that took too long; never seen outside this file. */
class UploadTimedOut extends Error {}

/**
 * Only rows within the recorded bounds go out. Verification reads the segment without that condition, so that a row
 * which had strayed in before the fence came is found there: no scan of the whole table has to look for it.
 */
async function upload(
  transaction: Transaction,
  timeoutMs: number,
  source: SegmentSource,
  to: Destination,
): Promise<Uploaded> {
  // What aws_s3 does with an empty result is not documented, so it is not asked.
  const [found] = await transaction.unsafe<[{ any: boolean }]>(
    `select exists (select from ${source.from} and ${source.withinBounds}) as any`,
  );
  if (!found.any) return { rows: 0, files: 0, bytes: 0 };
  const began = performance.now();
  try {
    const [uploaded] = await transaction<[Uploaded]>`
      select rows_uploaded as rows, files_uploaded as files, bytes_uploaded as bytes
        from aws_s3.query_export_to_s3(${`${source.query} and ${source.withinBounds}`}::text,
               aws_commons.create_s3_uri(${to.bucket}::text, ${source.key}::text, ${to.region}::text),
               options := ${COPY_OPTIONS}::text)`;
    return uploaded;
  } catch (error) {
    throw isStatementTimeout(error, performance.now() - began, timeoutMs) ? new UploadTimedOut() : error;
  }
}
