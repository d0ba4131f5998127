import type { ArchiveStore, StoredManifest } from '../archive-store.ts';
import { archivedSets, whatThereIs, type SetName } from '../audit/known-sets.ts';
import { mapAtOnce } from '../concurrency.ts';
import { ArchiverError } from '../errors.ts';
import { displayName } from '../partition.ts';
import type { Log, ObjectVersion } from '../ports.ts';
import {
  chosenArchives,
  copiesMissing,
  isUseOf,
  MANIFESTS_AT_ONCE,
  requireOneMeaning,
  setsOf,
  type ArchiveChoice,
  type ChosenSet,
} from './chosen-archives.ts';
import { foldAscii } from './column-names.ts';
import { latestCopy, type StoredCopy } from './copy-manifest.ts';
import { mapColumns } from './parquet-map.ts';
import { neededArchives } from './periods.ts';
import { columnsIn } from './source-columns.ts';
import { commonTables, tableUses, type TableUse } from './sql-tree.ts';
import { viewOf, type LocalCopy, type QueriedSet } from './views.ts';

/** What is asked. */
export interface QueryRequest extends ArchiveChoice {
  readonly sql: string;
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

/**
 * Makes an engine ready for a statement: finds the partition sets that it reads, the archives of the periods that it may
 * need, and their latest copies; fetches those, and makes one view for each set.
 */
export async function prepareQuery(request: QueryRequest, ports: QueryPorts): Promise<PreparedQuery> {
  const { store, cache, engine, log } = ports;
  const tree = await engine.parse(request.sql);
  const uses = tableUses(tree);
  const sets = await setsOf(request, uses, store);
  const given = new Set(commonTables(tree).map(foldAscii));
  const others = uses.filter(({ schema, table }) => schema !== '' || !given.has(foldAscii(table)));
  if (sets.length === 0 && others.length > 0)
    throw nothingRead(others, request.sql, await archivedSets({}, store));
  requireOneMeaning(others, sets);
  const all: SetCopies[] = [];
  for (const set of sets) {
    const ofSet = uses.filter((use) => isUseOf(use, set));
    const { archives, chosen } = await chosenArchives(
      set,
      request,
      (some) => neededArchives(ofSet, some),
      store,
    );
    if (archives.length === 0) {
      throw new ArchiverError(
        'InvalidInput',
        `there is no archive of ${displayName(set.schema, set.table)} in this range`,
      );
    }
    const copies = await mapAtOnce(archives, MANIFESTS_AT_ONCE, async (stored) => ({
      stored,
      copy: await latestCopy(stored, store),
      isNeeded: chosen.includes(stored),
    }));
    all.push({ set, copies });
  }
  const needed = all.flatMap(({ copies }) => copies.filter(({ isNeeded }) => isNeeded));
  const missing = needed.filter(({ copy }) => copy === null);
  if (missing.length > 0) throw copiesMissing(missing.map(({ stored }) => stored));
  const found = needed.flatMap(({ copy }) => copy ?? []);
  // Those of all sets at once: the cache keeps what one call asks for, and may remove any other file.
  const files = await fetchCopies(found, cache, log);
  const queried = all.map(({ set, copies }): QueriedSet => ({
    schema: set.schema,
    table: set.table,
    // Columns and their types are those of all archives: they do not depend on the conditions of a statement.
    copies: copies.map(({ stored, copy }) =>
      copy === null ? columnsOf(stored) : { manifest: copy.manifest, files: files.get(copy) ?? [] },
    ),
  }));
  await engine.prepare(queried.map(viewOf), [...new Set(queried.map(({ schema }) => schema))]);
  return {
    archives: found.length,
    pruned: all.reduce((sum, { copies }) => sum + copies.length, 0) - found.length,
    bytes: found.reduce((sum, { manifest }) => sum + manifest.contents.bytes, 0),
  };
}

/** The archives of a set, each with its latest copy, and whether a statement needs it. */
interface SetCopies {
  readonly set: ChosenSet;
  readonly copies: readonly {
    readonly stored: StoredManifest;
    readonly copy: StoredCopy | null;
    readonly isNeeded: boolean;
  }[];
}

/** The columns of an archive without a copy, of which a statement needs no row. */
function columnsOf({ manifest }: StoredManifest): LocalCopy {
  const columns = mapColumns(columnsIn(manifest)).map((column) => ({ ...column }));
  return { manifest: { columns, shape: '' }, files: [] };
}

/** Fetches copies; returns the files of each. */
async function fetchCopies(
  copies: readonly StoredCopy[],
  cache: CopyCache,
  log: Log,
): Promise<ReadonlyMap<StoredCopy, readonly string[]>> {
  const objects = copies.flatMap(({ manifest }) => manifest.objects);
  const paths = await cache.fetch(objects, (bytes, ofBytes) => log.info('fetch', { bytes, ofBytes }));
  const pathOf = new Map(objects.map(({ key }, index) => [key, paths[index] ?? '']));
  return new Map(copies.map((copy) => [copy, copy.manifest.objects.map(({ key }) => pathOf.get(key) ?? '')]));
}

function nothingRead(uses: readonly TableUse[], sql: string, sets: readonly SetName[]): ArchiverError {
  const names = [...new Set(uses.map(({ schema, table }) => (schema === '' ? table : `${schema}.${table}`)))];
  return new ArchiverError(
    'InvalidInput',
    `there is no archive of ${names.join(', ')}, which ${JSON.stringify(sql.slice(0, 60))} reads; ${whatThereIs(sets)}`,
  );
}
