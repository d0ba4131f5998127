import { segmentKey, type ArchiveLocation } from '../../../core/keys.ts';
import type { Compression, Proof } from '../../../core/config/partition-set.ts';
import type { Segment } from '../../../core/partition.ts';
import type { Transaction } from '../connect.ts';
import { quoteIdentifier } from '../quote.ts';

/** What `partition_archiver.begin_segment` returns. */
interface BegunSegment {
  readonly archive_id: string;
  readonly number: number;
  readonly first_block: number;
  readonly next_block: number | null;
  readonly state: Segment['state'];
  readonly object_key: string | null;
  readonly exported_rows: number;
  readonly exported_files: number;
  readonly exported_bytes: number;
  readonly sent_sha256: string | null;
  readonly proof: Proof;
  readonly compression: Compression | null;
  readonly stored_bytes: number | null;
  readonly quarantine_name: string;
  readonly column_list: string;
  readonly database_name: string;
  readonly parent_schema: string;
  readonly parent_name: string;
  readonly period: string;
  readonly within_bounds: string;
}

/** A segment, and the query that reads it. */
export interface SegmentSource extends Segment {
  /** Key of its object. */
  readonly key: string;
  /** Its table and range of blocks, as the FROM and WHERE of a query. */
  readonly from: string;
  /** Its rows: explicit columns, this table only, this range of blocks only. */
  readonly query: string;
  /** Whether a row lies within the recorded bounds of its partition, as a condition; null where it has no value. */
  readonly withinBounds: string;
}

/**
 * Begins work on a segment in the transaction: checks its seal, and with `exclusive` takes its advisory lock until the
 * transaction ends.
 */
export async function beginSegment(
  transaction: Transaction,
  partitionId: number,
  number: number,
  exclusive: boolean,
): Promise<SegmentSource> {
  const [row] = await transaction<[{ segment: BegunSegment }]>`
    select partition_archiver.begin_segment(${partitionId}::bigint, ${number}::integer, ${exclusive}::boolean) as segment`;
  const begun = row.segment;
  const location: ArchiveLocation = {
    database: begun.database_name,
    parentSchema: begun.parent_schema,
    parentName: begun.parent_name,
    period: begun.period,
    archiveId: begun.archive_id,
  };
  const upper = begun.next_block === null ? '' : ` and ctid < '(${String(begun.next_block)},0)'::tid`;
  const from = `only partition_archiver_quarantine.${quoteIdentifier(begun.quarantine_name)} where ctid >= '(${String(begun.first_block)},0)'::tid${upper}`;
  return {
    number: begun.number,
    firstBlock: begun.first_block,
    nextBlock: begun.next_block,
    state: begun.state,
    location,
    exported:
      begun.object_key === null
        ? null
        : {
            key: begun.object_key,
            rows: begun.exported_rows,
            files: begun.exported_files,
            bytes: begun.exported_bytes,
            sentSha256: begun.sent_sha256,
            proof: begun.proof,
            compression: begun.compression,
            storedBytes: begun.stored_bytes,
          },
    key: segmentKey(location, begun.number),
    from,
    query: `select ${begun.column_list} from ${from}`,
    withinBounds: begun.within_bounds,
  };
}
