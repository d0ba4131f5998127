import { mapAtOnce, type ArchiveStore, type StoredManifest } from './archive-store.ts';
import { ArchiverError } from './errors.ts';
import { segmentKey } from './keys.ts';
import type { Manifest } from './manifest.ts';
import type { Log } from './ports.ts';
import { addLineHashSums, LineDigester } from './verify/line-digest.ts';

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
  readonly segments: number;
  readonly problems: readonly AuditProblem[];
}

type Segment = Manifest['segments'][number];

/** What is said of an object that has nothing but older versions, or none. */
export const NOT_CURRENT = 'it has no current version: it was deleted';

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
  { manifest, object }: StoredManifest,
  sample: AuditSample,
  { store, log }: { readonly store: ArchiveStore; readonly log: Log },
): Promise<AuditVerdict> {
  const problems: AuditProblem[] = checkTotals(manifest, object.key);
  problems.push(...(await currentVersionProblems(manifest, store)));
  const chosen = choose(manifest.segments, sample);
  const checked = await mapAtOnce(chosen, AT_ONCE, (segment) => checkSegment(segment, store));
  problems.push(...checked.flatMap((each) => each.problems));
  problems.push(...(await checkDdl(manifest, store)));
  const verdict = {
    manifestKey: object.key,
    archiveId: manifest.archiveId,
    intact: problems.length === 0,
    checked: {
      segments: chosen.length,
      rows: checked.reduce((sum, { rows }) => sum + rows, 0),
      bytes: checked.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    segments: manifest.segments.length,
    problems,
  };
  log.info('audit', { ...verdict, problems: problems.length });
  return verdict;
}

/** What the manifest says must agree with itself: the segments cover the table and add up to its contents. */
function checkTotals({ segments, contents }: Manifest, key: string): AuditProblem[] {
  const problems: AuditProblem[] = [];
  const sum = (of: (segment: Segment) => number): number =>
    segments.reduce((total, segment) => total + of(segment), 0);
  const rows = sum((segment) => segment.rows);
  const bytes = sum((segment) => segment.bytes);
  if (rows !== contents.rows || bytes !== contents.bytes) {
    const problem = `its segments add up to ${rows} rows and ${bytes} bytes, not ${contents.rows} and ${contents.bytes}`;
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
    const found = current.get(key);
    if (found === undefined) {
      problems.push({ key, problem: NOT_CURRENT });
    } else if (found !== versionId) {
      problems.push({ key, problem: `its current version is ${found}, not ${versionId}` });
    }
    current.delete(key);
  }
  for (const key of current.keys()) problems.push({ key, problem: 'the manifest does not name it' });
  return problems;
}

async function checkSegment(
  segment: Segment,
  store: ArchiveStore,
): Promise<{ rows: number; bytes: number; problems: AuditProblem[] }> {
  const key = segment.objects.map((object) => object.key).join(', ') || `segment ${segment.number}`;
  const problems: AuditProblem[] = [];
  const digester = new LineDigester();
  for (const { key: part, versionId, bytes } of segment.objects) {
    const before = digester.position.bytes;
    try {
      for await (const chunk of store.read(part, versionId)) digester.update(chunk);
    } catch (error) {
      if (!(error instanceof ArchiverError) || error.code !== 'ObjectMissing') throw error;
      problems.push({ key: part, problem: `version ${versionId} is gone: ${error.message}` });
      return { ...digester.position, problems };
    }
    const length = digester.position.bytes - before;
    if (length !== bytes) problems.push({ key: part, problem: `it has ${length} bytes, not ${bytes}` });
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
  return { ...digester.position, problems };
}

async function checkDdl({ ddl }: Manifest, store: ArchiveStore): Promise<AuditProblem[]> {
  const digester = new LineDigester();
  try {
    for await (const chunk of store.read(ddl.key, ddl.versionId)) digester.update(chunk);
  } catch (error) {
    if (!(error instanceof ArchiverError) || error.code !== 'ObjectMissing') throw error;
    return [{ key: ddl.key, problem: `version ${ddl.versionId} is gone: ${error.message}` }];
  }
  const { sha256 } = digester.digest();
  return sha256 === ddl.sha256 ? [] : [{ key: ddl.key, problem: `SHA-256 ${sha256}, not ${ddl.sha256}` }];
}

/** That many of the segments, each as likely as any other, in their order. */
function choose(segments: readonly Segment[], sample: AuditSample): readonly Segment[] {
  if (sample === 'all' || sample.segments >= segments.length) return segments;
  const rest = [...segments.keys()];
  const chosen = new Set<number>();
  while (chosen.size < sample.segments) {
    const [index] = rest.splice(Math.floor(sample.random() * rest.length), 1);
    if (index !== undefined) chosen.add(index);
  }
  return segments.filter((_, index) => chosen.has(index));
}
