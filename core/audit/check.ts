import { counted } from '../counted.ts';
import type { ArchiveStore, StoredManifest } from '../archive-store.ts';
import { mapAtOnce } from '../concurrency.ts';
import { ArchiverError } from '../errors.ts';
import { segmentKey } from '../keys.ts';
import type { Manifest } from '../manifest.ts';
import type { Log, ObjectVersion } from '../ports.ts';
import { compressedText } from '../segment-text.ts';
import { copyProblems } from '../query/audit-copies.ts';
import { inRandomOrder } from '../random.ts';
import { addLineHashSums, LineDigester } from '../proof/line-digest.ts';

/** How much of an archive is read: every segment, or this many of them chosen at random. */
export type AuditSample = 'all' | { readonly segments: number; readonly random: () => number };

/** Something that is not as the manifest says. */
export interface AuditProblem {
  readonly key: string;
  readonly problem: string;
}

/** The verdict on one archive. */
export interface AuditVerdict {
  readonly manifestKey: string;
  readonly archiveId: string;
  readonly intact: boolean;
  /** What was read back and compared. */
  readonly checked: { readonly segments: number; readonly rows: number; readonly bytes: number };
  /** Segments in a tier that S3 reads only after a restore of the object: only their length was looked at. */
  readonly cold: number;
  readonly segments: number;
  readonly problems: readonly AuditProblem[];
}

type Segment = Manifest['segments'][number];

/** What is said of an object that has nothing but older versions, or none. */
export const NOT_CURRENT = 'it has no current version: it was deleted';

/** What came out of reading one segment. */
export interface SegmentCheck {
  readonly rows: number;
  readonly bytes: number;
  readonly cold: boolean;
  readonly problems: readonly AuditProblem[];
}

/** Segments read at the same time; each costs one connection to S3 and the memory of its longest line. */
const AT_ONCE = 4;

/**
 * Reads an archive back, object by object and by version, and compares it with its manifest: length, rows, SHA-256 and
 * line-hash sum of each segment, the DDL, and what the segments add up to. Also looks whether the current version of
 * each object is the one of the manifest, since a restore through aws_s3 reads that one. Needs no database.
 *
 * What does not agree is a verdict; an exception means that none was reached.
 */
export async function audit(
  stored: StoredManifest,
  sample: AuditSample,
  { store, log }: { readonly store: ArchiveStore; readonly log: Log },
): Promise<AuditVerdict> {
  const { manifest, object } = stored;
  const chosen = chooseSegments(manifest, sample);
  log.info('audit begin', { manifest: object.key, segments: chosen.length, bytes: bytesOf(chosen) });
  const checked = await checkSegments(chosen, store, log);
  const found = await archiveProblems(stored, store, sample === 'all');
  const problems = [...found, ...checked.flatMap((each) => each.problems)];
  const verdict = {
    manifestKey: object.key,
    archiveId: manifest.archiveId,
    intact: problems.length === 0,
    checked: {
      segments: chosen.length,
      rows: checked.reduce((sum, { rows }) => sum + rows, 0),
      bytes: checked.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    cold: checked.filter(({ cold }) => cold).length,
    segments: manifest.segments.length,
    problems,
  };
  log.info('audit', { ...verdict, problems: problems.length });
  return verdict;
}

/**
 * What can be told without reading data: the manifest against itself, the current versions, the DDL, and the Parquet
 * copies, whose bytes are read only with `readCopies`.
 */
export async function archiveProblems(
  stored: StoredManifest,
  store: ArchiveStore,
  readCopies = false,
): Promise<AuditProblem[]> {
  const { manifest, object } = stored;
  return [
    ...checkTotals(manifest, object.key),
    ...(await currentVersionProblems(manifest, store)),
    ...(await checkDdl(manifest, store)),
    ...(await copyProblems(stored, store, readCopies)),
  ];
}

/** Reads these segments, a few at a time, and compares each with what its manifest says. */
export function checkSegments(
  segments: readonly Segment[],
  store: ArchiveStore,
  log: Log,
): Promise<SegmentCheck[]> {
  return mapAtOnce(segments, AT_ONCE, async (segment) => {
    const checked = await checkSegment(segment, store);
    const { rows, bytes } = checked;
    log.info('audit segment', { segmentNumber: segment.number, expectedBytes: segment.bytes, rows, bytes });
    return checked;
  });
}

/** Bytes of text that segments have. */
export const bytesOf = (segments: readonly Segment[]): number =>
  segments.reduce((sum, { bytes }) => sum + bytes, 0);

/** What the manifest says must agree with itself: the segments cover the table and add up to its contents. */
function checkTotals({ segments, contents }: Manifest, key: string): AuditProblem[] {
  const problems: AuditProblem[] = [];
  const sum = (of: (segment: Segment) => number): number =>
    segments.reduce((total, segment) => total + of(segment), 0);
  const rows = sum((segment) => segment.rows);
  const bytes = sum((segment) => segment.bytes);
  if (rows !== contents.rows || bytes !== contents.bytes) {
    const problem = `its segments add up to ${counted(rows, 'row')} and ${counted(bytes, 'byte')}, not ${contents.rows} and ${contents.bytes}`;
    problems.push({ key, problem });
  }
  if (addLineHashSums(segments.map(({ lineHashSum }) => lineHashSum)) !== contents.lineHashSum) {
    problems.push({ key, problem: 'its segments add up to another line-hash sum' });
  }
  let next: number | null = 0;
  for (const { firstBlock, nextBlock, number } of [...segments].sort((a, b) => a.firstBlock - b.firstBlock)) {
    if (firstBlock !== next) {
      problems.push({
        key,
        problem: `segment ${number} begins at block ${firstBlock}, not ${next ?? 'nowhere'}`,
      });
    }
    next = nextBlock;
  }
  if (next !== null) problems.push({ key, problem: `nothing covers the table from block ${next} on` });
  return problems;
}

/** What lies under the keys of the archive now, against what the manifest names. */
export async function currentVersionProblems(
  manifest: Manifest,
  store: ArchiveStore,
): Promise<AuditProblem[]> {
  const problems: AuditProblem[] = [];
  const { parentSchema, parentName, period } = manifest.partition;
  const location = { database: manifest.source.database, parentSchema, parentName, period };
  const anySegment = segmentKey({ ...location, archiveId: manifest.archiveId }, 0);
  const prefix = anySegment.slice(0, anySegment.lastIndexOf('-') + 1);
  const current = new Map((await store.list(prefix)).map(({ key, versionId }) => [key, versionId]));
  for (const { key, versionId } of manifest.segments.flatMap(({ objects }) => objects)) {
    problems.push(...isCurrent(current.get(key), { key, versionId }));
    current.delete(key);
  }
  for (const key of current.keys()) {
    if (!isLeftOver(key.slice(prefix.length), manifest)) {
      problems.push({ key, problem: 'the manifest does not name it' });
    }
  }
  return problems;
}

/**
 * Whether a file, by what follows the archive id in its key, is one that an export left: of a segment that was given up and
 * split, or an attempt to stream a segment, whose key is never used again. Only a split leaves a number out, and the halves
 * have higher ones.
 */
function isLeftOver(file: string, { segments }: Manifest): boolean {
  if (/^\d+\.[0-9a-f]{16}\.tsv(?:\.gz|\.zst)?$/.test(file)) return true;
  const number = Number(/^(\d+)\.tsv(?:_part\d+)?$/.exec(file)?.[1] ?? Number.NaN);
  return (
    segments.some((segment) => segment.number > number) &&
    segments.every((segment) => segment.number !== number)
  );
}

function isCurrent(
  found: string | undefined,
  { key, versionId }: Pick<ObjectVersion, 'key' | 'versionId'>,
): AuditProblem[] {
  if (found === versionId) return [];
  const problem = found === undefined ? NOT_CURRENT : `its current version is ${found}, not ${versionId}`;
  return [{ key, problem }];
}

async function checkSegment(segment: Segment, store: ArchiveStore): Promise<SegmentCheck> {
  const key = segment.objects.map((object) => object.key).join(', ') || `segment ${segment.number}`;
  const problems: AuditProblem[] = [];
  const digester = new LineDigester();
  const text = compressedText(segment);
  for (const { key: part, versionId, bytes } of segment.objects) {
    const before = digester.position.bytes;
    try {
      for await (const chunk of store.read(part, versionId, text)) digester.update(chunk);
    } catch (error) {
      if (!(error instanceof ArchiverError)) throw error;
      if (error.code === 'ArchiveDamaged') problems.push({ key: part, problem: error.message });
      else if (error.code !== 'ObjectMissing') throw error;
      else if (error.message.includes('InvalidObjectState')) return checkColdSegment(segment, store);
      else problems.push({ key: part, problem: `version ${versionId} is gone: ${error.message}` });
      return { ...digester.position, cold: false, problems };
    }
    const length =
      text === undefined ? digester.position.bytes - before : (await store.head(part, versionId)).bytes;
    problems.push(...lengthProblems(part, length, bytes));
  }
  const found = digester.digest();
  const differ = (what: string, is: number | string, said: number | string): void => {
    if (is !== said) problems.push({ key, problem: `${what} ${is}, not ${said}` });
  };
  differ('rows', found.rows, segment.rows);
  differ('bytes', found.bytes, segment.bytes);
  differ('SHA-256', found.sha256, segment.sha256);
  differ('line-hash sum', found.lineHashSum, segment.lineHashSum);
  if (!found.complete) problems.push({ key, problem: 'its last line has no end' });
  return { ...digester.position, cold: false, problems };
}

/** S3 tells the length of an object in a Glacier tier, but hands its bytes out only after a restore that costs money. */
async function checkColdSegment({ objects }: Segment, store: ArchiveStore): Promise<SegmentCheck> {
  const problems: AuditProblem[] = [];
  for (const { key, versionId, bytes } of objects) {
    try {
      problems.push(...lengthProblems(key, (await store.head(key, versionId)).bytes, bytes));
    } catch (error) {
      if (!(error instanceof ArchiverError) || error.code !== 'ObjectMissing') throw error;
      problems.push({ key, problem: `version ${versionId} is gone: ${error.message}` });
    }
  }
  return { rows: 0, bytes: 0, cold: true, problems };
}

const lengthProblems = (key: string, is: number, said: number): AuditProblem[] =>
  is === said ? [] : [{ key, problem: `it has ${counted(is, 'byte')}, not ${said}` }];

async function checkDdl({ ddl }: Manifest, store: ArchiveStore): Promise<AuditProblem[]> {
  const digester = new LineDigester();
  try {
    for await (const chunk of store.read(ddl.key, ddl.versionId)) digester.update(chunk);
  } catch (error) {
    if (!(error instanceof ArchiverError) || error.code !== 'ObjectMissing') throw error;
    return [{ key: ddl.key, problem: `version ${ddl.versionId} is gone: ${error.message}` }];
  }
  const { sha256 } = digester.digest();
  if (sha256 !== ddl.sha256) return [{ key: ddl.key, problem: `SHA-256 ${sha256}, not ${ddl.sha256}` }];
  const current = (await store.list(ddl.key)).find(({ key }) => key === ddl.key);
  return isCurrent(current?.versionId, ddl);
}

/** That many of the segments, each as likely as any other, in their order. */
export function chooseSegments({ segments }: Manifest, sample: AuditSample): readonly Segment[] {
  if (sample === 'all' || sample.segments >= segments.length) return segments;
  const chosen = new Set<number>();
  for (const index of inRandomOrder(segments.keys(), sample.random)) {
    if (chosen.size === sample.segments) break;
    chosen.add(index);
  }
  return segments.filter((_, index) => chosen.has(index));
}
