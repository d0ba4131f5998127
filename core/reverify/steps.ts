import { readManifest, type ArchiveStore } from '../archive-store.ts';
import { ArchiverError } from '../errors.ts';
import type { Manifest } from '../manifest.ts';
import type { Clock, Log } from '../ports.ts';
import { withLockTries } from '../retry.ts';
import { readSegmentText } from '../segment-text.ts';
import { compareContents } from '../proof/contents.ts';
import type { LineDigest } from '../proof/line-digest.ts';

/** The archive that a partition is compared with, as the ledger has it. */
export interface ReverifyEvidence {
  readonly archiveId: string;
  readonly manifestKey: string;
  readonly manifestVersionId: string;
  readonly manifestSha256: string;
  /** Of the fence that it is read behind: verdicts on what was behind another one do not count. */
  readonly fence: string;
}

/** What the ledger says of a partition that is verified again. */
export interface ReverifyStart extends ReverifyEvidence {
  /** Segments that were not compared again yet. */
  readonly open: readonly number[];
}

/** What fences, as `archiver_maintain`. */
export interface ReverifyFence {
  /** Whether it was verified at or after this time, and nothing is left to do; also where it was dropped since. */
  verifiedSince(partitionId: number, time: Date): Promise<boolean>;
  /** Fences and seals the table again, or finds where an earlier call left it; the partition is blocked until the end. */
  begin(partitionId: number): Promise<ReverifyStart>;
}

/** What reads and records, as `archiver_read`. */
export interface ReverifyReading {
  readSegment<T>(
    partitionId: number,
    segmentNumber: number,
    read: (rows: AsyncIterable<Buffer>) => Promise<T>,
  ): Promise<T>;
  record(partitionId: number, segmentNumber: number, fence: string, digest: LineDigest): Promise<void>;
  /** The segment differs from its archive: until it is proven, one reading proves nothing. */
  recordMismatch(partitionId: number, segmentNumber: number, fence: string): Promise<void>;
  /** Verified again, if every segment was recorded and the seal of `begin` is unbroken. */
  finish(partitionId: number, manifestVersionId: string): Promise<void>;
}

/** What is to be done with a partition. */
export type ReverifyNext =
  | { readonly next: 'done' }
  | {
      readonly next: 'compare';
      readonly evidence: ReverifyEvidence;
      readonly segments: readonly number[];
    };

type Segment = Manifest['segments'][number];
interface ReadingPorts {
  readonly database: ReverifyReading;
  readonly store: ArchiveStore;
  readonly log: Log;
}

/**
 * The first step: fence and seal are made again. A partition that was verified since `startedAt` is done, so that an
 * execution that is taken up again does not begin with it once more.
 */
export async function beginReverify(
  { partitionId, startedAt }: { readonly partitionId: number; readonly startedAt: string },
  { database, clock, log }: { readonly database: ReverifyFence; readonly clock: Clock; readonly log: Log },
): Promise<ReverifyNext> {
  if (await database.verifiedSince(partitionId, new Date(startedAt))) return { next: 'done' };
  const { open, ...evidence } = await withLockTries(clock, () => database.begin(partitionId));
  log.info('reverify begin', { partitionId, open: open.length });
  return { next: 'compare', evidence, segments: open };
}

/** The second step, for each segment that is open: table and archive are read again and compared. */
export async function reverifySegment(
  work: { readonly partitionId: number; readonly segmentNumber: number; readonly evidence: ReverifyEvidence },
  ports: ReadingPorts,
): Promise<{ readonly segmentNumber: number }> {
  const manifest = await manifestOf(work.evidence, ports.store);
  await compareSegment(work.partitionId, segmentOf(manifest, work.segmentNumber), work.evidence.fence, ports);
  return { segmentNumber: work.segmentNumber };
}

/** The last step: verified again, with the manifest that it has. */
export async function finishReverify(
  { partitionId, evidence }: { readonly partitionId: number; readonly evidence: ReverifyEvidence },
  { database, store, log }: ReadingPorts,
): Promise<{ readonly segments: number; readonly rows: number }> {
  const { segments, contents } = await manifestOf(evidence, store);
  await database.finish(partitionId, evidence.manifestVersionId);
  const answer = { segments: segments.length, rows: contents.rows };
  log.info('reverify', { partitionId, ...answer });
  return answer;
}

/**
 * Proves a verified partition, which was not dropped yet, against its archive once more: after a major upgrade, which
 * gives the fence new catalog rows, or in doubt. All steps in this process, in the order of the state machine
 * *Reverify*. Running it again resumes it.
 */
export async function reverify(
  partitionId: number,
  ports: {
    readonly database: Pick<ReverifyFence, 'begin'> & ReverifyReading;
    readonly store: ArchiveStore;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<{ readonly segments: number; readonly rows: number }> {
  const { database, store, clock, log } = ports;
  const { open, ...evidence } = await withLockTries(clock, () => database.begin(partitionId));
  const manifest = await manifestOf(evidence, store);
  const segments = open.map((number) => segmentOf(manifest, number));
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  log.info('reverify begin', { partitionId, open: open.length, bytes });
  for (const segment of segments) await compareSegment(partitionId, segment, evidence.fence, ports);
  return finishReverify({ partitionId, evidence }, ports);
}

async function manifestOf(
  { archiveId, manifestKey, manifestVersionId, manifestSha256 }: ReverifyEvidence,
  store: ArchiveStore,
): Promise<Manifest> {
  const { manifest, sha256 } = await readManifest(store, manifestKey, manifestVersionId);
  if (sha256 !== manifestSha256 || manifest.archiveId !== archiveId) {
    throw new ArchiverError('ManifestConflict', `${manifestKey} is not the manifest that was recorded`);
  }
  return manifest;
}

function segmentOf({ segments, archiveId }: Manifest, number: number): Segment {
  const segment = segments.find((each) => each.number === number);
  if (segment !== undefined) return segment;
  throw new ArchiverError(
    'ManifestConflict',
    `the manifest of archive ${archiveId} has no segment ${String(number)}`,
  );
}

async function compareSegment(
  partitionId: number,
  segment: Segment,
  fence: string,
  { database, store, log }: ReadingPorts,
): Promise<void> {
  const verdict = await compareContents(
    (use) => database.readSegment(partitionId, segment.number, use),
    () => readSegmentText(segment, store),
  );
  const differ = (how: string): ArchiverError =>
    new ArchiverError(
      'ContentMismatch',
      `segment ${segment.number} of partition ${partitionId} is not what was archived: ${how}`,
    );
  if (verdict.kind === 'mismatch') {
    await database.recordMismatch(partitionId, segment.number, fence);
    throw differ(verdict.differences.join('; '));
  }
  const { digest } = verdict;
  if (digest.sha256 !== segment.sha256 || digest.lineHashSum !== segment.lineHashSum) {
    throw differ('table and archive agree, but not with the manifest');
  }
  await database.record(partitionId, segment.number, fence, digest);
  const { rows, bytes } = digest;
  log.info('reverify segment', { partitionId, segmentNumber: segment.number, rows, bytes });
}
