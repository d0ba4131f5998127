import type { Proof } from '../config/partition-set.ts';
import type { Log } from '../ports.ts';

/** What became of one export. */
export type ExportOutcome =
  | {
      readonly kind: 'exported';
      readonly rows: number;
      readonly files: number;
      readonly bytes: number;
      /** The proof that the ledger asks for; of what aws_s3 exported it is always two readings. */
      readonly proof?: Proof;
    }
  /** An earlier call had exported it already, or had split it. */
  | { readonly kind: 'already' }
  /** It did not end within the statement timeout. */
  | { readonly kind: 'timed-out' }
  /** It has more text than an object can hold. */
  | { readonly kind: 'too-large' };

/** The database, as `export` needs it. */
export interface ExportDatabase {
  /**
   * Exports one segment by `aws_s3.query_export_to_s3` in one transaction that holds the segment's advisory lock, and
   * records what aws_s3 said in the same transaction. `SegmentBusy` where an earlier call still runs on the server.
   */
  exportSegment(
    partitionId: number,
    segmentNumber: number,
    to: { readonly bucket: string; readonly region: string },
  ): Promise<ExportOutcome>;
  /**
   * Splits a segment in two, both with new numbers, and returns the number of the upper half. If it is a single block:
   * `BlockTooLarge` where it `isTooLarge`, or where its size is what made the export slow; else `ExportTimedOut`.
   */
  splitSegment(partitionId: number, segmentNumber: number, isTooLarge: boolean): Promise<number>;
}

/**
 * Exports one segment. A segment that proves too large for one call is split in the ledger; the commit that follows
 * finds both halves open and has them exported.
 */
export async function exportSegment(
  partitionId: number,
  segmentNumber: number,
  to: { readonly bucket: string; readonly region: string },
  { database, log }: { readonly database: ExportDatabase; readonly log: Log },
): Promise<{ readonly exported: boolean }> {
  const outcome = await database.exportSegment(partitionId, segmentNumber, to);
  return splitIfUnfinished(partitionId, segmentNumber, outcome, { database, log });
}

/** What follows an export, whichever way it went. */
export async function splitIfUnfinished(
  partitionId: number,
  segmentNumber: number,
  outcome: ExportOutcome,
  { database, log }: { readonly database: Pick<ExportDatabase, 'splitSegment'>; readonly log: Log },
): Promise<{ readonly exported: boolean }> {
  if (outcome.kind === 'timed-out' || outcome.kind === 'too-large') {
    const upper = await database.splitSegment(partitionId, segmentNumber, outcome.kind === 'too-large');
    log.warn('segment split', { partitionId, segmentNumber, upper });
    return { exported: false };
  }
  log.info('export', { partitionId, segmentNumber, ...outcome });
  return { exported: true };
}
