import { counted } from '../counted.ts';
import type { Proof } from '../config/partition-set.ts';
import { ArchiverError } from '../errors.ts';
import { segmentFileKeys } from '../keys.ts';
import type { Segment } from '../partition.ts';
import type { Clock, Log, ObjectStore, ObjectVersion } from '../ports.ts';
import { withReaderTries } from '../retry.ts';
import { readSegmentText } from '../segment-text.ts';
import type { Verdict } from '../proof/compare.ts';
import { compareContents } from '../proof/contents.ts';
import { digestArchive } from '../proof/archive.ts';
import type { LineDigest } from '../proof/line-digest.ts';

/** The database, as `verify` needs it. */
export interface VerifyDatabase {
  segment(partitionId: number, number: number): Promise<Segment>;
  /**
   * Hands the segment's rows to `read` as COPY text, under the same pins as the export and after the seal was checked
   * in the same transaction. Where they are read at another server than the writer: `ReaderBehind` unless that server
   * proves, in the same snapshot, that it has replayed the export; `read` is not called then. The two readers take the
   * rows out of the connection by different code.
   */
  readSegment<T>(
    partitionId: number,
    segmentNumber: number,
    read: (rows: AsyncIterable<Buffer>) => Promise<T>,
    reader: 'first' | 'second',
  ): Promise<T>;
  /** Rows of the segment whose control column lies outside the recorded bounds, or has no value. */
  countOutOfBounds(partitionId: number, segmentNumber: number): Promise<number>;
  recordMatch(
    partitionId: number,
    segmentNumber: number,
    proof: {
      readonly objects: readonly ObjectVersion[];
      readonly digest: LineDigest;
      readonly orderDiffers: boolean;
      readonly proof: Proof;
    },
  ): Promise<void>;
  /** The segment is exported again by the next run. */
  recordMismatch(partitionId: number, segmentNumber: number): Promise<void>;
}

/**
 * Proves one segment: reads its objects back from S3 by version, and compares what the export said of them; no object may
 * lie there unexpected. With two readings, the same blocks of the table are read again, and compared byte for byte.
 * With one reading, which only what this product sent itself can have, the table is not touched: rows, bytes and SHA-256 of
 * what the server sent must be those of what was read back.
 * Throws `ContentMismatch` with the objects and the differences where they are not the same; `BoundsViolated` where that
 * is because of rows out of bounds, which are never exported.
 */
export async function verifySegment(
  partitionId: number,
  number: number,
  ports: {
    readonly database: VerifyDatabase;
    readonly store: ObjectStore;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<{ readonly verified: boolean }> {
  const { database, store, clock, log } = ports;
  const segment = await database.segment(partitionId, number);
  if (segment.state === 'verified') return { verified: true };
  // Split, and in older ledgers planned again: the commit that follows finds what is open.
  if (segment.state === 'planned' || segment.exported === null) return { verified: false };

  const objects = await findObjects(segment.exported, store);
  const { proof, sentSha256, bytes, compression } = segment.exported;
  const said = { bytes, compression: compression ?? undefined };
  // What the first reader sent must not be proven by the first reader: what it did wrong, it would do again.
  const reader = sentSha256 === null ? 'first' : 'second';
  const archive = (): AsyncIterable<Buffer> => readSegmentText({ ...said, objects }, store);
  const verdict = await unlessDamaged(
    proof === 'one-reading'
      ? digestArchive(archive())
      : compareContents(
          (use) => withReaderTries(clock, () => database.readSegment(partitionId, number, use, reader)),
          archive,
        ),
  );
  const differences = [...reported(verdict, segment.exported, objects)];
  if (verdict.kind === 'match' && differences.length === 0) {
    const { digest, orderDiffers } = verdict;
    await database.recordMatch(partitionId, number, { objects, digest, orderDiffers, proof });
    log.info('verify', {
      partitionId,
      segmentNumber: number,
      rows: digest.rows,
      bytes: digest.bytes,
      orderDiffers,
      proof,
    });
    return { verified: true };
  }
  await database.recordMismatch(partitionId, number);
  // What is streamed has no such rows: its export ends at the first one.
  const strayed = sentSha256 === null ? await database.countOutOfBounds(partitionId, number) : 0;
  if (strayed > 0) {
    throw new ArchiverError(
      'BoundsViolated',
      `segment ${String(number)} of partition ${String(partitionId)} has rows out of the recorded bounds, or without a value of the control column: ${String(strayed)}`,
    );
  }
  throw new ArchiverError(
    'ContentMismatch',
    `${objects.map(({ key }) => key).join(', ') || segment.exported.key} does not match the table: ${differences.join('; ')}`,
  );
}

/** The objects of a segment in the order of their bytes; exactly those that the export wrote. */
async function findObjects(
  exported: NonNullable<Segment['exported']>,
  store: ObjectStore,
): Promise<ObjectVersion[]> {
  const found = new Map((await store.list(exported.key)).map((object) => [object.key, object]));
  const expected = segmentFileKeys(exported.key, exported.files);
  const unexpected = [...found.keys()].filter((key) => !expected.includes(key));
  if (unexpected.length > 0) {
    throw new ArchiverError('UnexpectedObject', `no export wrote ${unexpected.join(', ')}`);
  }
  return expected.map((key) => {
    const object = found.get(key);
    if (object === undefined)
      throw new ArchiverError('ObjectMissing', `${key} is not in bucket ${store.bucket}`);
    return object;
  });
}

/** What cannot be decompressed does not match. */
async function unlessDamaged(proof: Promise<Verdict>): Promise<Verdict> {
  try {
    return await proof;
  } catch (error) {
    if (!(error instanceof ArchiverError) || error.code !== 'ArchiveDamaged') throw error;
    return { kind: 'mismatch', differences: [error.message] };
  }
}

/** Where the contents disagree, or what the export said about them does. */
function reported(
  verdict: Verdict,
  said: NonNullable<Segment['exported']>,
  objects: readonly ObjectVersion[],
): readonly string[] {
  if (verdict.kind === 'mismatch') return verdict.differences;
  const differences: string[] = [];
  if (verdict.digest.rows !== said.rows) {
    differences.push(`the export had ${counted(said.rows, 'row')}, there are ${String(verdict.digest.rows)}`);
  }
  if (verdict.digest.bytes !== said.bytes) {
    differences.push(
      `the export had ${counted(said.bytes, 'byte')}, there are ${String(verdict.digest.bytes)}`,
    );
  }
  const stored = objects.reduce((sum, object) => sum + object.bytes, 0);
  if (said.storedBytes !== null && stored !== said.storedBytes) {
    differences.push(`S3 got ${counted(said.storedBytes, 'byte')}, and has ${String(stored)}`);
  }
  // The same rows in another order are a table's, but no sender's.
  const isSent = said.proof === 'one-reading' || said.sentSha256 !== null;
  if (isSent && verdict.digest.sha256 !== said.sentSha256) {
    differences.push('the bytes in S3 are not those that were sent');
  }
  return differences;
}
