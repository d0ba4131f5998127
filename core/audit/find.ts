import { readManifest, type ArchiveStore, type StoredManifest } from '../archive-store.ts';
import { mapAtOnce } from '../concurrency.ts';
import { parseBound } from '../bounds.ts';
import { ArchiverError, type ErrorCode } from '../errors.ts';
import { manifestKeys, type ArchiveScope } from './manifest-keys.ts';
import { overlapsIn, placeOf, tableOf, type Placed } from './overlaps.ts';
import type { Manifest } from '../manifest.ts';

/** Which archives are looked for. Whatever is left out is not narrowed. */
export interface ArchiveQuery extends ArchiveScope {
  /**
   * Archives with a part at or after this: a date or time (`2021`, `2021-01-31`, `2021-01-31T06:00Z`; UTC where no
   * offset is given), or a number for a set that is partitioned by one.
   */
  readonly from?: string;
  /** Archives with a part before this. */
  readonly to?: string;
}

/** An archive that exists, by its manifest. */
export interface FoundArchive {
  readonly manifestKey: string;
  readonly versionId: string;
  readonly archiveId: string;
  readonly database: string;
  /** Which server it comes from: two may have databases of one name, and a major upgrade makes another of it. */
  readonly systemIdentifier: string;
  readonly parent: { readonly schema: string; readonly table: string };
  readonly partition: { readonly schema: string; readonly table: string };
  readonly period: string;
  readonly lowerBound: string;
  readonly upperBound: string;
  readonly rows: number;
  readonly bytes: number;
  readonly archivedAt: string;
}

/** What `find` returns. */
export interface FindResult {
  /** By database, parent and lower bound; of several archives of one period the latest comes last. */
  readonly archives: readonly FoundArchive[];
  /** Archives of one table whose bounds overlap: in groups. Their rows may be the same ones. */
  readonly overlapping: readonly (readonly FoundArchive[])[];
  /** Manifests that cannot be read or are not to be trusted, and why. */
  readonly unreadable: readonly { readonly manifestKey: string; readonly problem: string }[];
}

/** Requests to S3 at the same time. */
const AT_ONCE = 16;

/** Not of one manifest, but of the bucket or of who reads it. */
const REFUSALS: readonly ErrorCode[] = ['ObjectStoreDenied', 'InvalidConfiguration'];

/**
 * Finds the archives of a table and a range, from the manifests in the bucket alone. What has no manifest is no archive
 * and does not appear.
 */
export async function find(
  query: ArchiveQuery,
  { store }: { readonly store: ArchiveStore },
): Promise<FindResult> {
  const { archives, unreadable } = await collect(query, store, (archive) => archive);
  archives.sort(inOrder);
  unreadable.sort((a, b) => (a.manifestKey < b.manifestKey ? -1 : 1));
  const found = ({ place: _, ...archive }: Placed<FoundArchive>): FoundArchive => archive;
  const overlapping = overlapsIn(archives).map((group) => group.map(found));
  return { archives: archives.map(found), overlapping, unreadable };
}

/** What `find` is made of, in no order; `take` says what of each archive is held in memory. */
export async function collect<T>(
  query: ArchiveQuery,
  store: ArchiveStore,
  take: (archive: Placed<FoundArchive>, stored: StoredManifest) => T,
): Promise<{ readonly archives: T[]; readonly unreadable: { manifestKey: string; problem: string }[] }> {
  checkRange(query);
  const archives: T[] = [];
  const unreadable: { manifestKey: string; problem: string }[] = [];
  await mapAtOnce(await Array.fromAsync(manifestKeys(query, store)), AT_ONCE, async (manifestKey) => {
    try {
      const stored = await readManifest(store, manifestKey);
      const { manifest, object } = stored;
      if (!isWithin(manifest, query)) return;
      const archive = describe(manifest, manifestKey, object.versionId);
      archives.push(take({ ...archive, place: placeOf(manifest) }, stored));
    } catch (error) {
      if (!(error instanceof ArchiverError) || error.retryable || REFUSALS.includes(error.code)) throw error;
      unreadable.push({ manifestKey, problem: error.message });
    }
  });
  return { archives, unreadable };
}

/** Throws `InvalidInput` unless both ends of a range are such. */
export function checkRange(query: ArchiveQuery): void {
  const problems = rangeProblems(query);
  if (problems.length > 0) throw new ArchiverError('InvalidInput', problems.join('; '));
}

/** What is wrong with a range. */
function rangeProblems({ from, to }: Pick<ArchiveQuery, 'from' | 'to'>): string[] {
  const problems = Object.entries({ from, to }).flatMap(([name, text]) =>
    text === undefined || isRangeBound(text) ? [] : [`${name}: ${JSON.stringify(text)} ${RANGE_BOUND}`],
  );
  return problems.length === 0 && from !== undefined && to !== undefined && isReversed(from, to)
    ? [`from: ${JSON.stringify(from)} must not be after to: ${JSON.stringify(to)}`]
    : problems;
}

/** Whether a range ends before it begins, as times and as numbers: which of them they are, only an archive tells. */
function isReversed(from: string, to: string): boolean {
  const compared = (['time', 'id'] as const).flatMap((kind) => {
    const [start, end] = [from, to].map((text) => parseBound(kind, asDate(text, kind)));
    return start === undefined || start === null || end === undefined || end === null ? [] : [start > end];
  });
  return compared.length > 0 && compared.every(Boolean);
}

/** What an end of a range has to be, for a message. */
export const RANGE_BOUND = 'must be a date or time such as 2021-01-31, or a number';

/** Whether a text is an end of a range: a date or time, or a number. */
export function isRangeBound(text: string): boolean {
  return parseBound('time', text) !== null || parseBound('id', text) !== null;
}

/** Whether an archive has a part in the range. What cannot be compared is not left out. */
export function isWithin({ partition }: Manifest, { from, to }: ArchiveQuery): boolean {
  const { controlKind } = partition;
  const lower = parseBound(controlKind, partition.lowerBound);
  const upper = parseBound(controlKind, partition.upperBound);
  const start = from === undefined ? null : parseBound(controlKind, asDate(from, controlKind));
  const end = to === undefined ? null : parseBound(controlKind, asDate(to, controlKind));
  if (start !== null && upper !== null && upper <= start) return false;
  return !(end !== null && lower !== null && lower >= end);
}

/** A month or a day as the keys write it (`202101`, `20210131`) is one here, too; a number of so few digits is no epoch. */
function asDate(text: string, kind: 'time' | 'id'): string {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})?$/.exec(text) ?? [];
  if (kind === 'id' || year === undefined || month === undefined) return text;
  return day === undefined ? `${year}-${month}` : `${year}-${month}-${day}`;
}

function describe(manifest: Manifest, manifestKey: string, versionId: string): FoundArchive {
  const { partition, contents } = manifest;
  return {
    manifestKey,
    versionId,
    archiveId: manifest.archiveId,
    database: manifest.source.database,
    systemIdentifier: manifest.source.systemIdentifier,
    parent: { schema: partition.parentSchema, table: partition.parentName },
    partition: { schema: partition.schema, table: partition.name },
    period: partition.period,
    lowerBound: partition.lowerBound,
    upperBound: partition.upperBound,
    rows: contents.rows,
    bytes: contents.bytes,
    archivedAt: manifest.times.committedAt,
  };
}

/** By database and parent, then by place; of archives of one place, the latest comes last. */
export function inOrder(a: Placed<FoundArchive>, b: Placed<FoundArchive>): number {
  if (tableOf(a) !== tableOf(b)) return tableOf(a) < tableOf(b) ? -1 : 1;
  if (a.place.lower < b.place.lower) return -1;
  if (a.place.lower > b.place.lower) return 1;
  // What cannot be compared lies together by its text, so that its like is found.
  if (a.place.lower === Number.NEGATIVE_INFINITY && a.lowerBound !== b.lowerBound)
    return a.lowerBound < b.lowerBound ? -1 : 1;
  return a.archivedAt < b.archivedAt ? -1 : 1;
}
