import { counted } from '../counted.ts';
import type { ArchiveStore, StoredManifest } from '../archive-store.ts';
import { collect, inOrder, type FoundArchive } from '../audit/find.ts';
import { mapAtOnce } from '../concurrency.ts';
import { ArchiverError } from '../errors.ts';
import { displayName } from '../partition.ts';
import { archivedSets, noArchiveOf, type SetName } from '../audit/known-sets.ts';
import { overlapsIn } from '../audit/overlaps.ts';
import { foldAscii } from './column-names.ts';

/** Which archives are read. */
export interface ArchiveChoice {
  /** Only archives of this database, these sets or this range of time. */
  readonly database?: string;
  /** Names that the database had before: their archives are those of the sets of the same name. */
  readonly formerNames?: readonly string[];
  readonly sets?: readonly { readonly schema: string; readonly table: string }[];
  readonly from?: string;
  readonly to?: string;
  /** Of several archives of one period takes the one that was archived last. */
  readonly latest: boolean;
}

/** A set that is read, whose archives may lie under several names of its database. */
export interface ChosenSet extends Omit<SetName, 'database'> {
  readonly databases: readonly string[];
}

/** A name that is read; without a schema, the table of any. */
type Use = Pick<SetName, 'schema' | 'table'>;

/** Manifests read at the same time. */
export const MANIFESTS_AT_ONCE = 16;
/** Archives without a copy that a message names. */
const NAMED = 10;

/** Whether a name means this set. Case does not count, as in the engines. */
export const isUseOf = ({ schema, table }: Use, set: Use): boolean =>
  foldAscii(table) === foldAscii(set.table) && (schema === '' || foldAscii(schema) === foldAscii(set.schema));

/**
 * The partition sets that are read, as far as the bucket has archives of them. Throws `InvalidInput` for a name of a database
 * that has none, whose archives would be missing from the result, and where one name means several sets.
 */
export async function setsOf(
  { database, formerNames = [], sets }: ArchiveChoice,
  uses: readonly Use[],
  store: ArchiveStore,
): Promise<ChosenSet[]> {
  const all =
    database === undefined
      ? await archivedSets({}, store)
      : (
          await mapAtOnce([database, ...formerNames], MANIFESTS_AT_ONCE, (name) =>
            archivedSets({ database: name }, store),
          )
        ).flat();
  const names = [...(database === undefined ? [] : [database]), ...formerNames];
  const wrong = names.find((name) => all.every((set) => set.database !== name));
  if (wrong !== undefined)
    throw new ArchiverError('InvalidInput', await noArchiveOf({ database: wrong }, store));
  const asked = all.filter(
    (set) =>
      (sets?.some(({ schema, table }) => schema === set.schema && table === set.table) ?? true) &&
      uses.some((use) => isUseOf(use, set)),
  );
  const found = [
    ...Map.groupBy(asked, ({ schema, table }) => JSON.stringify([schema, table])).values(),
  ].flatMap((alike) => joined(alike, formerNames));
  requireOneMeaning(found, found);
  return found;
}

/** Throws `InvalidInput` where one of the names means several of the sets. */
export function requireOneMeaning(names: readonly Use[], sets: readonly ChosenSet[]): void {
  for (const name of names) {
    const alike = sets.filter((set) => isUseOf(name, set));
    if (alike.length > 1) {
      const named = alike
        .map((each) => `${each.databases.join(', ')}: ${displayName(each.schema, each.table)}`)
        .join('; ');
      throw new ArchiverError(
        'InvalidInput',
        `${named} are one name here; write the schema before the table, narrow it by --database or --set, or name a database's former name by --former-name`,
      );
    }
  }
}

/** Sets of one name: those under former names belong to the one under another. */
function joined(alike: readonly SetName[], formerNames: readonly string[]): ChosenSet[] {
  const isFormer = ({ database }: SetName): boolean => formerNames.includes(database);
  const current = alike.filter((set) => !isFormer(set));
  const former = alike.filter(isFormer).map(({ database }) => database);
  const [first, ...others] = current.length === 0 ? alike.slice(0, 1) : current;
  return first === undefined
    ? []
    : [
        { ...first, databases: [...new Set([first.database, ...former])] },
        ...others.map((set) => ({ ...set, databases: [set.database] })),
      ];
}

/**
 * The archives of a set, the oldest first, and those of them that `needed` takes. Throws `ManifestInvalid` for a manifest that
 * cannot be read, and `ArchivesOverlap` for two archives of a period, unless the latest is to be taken.
 */
export async function chosenArchives(
  { databases, schema, table }: ChosenSet,
  { from, to, latest }: ArchiveChoice,
  needed: (manifests: readonly StoredManifest[]) => readonly StoredManifest[],
  store: ArchiveStore,
): Promise<{
  readonly archives: readonly StoredManifest[];
  readonly chosen: readonly StoredManifest[];
}> {
  const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  // By any name it is one database.
  const one = databases.join('/');
  const found = await mapAtOnce(databases, MANIFESTS_AT_ONCE, (database) =>
    collect({ database, schema, table, ...range }, store, (archive, stored) => ({
      ...archive,
      database: one,
      stored,
    })),
  );
  const [broken] = found.flatMap(({ unreadable }) => unreadable);
  if (broken !== undefined) {
    throw new ArchiverError('ManifestInvalid', `${broken.manifestKey}: ${broken.problem}`);
  }
  const archives = found.flatMap((each) => each.archives).sort(inOrder);
  const overlapping = overlapsIn(archives);
  const manifests = archives.map(({ stored }) => stored);
  const wanted = needed(manifests);
  const ids = new Set(wanted.map(({ manifest }) => manifest.archiveId));
  const doubled = overlapping.map((group) => group.filter(({ archiveId }) => ids.has(archiveId)));
  for (const group of doubled) if (group.length > 1) dropOlder(group, latest, ids);
  const chosen = wanted.filter(({ manifest }) => ids.has(manifest.archiveId));
  return { archives: manifests, chosen };
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
