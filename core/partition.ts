import type { Compression, Proof } from './config/partition-set.ts';
import type { ArchiveLocation } from './keys.ts';

export { displayColumn, displayName } from './config/display-name.ts';

/** States of a ledger row. */
export type PartitionState =
  | 'attached'
  | 'detached'
  | 'quarantined'
  | 'exported'
  | 'verified'
  | 'dropped'
  | 'restored'
  | 'released'
  | 'missing'
  | 'blocked';

/** A partition's row in the ledger, as far as the steps and the report need it. */
export interface LedgerRow {
  readonly id: number;
  readonly state: PartitionState;
  readonly schema: string;
  readonly table: string;
  readonly parentSchema: string;
  readonly parentTable: string;
  readonly lowerBound: string;
  readonly upperBound: string;
  readonly period: string;
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly manifestKey: string | null;
  /** `false` where the rows were not counted over the whole table, as its manifest says; `null` before there is one. */
  readonly countedWhole: boolean | null;
  readonly dropAfter: Date | null;
  readonly quarantinedAt: Date | null;
  readonly verifiedAt: Date | null;
  readonly droppedAt: Date | null;
  readonly blockedCode: string | null;
  readonly blockedReason: string | null;
  readonly failedAt: Date | null;
  readonly failedCode: string | null;
  readonly failedReason: string | null;
}

/** What `countedWhole: false` means. */
export const NOT_COUNTED_WHOLE =
  'its rows were not counted over the whole table, which took more than 8 minutes';

/** What an operator is told of an archive that was committed since a time, as `warning`; mostly nothing. */
export function archiveWarning(
  { countedWhole, verifiedAt }: Pick<LedgerRow, 'countedWhole' | 'verifiedAt'>,
  since: Date,
): { readonly warning?: string } {
  if (countedWhole !== false || verifiedAt === null || verifiedAt < since) return {};
  return {
    warning: `${NOT_COUNTED_WHOLE}: the plan of segments and the seal prove that the segments cover the table`,
  };
}

/** A segment of a quarantined partition, with what is needed to read it and to name its object. */
export interface Segment {
  readonly number: number;
  readonly firstBlock: number;
  /** The block after the last one; `null` for the last segment, which is open-ended. */
  readonly nextBlock: number | null;
  /** `split`: there are two others in its place, and it has no blocks any more. */
  readonly state: 'planned' | 'exported' | 'verified' | 'split';
  readonly location: ArchiveLocation;
  /** Key of the object, and what the export said of it; `null` before the export. */
  readonly exported: {
    readonly key: string;
    readonly rows: number;
    readonly files: number;
    /** Of the text. */
    readonly bytes: number;
    /** SHA-256 of what was sent, where this product exported the segment itself. */
    readonly sentSha256: string | null;
    /** The proof that the ledger asks for. */
    readonly proof: Proof;
    /** How this product compressed the text; `null` for plain text. */
    readonly compression: Compression | null;
    /** Bytes that S3 got of compressed text. */
    readonly storedBytes: number | null;
  } | null;
}
