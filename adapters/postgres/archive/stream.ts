import type { StreamDatabase } from '../../../core/archive/stream.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { COPY_OPTIONS } from '../../../core/pins.ts';
import { LineDigester, type LineDigest } from '../../../core/proof/line-digest.ts';
import type { Connection, Transaction } from '../connect.ts';
import { copyOut as copyByFrames, type CopyOut } from '../copy.ts';
import { pin } from '../pins.ts';
import { exportDatabase, SCAN_BLOCKS, SLOWEST_TIMEOUT } from './export.ts';
import { beginSegment, type SegmentSource } from './segments.ts';

/** Ends the transaction of a segment that needs no export; never seen outside this file. */
class AlreadyExported extends Error {}

/**
 * An export through this process, on PostgreSQL.
 *
 * @param open a connection for one COPY, ended afterwards
 * @param timeoutMs how long the server may take for one segment
 * @param copyOut the reader of the COPY; the verification takes the other one
 */
export function streamDatabase(
  connection: Connection,
  open: () => Connection,
  timeoutMs: number,
  copyOut: CopyOut = copyByFrames,
): StreamDatabase {
  return {
    splitSegment: (partitionId, segmentNumber) =>
      exportDatabase(connection, timeoutMs).splitSegment(partitionId, segmentNumber),

    streamSegment: async (partitionId, segmentNumber, keyOf, write) => {
      const copying = open();
      const begun: { transaction?: Transaction; source?: SegmentSource } = {};
      const began = performance.now();
      try {
        return await copyOut(
          copying,
          `export of segment ${segmentNumber} of partition ${partitionId}`,
          async (transaction) => {
            await pin(transaction, { ...SCAN_BLOCKS, statement_timeout: String(timeoutMs) });
            const source = await beginSegment(transaction, partitionId, segmentNumber, true);
            if (source.state !== 'planned') throw new AlreadyExported();
            Object.assign(begun, { transaction, source });
            // As the export by aws_s3: a row out of bounds is left out, and found by the verification.
            return `copy (${source.query} and ${source.withinBounds}) to stdout with (${COPY_OPTIONS})`;
          },
          async (rows) => {
            const { transaction, source } = begun;
            if (transaction === undefined || source === undefined) throw new Error('the COPY was not begun');
            const key = keyOf(source.location, source.number);
            const digester = new LineDigester();
            const uploaded = await write(key, digested(rows, digester));
            return recordSent(transaction, partitionId, source.number, { key, uploaded }, digester.digest());
          },
        );
      } catch (error) {
        if (error instanceof AlreadyExported) return { kind: 'already' };
        const timedOut = error instanceof ArchiverError && error.code === 'Interrupted';
        if (timedOut && performance.now() - began >= timeoutMs * SLOWEST_TIMEOUT)
          return { kind: 'timed-out' };
        throw error;
      } finally {
        await copying.end({ timeout: 5 });
      }
    },
  };
}

/** Counts and hashes what goes by. */
async function* digested(rows: AsyncIterable<Buffer>, digester: LineDigester): AsyncGenerator<Buffer> {
  for await (const chunk of rows) {
    digester.update(chunk);
    yield chunk;
  }
}

/** Records what was sent, in the transaction of the COPY; the ledger compares it with what the verification finds. */
async function recordSent(
  transaction: Transaction,
  partitionId: number,
  segmentNumber: number,
  { key, uploaded }: { readonly key: string; readonly uploaded: number },
  { rows, bytes, sha256, complete }: LineDigest,
): Promise<{ kind: 'exported'; rows: number; files: number; bytes: number }> {
  if (uploaded !== bytes || !complete) {
    throw new ArchiverError('ObjectStoreUnavailable', `${key} got ${uploaded} of ${bytes} bytes`);
  }
  const files = bytes === 0 ? 0 : 1;
  await transaction`
    select partition_archiver.record_stream(${partitionId}::bigint, ${segmentNumber}::integer, ${key}::text,
             ${rows}::bigint, ${files}::integer, ${bytes}::bigint, ${sha256}::text)`;
  return { kind: 'exported', rows, files, bytes };
}
