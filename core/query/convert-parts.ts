import { readManifest, type StoredManifest } from '../archive-store.ts';
import { mapAtOnce } from '../concurrency.ts';
import type { Expiry } from '../config/runtime.ts';
import { ArchiverError } from '../errors.ts';
import { DAY_MS, expiresAt } from '../expiry.ts';
import { copiesPrefix, copyKey } from '../keys.ts';
import { truncate } from '../limits.ts';
import type { Manifest } from '../manifest.ts';
import {
  newGeneration,
  recordCopy,
  requireReadable,
  textOf,
  upload,
  type ConvertPorts,
  type Uploaded,
} from './convert.ts';
import { latestCopy, locationOf } from './copy-manifest.ts';
import { mapColumns } from './parquet-map.ts';
import { sourceColumns } from './source-columns.ts';
import { writeProven } from './write-copy.ts';

/** A conversion that is under way: what its steps hand on. */
export interface Attempt {
  readonly manifestKey: string;
  readonly versionId: string;
  readonly generation: string;
  /** Position of the first of the segments that are converted now, among those that have rows. */
  readonly from: number;
  /** Columns that are text in this archive because of their values, and why. */
  readonly fallbacks: Readonly<Record<string, string>>;
}

/** What is done next with an archive. */
export type ConversionStep =
  | { readonly next: 'done'; readonly result: 'there' | 'converted' | 'expiring' }
  | { readonly next: 'segments'; readonly attempt: Attempt; readonly segments: readonly number[] };

/** What one segment came to: its object lies in the bucket, or columns have to be text, or the name of an error. */
export interface SegmentResult {
  readonly fallbacks?: Readonly<Record<string, string>>;
  readonly failed?: string;
}

type BeginPorts = Pick<ConvertPorts, 'store' | 'clock' | 'unique'> & { readonly expiry: Expiry | undefined };

/** A copy of what expires within these days is not made any more. */
export const LEAST_DAYS_LEFT = 30;
/** Requests to S3 at the same time. */
const AT_ONCE = 16;
/** Segments whose results travel through the state machine together. */
const SEGMENTS_AT_ONCE = 100;
/** Bytes of such a result, which says what columns have to be text. */
const LONGEST_RESULT = 2_000;

/** Begins to convert an archive, unless there is a copy. Throws `ArchiveCold` where its text cannot be read at once. */
export async function beginConversion(manifestKey: string, ports: BeginPorts): Promise<ConversionStep> {
  const { store, clock, expiry } = ports;
  const stored = await readManifest(store, manifestKey);
  if (expiry !== undefined) {
    const left = expiresAt(stored.manifest, expiry) - clock.now().getTime();
    if (left < LEAST_DAYS_LEFT * DAY_MS) return { next: 'done', result: 'expiring' };
  }
  if ((await latestCopy(stored, store)) !== null) return { next: 'done', result: 'there' };
  await requireReadable(stored.manifest, store);
  const attempt: Attempt = {
    manifestKey,
    versionId: stored.object.versionId,
    generation: newGeneration(ports),
    from: 0,
    fallbacks: {},
  };
  return segmentsOf(attempt, stored);
}

const segmentsOf = (
  attempt: Attempt,
  { manifest }: StoredManifest,
): ConversionStep & { next: 'segments' } => ({
  next: 'segments',
  attempt,
  segments: withRows(manifest)
    .slice(attempt.from, attempt.from + SEGMENTS_AT_ONCE)
    .map(({ number }) => number),
});

const withRows = ({ segments }: Manifest): Manifest['segments'] => segments.filter(({ rows }) => rows > 0);

/**
 * Converts one segment: reads its text, writes to the local disk, proves from there, and only then puts the object. Tried
 * again, it writes the same bytes to the same key.
 */
export async function convertSegment(
  { attempt, segmentNumber }: { readonly attempt: Attempt; readonly segmentNumber: number },
  { store, disk, log }: Pick<ConvertPorts, 'store' | 'disk' | 'log'>,
): Promise<SegmentResult> {
  const { manifestKey, versionId, generation } = attempt;
  const { manifest } = await readManifest(store, manifestKey, versionId);
  const found = manifest.segments.find(({ number }) => number === segmentNumber);
  if (found === undefined)
    throw new ArchiverError('InvalidInput', `${manifestKey} has no segment ${String(segmentNumber)}`);
  const columns = mapColumns(sourceColumns(manifest), new Map(Object.entries(attempt.fallbacks)));
  const fallbacks = new Map<string, string>();
  const fileOf = (number: number): string => `${generation}-${String(number)}.parquet`;
  const metadata = { 'partition-archiver.archive': manifest.archiveId };
  try {
    const file = await writeProven(textOf(found, store), columns, { fileOf, metadata }, fallbacks, disk);
    // What is left out is found by the next attempt.
    if (file === null) return { fallbacks: Object.fromEntries(truncate([...fallbacks], LONGEST_RESULT)) };
    const { bytes } = await upload(copyKey(locationOf(manifest), generation, segmentNumber), file, store);
    log.info('convert', { manifestKey, segmentNumber, rows: found.rows, bytes });
    return {};
  } finally {
    disk.remove(fileOf(segmentNumber));
  }
}

/**
 * Names the next segments of an attempt, or ends it: writes the manifest of the copy, if each segment has its object and
 * nothing else lies beside them. Where a column has to be text, all segments are converted again, in a new generation.
 */
export async function finishConversion(
  { attempt, results }: { readonly attempt: Attempt; readonly results: readonly SegmentResult[] },
  ports: Pick<ConvertPorts, 'store' | 'clock' | 'log' | 'unique'>,
): Promise<ConversionStep> {
  const { store } = ports;
  const { manifestKey, versionId, generation } = attempt;
  const failed = [...new Set(results.flatMap((result) => result.failed ?? []))];
  if (failed.length > 0)
    throw new ArchiverError(
      'CopyRefused',
      `${manifestKey}: segments were not converted: ${failed.join(', ')}`,
    );
  const stored = await readManifest(store, manifestKey, versionId);
  const found = Object.assign({}, ...results.map(({ fallbacks }) => fallbacks)) as Attempt['fallbacks'];
  if (Object.keys(found).length > 0) {
    const next = {
      ...attempt,
      generation: newGeneration(ports, generation),
      from: 0,
      fallbacks: { ...attempt.fallbacks, ...found },
    };
    return segmentsOf(next, stored);
  }
  const rest = segmentsOf({ ...attempt, from: attempt.from + SEGMENTS_AT_ONCE }, stored);
  if (rest.segments.length > 0) return rest;
  // An earlier try may have written the manifest, and its answer was lost.
  const copy = await latestCopy(stored, store);
  if (copy?.manifest.generation === generation) return { next: 'done', result: 'converted' };
  const columns = mapColumns(sourceColumns(stored.manifest), new Map(Object.entries(attempt.fallbacks)));
  const objects = await objectsOf(stored.manifest, generation, ports);
  await recordCopy(stored, { generation, columns, objects }, ports);
  return { next: 'done', result: 'converted' };
}

/** The objects of all segments. `CopyConflict` where there is another one beside them: engines read whatever lies there. */
async function objectsOf(
  manifest: Manifest,
  generation: string,
  { store }: Pick<ConvertPorts, 'store'>,
): Promise<Uploaded[]> {
  const location = locationOf(manifest);
  const segments = withRows(manifest);
  const expected = new Set(segments.map(({ number }) => copyKey(location, generation, number)));
  const found = await store.list(`${copiesPrefix(location)}${generation}/`);
  const other = found.find(({ key }) => !expected.has(key));
  if (other !== undefined) throw new ArchiverError('CopyConflict', `${other.key} is of no segment`);
  return mapAtOnce(segments, AT_ONCE, async ({ number, rows, lineHashSum }) => {
    const object = await store.currentFile(copyKey(location, generation, number));
    const { key, versionId, bytes, sha256 } = object;
    return { segment: number, key, versionId, bytes, sha256, rows, lineHashSum };
  });
}
