import { TooManyParts, type StreamDatabase, type StreamSettings } from '../../../core/archive/stream.ts';
import type { Proof } from '../../../core/config/partition-set.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { STREAM_VERSION } from '../../../core/manifest.ts';
import { COPY_OPTIONS } from '../../../core/pins.ts';
import { digested, LineDigester } from '../../../core/proof/line-digest.ts';
import { agreed, type Sent } from '../../../core/proof/sent.ts';
import { socketOf, type Connection, type Transaction } from '../connect.ts';
import { copyOut as copyByFrames, type CopyOut } from '../copy.ts';
import { pin } from '../pins.ts';
import { isOver } from '../errors.ts';
import { exportDatabase, SCAN_BLOCKS } from './export.ts';
import { beginSegment, type SegmentSource } from './segments.ts';

/** Ends the transaction of a segment that needs no export; never seen outside this file. */
class AlreadyExported extends Error {}

/**
 * An export through this process, on PostgreSQL.
 *
 * @param open a connection for one COPY, ended afterwards
 * @param timeoutMs how long the server may take for one segment
 * @param copyOut the reader of the COPY; the second reading takes the other one
 * @param isPrivate whether what the server sends cannot be changed on the way
 */
export function streamDatabase(
  connection: Connection,
  open: () => Connection,
  timeoutMs: number,
  copyOut: CopyOut = copyByFrames,
  isPrivate = (connection: Connection): boolean => socketOf(connection).isPrivate,
): StreamDatabase {
  return {
    splitSegment: (...segment) => exportDatabase(connection, timeoutMs).splitSegment(...segment),

    streamSegment: async (partitionId, segmentNumber, settings, keyOf, write) => {
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
            if (settings.proof === 'one-reading' && !isPrivate(copying)) throw notPrivate();
            Object.assign(begun, { transaction, source });
            return `copy (${source.query} and ${withinBounds(source)}) to stdout with (${COPY_OPTIONS})`;
          },
          async (rows) => {
            const { transaction, source } = begun;
            if (transaction === undefined || source === undefined) throw new Error('the COPY was not begun');
            const key = keyOf(source.location, source.number);
            const digester = new LineDigester();
            const uploaded = await write(key, digested(rows, digester));
            const sent = agreed(key, digester.digest(), rows.said?.(), uploaded.textBytes);
            const stored = uploaded.storedBytes;
            return recordSent(transaction, partitionId, source.number, { ...sent, ...settings, key, stored });
          },
        );
      } catch (error) {
        if (error instanceof AlreadyExported) return { kind: 'already' };
        if (error instanceof TooManyParts) return { kind: 'too-large' };
        const ended = error instanceof ArchiverError && error.code === 'Interrupted';
        if (ended && isOver(performance.now() - began, timeoutMs)) return { kind: 'timed-out' };
        throw error;
      } finally {
        await copying.end({ timeout: 5 });
      }
    },
  };
}

/** Rows out of bounds end the COPY: nothing would look for them afterwards. */
const withinBounds = (source: SegmentSource): string =>
  `case when ${source.withinBounds} then true else partition_archiver.refuse_row_out_of_bounds() end`;

/** Records it in the transaction of the COPY; the ledger compares it with what the verification finds. */
async function recordSent(
  transaction: Transaction,
  partitionId: number,
  segmentNumber: number,
  sent: Sent & StreamSettings & { readonly key: string; readonly stored: number },
): Promise<{ kind: 'exported'; rows: number; files: number; bytes: number; proof: Proof }> {
  const { rows, bytes } = sent;
  const files = bytes === 0 ? 0 : 1;
  const [{ proof }] = await transaction<[{ proof: Proof }]>`
    select partition_archiver.record_stream(${partitionId}::bigint, ${segmentNumber}::integer,
             ${transaction.json({ ...sent, files, version: STREAM_VERSION })}::jsonb) as proof`;
  return { kind: 'exported', rows, files, bytes, proof };
}

/** One reading takes for the table's what the connection brings. */
function notPrivate(): ArchiverError {
  return new ArchiverError(
    'InvalidConfiguration',
    'proof: one-reading needs TLS to a server on another machine; set PGSSLMODE, or "proof": "two-readings"',
  );
}
