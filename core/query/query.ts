import { counted } from '../counted.ts';
import { readManifest, type ArchiveStore, type StoredManifest } from '../archive-store.ts';
import { mapAtOnce } from '../concurrency.ts';
import { ArchiverError } from '../errors.ts';
import { find, type FoundArchive } from '../audit/find.ts';
import type { Log, ObjectVersion } from '../ports.ts';
import { displayName } from '../partition.ts';
import { latestCopy, type StoredCopy } from './copy-manifest.ts';
import { mapColumns } from './parquet-map.ts';
import { mayNeed } from './periods.ts';
import { sourceColumns } from './source-columns.ts';
import { tableUses, type TableUse } from './sql-tree.ts';
import { viewOf, type LocalCopy, type QueriedSet } from './views.ts';

/** What is asked. */
export interface QueryRequest {
  readonly sql: string;
  /** Only archives of this database, this set or this range of time. */
  readonly database?: string;
  readonly sets?: readonly { readonly schema: string; readonly table: string }[];
  readonly from?: string;
  readonly to?: string;
  /** Of several archives of one period takes the one that was archived last. */
  readonly latest: boolean;
}

/** The engine, as the query needs it. */
export interface QueryEngine {
  /** The tree of one statement that only reads. `QueryRefused` for any other. */
  parse(sql: string): Promise<unknown>;
  /** Makes views, and from then on lets nothing be read but the files of copies. */
  prepare(statements: readonly string[], searchPath: readonly string[]): Promise<void>;
}

/** The files of copies on this machine. */
export interface CopyCache {
  /** Fetches what is not there yet; returns where each object is. */
  fetch(
    objects: readonly (ObjectVersion & { readonly sha256: string })[],
    progress: (fetchedBytes: number, ofBytes: number) => void,
  ): Promise<readonly string[]>;
}

/** What a query is wired to. */
export interface QueryPorts {
  readonly store: ArchiveStore;
  readonly cache: CopyCache;
  readonly engine: QueryEngine;
  readonly log: Log;
}

/** What was made ready for a query. */
export interface PreparedQuery {
  readonly archives: number;
  /** Archives of the sets that the statement cannot need. */
  readonly pruned: number;
  readonly bytes: number;
}

type SetName = Pick<QueriedSet, 'schema' | 'table'> & { readonly database: string };

/** Manifests read at the same time. */
const AT_ONCE = 16;
/** Archives without a copy that a message names. */
const NAMED = 10;

/**
 * Makes an engine ready for a statement: finds the partition sets that it reads, the archives of the periods that it may
 * need, and their latest copies; fetches those, and makes one view for each set.
 */
export async function prepareQuery(request: QueryRequest, ports: QueryPorts): Promise<PreparedQuery> {
  const { store, cache, engine, log } = ports;
  const uses = tableUses(await engine.parse(request.sql));
  const sets = await setsOf(request, uses, store);
  const queried: QueriedSet[] = [];
  const missing: StoredManifest[] = [];
  const total = { archives: 0, pruned: 0, bytes: 0 };
  for (const set of sets) {
    const ofSet = uses.filter((use) => isUseOf(use, set));
    const { needed, pruned, last } = await neededArchives(set, request, ofSet, store);
    const copies = await mapAtOnce(needed, AT_ONCE, async (stored) => ({
      stored,
      copy: await latestCopy(stored, store),
    }));
    missing.push(...copies.filter(({ copy }) => copy === null).map(({ stored }) => stored));
    if (missing.length > 0) continue;
    const found = copies.flatMap(({ copy }) => (copy === null ? [] : [copy]));
    const local = await fetchCopies(found, cache, log);
    queried.push({
      schema: set.schema,
      table: set.table,
      copies: local.length > 0 ? local : columnsOf(last),
    });
    total.archives += found.length;
    total.pruned += pruned;
    total.bytes += found.reduce((sum, { manifest }) => sum + manifest.contents.bytes, 0);
  }
  if (missing.length > 0) throw copiesMissing(missing);
  const schemas = [...new Set(queried.map(({ schema }) => schema))];
  await engine.prepare(queried.map(viewOf), schemas);
  return total;
}

const isUseOf = ({ schema, table }: TableUse, set: SetName): boolean =>
  table.toLowerCase() === set.table.toLowerCase() &&
  (schema === '' || schema.toLowerCase() === set.schema.toLowerCase());

/** The partition sets that a statement reads, as far as the bucket has archives of them. */
async function setsOf(
  { database, sets, sql }: QueryRequest,
  uses: readonly TableUse[],
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
    const alike = found.filter(
      (other) =>
        other.schema.toLowerCase() === set.schema.toLowerCase() &&
        other.table.toLowerCase() === set.table.toLowerCase(),
    );
    if (alike.length > 1) {
      const names = alike
        .map((each) => `${each.database}: ${displayName(each.schema, each.table)}`)
        .join('; ');
      throw new ArchiverError('InvalidInput', `${names} are one name here; narrow it by --database or --set`);
    }
  }
  if (found.length === 0 && uses.length > 0) {
    const names = [
      ...new Set(uses.map(({ schema, table }) => (schema === '' ? table : `${schema}.${table}`))),
    ];
    throw new ArchiverError(
      'InvalidInput',
      `there is no archive of ${names.join(', ')}, which ${JSON.stringify(sql.slice(0, 60))} reads`,
    );
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

/** The archives of a set that a statement may need, the oldest first. */
async function neededArchives(
  { database, schema, table }: SetName,
  { from, to, latest }: QueryRequest,
  uses: readonly TableUse[],
  store: ArchiveStore,
): Promise<{
  readonly needed: StoredManifest[];
  readonly pruned: number;
  readonly last: StoredManifest | undefined;
}> {
  const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const { archives, overlapping, unreadable } = await find({ database, schema, table, ...range }, { store });
  const [broken] = unreadable;
  if (broken !== undefined) {
    throw new ArchiverError('ManifestInvalid', `${broken.manifestKey}: ${broken.problem}`);
  }
  const manifests = await mapAtOnce(archives, AT_ONCE, ({ manifestKey, versionId }) =>
    readManifest(store, manifestKey, versionId),
  );
  const needed = manifests.filter(({ manifest }) => mayNeed(uses, manifest.partition));
  const ids = new Set(needed.map(({ manifest }) => manifest.archiveId));
  const doubled = overlapping.map((group) => group.filter(({ archiveId }) => ids.has(archiveId)));
  for (const group of doubled) if (group.length > 1) dropOlder(group, latest, ids);
  const kept = needed.filter(({ manifest }) => ids.has(manifest.archiveId));
  return { needed: kept, pruned: manifests.length - needed.length, last: manifests.at(-1) };
}

/** The columns of a set of which a statement needs no row. */
function columnsOf(last: StoredManifest | undefined): LocalCopy[] {
  const columns = last === undefined ? [] : mapColumns(sourceColumns(last.manifest));
  return [{ manifest: { columns: columns.map((column) => ({ ...column })), shape: '' }, files: [] }];
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

async function fetchCopies(copies: readonly StoredCopy[], cache: CopyCache, log: Log): Promise<LocalCopy[]> {
  const objects = copies.flatMap(({ manifest }) => manifest.objects);
  const paths = await cache.fetch(objects, (bytes, ofBytes) => log.info('fetch', { bytes, ofBytes }));
  const pathOf = new Map(objects.map(({ key }, index) => [key, paths[index] ?? '']));
  return copies.map(({ manifest }) => ({
    manifest,
    files: manifest.objects.map(({ key }) => pathOf.get(key) ?? ''),
  }));
}

/** CPU of writing and proving, measured: see docs/query.md. */
const CPU_SECONDS_PER_GB = 25;

function copiesMissing(archives: readonly StoredManifest[]): ArchiverError {
  const bytes = archives.reduce((sum, { manifest }) => sum + manifest.contents.bytes, 0);
  const keys = archives.slice(0, NAMED).map(({ object }) => object.key);
  const more = archives.length > NAMED ? ` and ${archives.length - NAMED} more` : '';
  const cost = `converting them reads ${(bytes / 1e9).toFixed(2)} GB of text out of S3 and takes about ${counted(Math.ceil((bytes / 1e9) * CPU_SECONDS_PER_GB), 'second')} of one processor`;
  return new ArchiverError(
    'CopyMissing',
    `no Parquet copy of ${counted(archives.length, 'archive')}: ${keys.join(', ')}${more}; ${cost}`,
  );
}
