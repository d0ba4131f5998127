import { counted } from '../counted.ts';
import { readManifest, type ArchiveStore, type StoredManifest } from '../archive-store.ts';
import { find, type FoundArchive } from '../audit/find.ts';
import { mapAtOnce } from '../concurrency.ts';
import { ArchiverError } from '../errors.ts';
import { displayName } from '../partition.ts';
import { foldAscii } from './column-names.ts';

/** Which archives are read. */
export interface ArchiveChoice {
  /** Only archives of this database, these sets or this range of time. */
  readonly database?: string;
  readonly sets?: readonly { readonly schema: string; readonly table: string }[];
  readonly from?: string;
  readonly to?: string;
  /** Of several archives of one period takes the one that was archived last. */
  readonly latest: boolean;
}

/** A partition set that has archives. */
export interface SetName {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
}

/** A name that is read; without a schema, the table of any. */
type Use = Pick<SetName, 'schema' | 'table'>;

/** Manifests read at the same time. */
export const MANIFESTS_AT_ONCE = 16;
/** Archives without a copy that a message names. */
const NAMED = 10;

/** Whether a name means this set. Case does not count, as in the engines. */
export const isUseOf = ({ schema, table }: Use, set: SetName): boolean =>
  foldAscii(table) === foldAscii(set.table) && (schema === '' || foldAscii(schema) === foldAscii(set.schema));

/** The partition sets that are read, as far as the bucket has archives of them. */
export async function setsOf(
  { database, sets }: ArchiveChoice,
  uses: readonly Use[],
  store: ArchiveStore,
): Promise<SetName[]> {
  const found: SetName[] = [];
  for (const { name, prefix } of await foldersOf('', database, store)) {
    for (const schema of await foldersOf(prefix, undefined, store)) {
      for (const table of await foldersOf(schema.prefix, undefined, store)) {
        const set = { database: name, schema: schema.name, table: table.name };
        const isAsked =
          sets === undefined || sets.some((each) => each.schema === set.schema && each.table === set.table);
        if (isAsked && uses.some((use) => isUseOf(use, set))) found.push(set);
      }
    }
  }
  for (const set of found) {
    const alike = found.filter((other) => isUseOf(other, set));
    if (alike.length > 1) {
      const names = alike
        .map((each) => `${each.database}: ${displayName(each.schema, each.table)}`)
        .join('; ');
      throw new ArchiverError('InvalidInput', `${names} are one name here; narrow it by --database or --set`);
    }
  }
  return found;
}

async function foldersOf(
  prefix: string,
  only: string | undefined,
  store: ArchiveStore,
): Promise<{ readonly name: string; readonly prefix: string }[]> {
  const folders = await store.folders(prefix);
  return folders
    .map((folder) => ({ name: nameOf(folder), prefix: `${prefix}${folder}/` }))
    .filter(({ name }) => only === undefined || name === only);
}

/** The name that a part of a key stands for. */
const nameOf = (part: string): string =>
  Buffer.from(
    part.replaceAll(/!([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');

/**
 * The archives of a set that `needed` takes of all, the oldest first; `left` is how many others there are, and `last` the latest of
 * all. Throws `ManifestInvalid` for a manifest that cannot be read, and `ArchivesOverlap` for two archives of a period, unless the
 * latest is to be taken.
 */
export async function chosenArchives(
  { database, schema, table }: SetName,
  { from, to, latest }: ArchiveChoice,
  needed: (manifests: readonly StoredManifest[]) => readonly StoredManifest[],
  store: ArchiveStore,
): Promise<{
  readonly chosen: StoredManifest[];
  readonly left: number;
  readonly last: StoredManifest | undefined;
}> {
  const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const { archives, overlapping, unreadable } = await find({ database, schema, table, ...range }, { store });
  const [broken] = unreadable;
  if (broken !== undefined) {
    throw new ArchiverError('ManifestInvalid', `${broken.manifestKey}: ${broken.problem}`);
  }
  const manifests = await mapAtOnce(archives, MANIFESTS_AT_ONCE, ({ manifestKey, versionId }) =>
    readManifest(store, manifestKey, versionId),
  );
  const wanted = needed(manifests);
  const ids = new Set(wanted.map(({ manifest }) => manifest.archiveId));
  const doubled = overlapping.map((group) => group.filter(({ archiveId }) => ids.has(archiveId)));
  for (const group of doubled) if (group.length > 1) dropOlder(group, latest, ids);
  const chosen = wanted.filter(({ manifest }) => ids.has(manifest.archiveId));
  return { chosen, left: manifests.length - wanted.length, last: manifests.at(-1) };
}

/** Leaves the latest of several archives of the same period, or refuses. */
function dropOlder(group: readonly FoundArchive[], latest: boolean, ids: Set<string>): void {
  const [first] = group;
  const sameBounds = group.every(
    ({ lowerBound, upperBound }) => lowerBound === first?.lowerBound && upperBound === first.upperBound,
  );
  if (!latest || !sameBounds) {
    const keys = group.map(({ manifestKey }) => manifestKey).join(', ');
    throw new ArchiverError('ArchivesOverlap', `more than one archive of a period: ${keys}`);
  }
  for (const { archiveId } of group.slice(0, -1)) ids.delete(archiveId);
}

/** CPU of writing and proving, measured: see docs/query.md. */
const CPU_SECONDS_PER_GB = 25;

/** Archives that have no copy, and what it takes. */
export function copiesMissing(archives: readonly StoredManifest[]): ArchiverError {
  const bytes = archives.reduce((sum, { manifest }) => sum + manifest.contents.bytes, 0);
  const keys = archives.slice(0, NAMED).map(({ object }) => object.key);
  const more = archives.length > NAMED ? ` and ${archives.length - NAMED} more` : '';
  const cost = `converting them reads ${(bytes / 1e9).toFixed(2)} GB of text out of S3 and takes about ${counted(Math.ceil((bytes / 1e9) * CPU_SECONDS_PER_GB), 'second')} of one processor`;
  return new ArchiverError(
    'CopyMissing',
    `no Parquet copy of ${counted(archives.length, 'archive')}: ${keys.join(', ')}${more}; ${cost}`,
  );
}
