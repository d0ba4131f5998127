import { readManifest, type ArchiveStore } from '../archive-store.ts';
import { archiveProblems, bytesOf, checkSegments, chooseSegments, type AuditProblem } from './check.ts';
import type { Expiry } from '../config/runtime.ts';
import { expiresAt } from '../expiry.ts';
import type { Manifest } from '../manifest.ts';
import type { Clock, Log } from '../ports.ts';

/** Segments that one call reads, from `from` up to and without `to`, by their place in the manifest. */
export interface SegmentRange {
  readonly from: number;
  readonly to: number;
}

/** An archive that was begun to be audited: what was found without reading data, and what is to be read. */
export interface AuditBegun {
  readonly manifestKey: string;
  readonly versionId: string;
  readonly segments: number;
  /** Past the configured expiry: its objects may be gone, which is no reason for an alarm. */
  readonly expired: boolean;
  readonly ranges: readonly SegmentRange[];
  readonly problems: readonly string[];
}

/** What came out of reading some segments; short, since one archive may have thousands of such calls. */
export interface RangeChecked {
  readonly read: number;
  readonly cold: number;
  readonly bytes: number;
  readonly problems: number;
  /** The first of them; all are in the log. */
  readonly first?: string;
}

/** Or the name of the error that no verdict came of; the log has the rest. */
export type RangeVerdict = RangeChecked | { readonly failed: string };

/**
 * Bytes that one call reads: at 20 MB/s, which the smallest Lambda manages, less than seven minutes. A single segment
 * is never split; exports are bounded so that the largest stays below this.
 */
const BYTES_AT_ONCE = 8e9;
/** Small segments cost a request each. */
const SEGMENTS_AT_ONCE = 500;
/** What travels of one problem, and how many of them. */
const LONGEST_PROBLEM = 160;
/** The same of a range: a thousand of them, the most that a sample has, or 10 TB in order, travel together. */
const LONGEST_OF_RANGE = 80;
const MOST_PROBLEMS = 5;

interface Ports {
  readonly store: ArchiveStore;
  readonly log: Log;
}

/** Looks at everything of an archive but its data, and says which calls read that. */
export async function beginAudit(
  { manifestKey, segments }: { readonly manifestKey: string; readonly segments: number | null },
  expiry: Expiry | undefined,
  { store, log, random, clock }: Ports & { readonly random: () => number; readonly clock: Clock },
): Promise<AuditBegun> {
  const stored = await readManifest(store, manifestKey);
  const { manifest, object } = stored;
  const archive = { manifestKey, versionId: object.versionId, segments: manifest.segments.length };
  if (expiry !== undefined && clock.now().getTime() >= expiresAt(manifest, expiry)) {
    return { ...archive, expired: true, ranges: [], problems: [] };
  }
  const chosen = chooseSegments(manifest, segments === null ? 'all' : { segments, random });
  log.info('audit begin', { manifest: manifestKey, segments: chosen.length, bytes: bytesOf(chosen) });
  const found = await archiveProblems(stored, store);
  logProblems(found, log);
  return {
    ...archive,
    expired: false,
    ranges: rangesOf(manifest, new Set(chosen)),
    problems: found.slice(0, MOST_PROBLEMS).map(problemText),
  };
}

/** Reads some segments of an archive back. */
export async function auditRange(
  {
    manifestKey,
    versionId,
    range: { from, to },
  }: Pick<AuditBegun, 'manifestKey' | 'versionId'> & { readonly range: SegmentRange },
  { store, log }: Ports,
): Promise<RangeChecked> {
  const { manifest } = await readManifest(store, manifestKey, versionId);
  const checked = await checkSegments(manifest.segments.slice(from, to), store, log);
  const found = checked.flatMap(({ problems }) => problems);
  logProblems(found, log);
  const [first] = found;
  return {
    read: checked.filter(({ cold }) => !cold).length,
    cold: checked.filter(({ cold }) => cold).length,
    bytes: checked.reduce((sum, { bytes }) => sum + bytes, 0),
    problems: found.length,
    ...(first && { first: problemText(first).slice(0, LONGEST_OF_RANGE) }),
  };
}

/** Neighbours together, as many as one call has time for. */
function rangesOf({ segments }: Manifest, chosen: ReadonlySet<Manifest['segments'][number]>): SegmentRange[] {
  const ranges: { from: number; to: number; bytes: number }[] = [];
  for (const [index, segment] of segments.entries()) {
    if (!chosen.has(segment)) continue;
    const last = ranges.at(-1);
    const fits =
      last?.to === index &&
      last.bytes + segment.bytes <= BYTES_AT_ONCE &&
      index - last.from < SEGMENTS_AT_ONCE;
    if (fits) {
      last.to = index + 1;
      last.bytes += segment.bytes;
    } else {
      ranges.push({ from: index, to: index + 1, bytes: segment.bytes });
    }
  }
  return ranges.map(({ from, to }) => ({ from, to }));
}

function logProblems(problems: readonly AuditProblem[], log: Log): void {
  for (const { key, problem } of problems) log.warn('damaged', { key, problem });
}

/** The last part of a key tells the object; the manifest's key, which stands beside it, has the rest. */
const problemText = ({ key, problem }: AuditProblem): string =>
  `${key.split('/').slice(-2).join('/')}: ${problem}`.slice(0, LONGEST_PROBLEM);
