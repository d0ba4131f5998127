import { readManifest, type ArchiveStore } from '../archive-store.ts';
import { mapAtOnce } from '../concurrency.ts';
import { DAYS_BEFORE_EXPIRY } from '../config/copy-days.ts';
import type { Expiry } from '../config/runtime.ts';
import { ArchiverError } from '../errors.ts';
import { DAY_MS, expiresAt } from '../expiry.ts';
import { copiesPrefix } from '../keys.ts';
import { PAYLOAD_BUDGET, truncate } from '../limits.ts';
import { displayName } from '../partition.ts';
import type { Clock, Log } from '../ports.ts';
import {
  catalogView,
  shapeTableName,
  tableColumns,
  type CatalogView,
  type ShapeTable,
} from './catalog-tables.ts';
import { isBefore, periodIn, positionOf, prefixIn, requireExact } from './catalog-places.ts';
import { latestCopy, locationOf } from './copy-manifest.ts';

/** A table of the catalogue, with what the archiver keeps there. */
export interface StoredTable extends ShapeTable {
  /** Position of the latest archive that was listed in it, so that the view has the columns of the latest. */
  readonly latest: string;
  /** Where all archives of the set lie; engines want one, and read those of the partitions. */
  readonly location: string;
}

/** A partition of a table: one archive. */
export interface StoredPartition {
  readonly period: string;
  readonly archiveId: string;
  readonly location: string;
}

/** A partition that the catalogue shows. */
export interface ListedPartition extends PartitionKey {
  readonly table: string;
}

/** Where a page of partitions ends: in a table, behind what `token` stands for. */
export interface CatalogPlace {
  readonly table: string;
  readonly token: string | null;
}

type PartitionKey = Pick<StoredPartition, 'period' | 'archiveId'>;
type SetName = Pick<ListedArchive, 'schema' | 'table'>;

/** A catalogue that engines look tables up in: one database of AWS Glue. Errors are those of the catalogue of errors. */
export interface Catalog {
  readonly database: string;
  /** Creates the database; `CatalogConflict` where there is one of this name that this archiver did not create. */
  prepare(): Promise<void>;
  /** The tables of a partition set. */
  tables(set: SetName): Promise<readonly StoredTable[]>;
  /** Creates a table, or changes what is kept with it. */
  putTable(set: SetName, table: StoredTable): Promise<void>;
  /** Creates a view, or replaces it where it is another one. */
  putView(view: CatalogView): Promise<void>;
  /** Those of the named partitions that there are. */
  partitions(table: string, keys: readonly PartitionKey[]): Promise<readonly StoredPartition[]>;
  /** A page of all partitions in tables of this archiver, behind `after`; `null` where there are no more. */
  allPartitions(after?: CatalogPlace): Promise<{
    readonly partitions: readonly ListedPartition[];
    readonly after: CatalogPlace | null;
  }>;
  /** Adds partitions, all of them; `CatalogFailed` names one that could not be added. */
  addPartitions(table: ShapeTable, partitions: readonly StoredPartition[]): Promise<void>;
  /** Takes partitions out, all of them. One that is not there is no error. */
  removePartitions(table: string, keys: readonly PartitionKey[]): Promise<void>;
}

/** An archive whose rows are not in the database, as the ledger says. */
export interface ListedArchive {
  readonly archiveId: string;
  readonly schema: string;
  readonly table: string;
  readonly manifestKey: string;
  readonly versionId: string;
  /** Whether the catalogue may show it. */
  readonly wanted: boolean;
  /** It may not, since its range is that of an earlier archive. */
  readonly overlaps: boolean;
}

/** What was listed so far, page after page. */
export interface ListProgress {
  readonly listed: number;
  readonly withdrawn: number;
  readonly failed: number;
  readonly problems: readonly string[];
}

/** What became of a page of archives. */
export interface ListedPage {
  readonly progress: ListProgress;
  /** The archives of the sets that the catalogue shows as it should. */
  readonly shown: readonly ListedArchive[];
}

export const NOTHING_LISTED: ListProgress = { listed: 0, withdrawn: 0, failed: 0, problems: [] };

interface Ports {
  readonly catalog: Catalog;
  readonly store: ArchiveStore;
  readonly expiry: Expiry | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** A call that has begun is answered, or given up, within this time. */
const LONGEST_CALL_MS = 120_000;
const AT_ONCE = 16;

/** An archive that is to be found, and where. */
interface Wanted extends StoredPartition {
  readonly table: ShapeTable;
  /** Where its range lies in the set. */
  readonly position: string;
}

/**
 * Makes the catalogue show exactly those archives of a page that are wanted, each by its latest copy: takes out first, and
 * only then adds, so that no row is found twice. Run again, it ends the same. An error of one set does not stop the others; one
 * that may pass is thrown after them.
 *
 * @param until when the ledger no longer counts on a call being under way: nothing is added after that
 */
export async function listArchives(
  {
    archives,
    until,
    progress,
  }: {
    readonly archives: readonly ListedArchive[];
    readonly until: string;
    readonly progress: ListProgress;
  },
  ports: Ports,
): Promise<ListedPage> {
  await ports.catalog.prepare();
  let total = progress;
  const shown: ListedArchive[] = [];
  const passing: ArchiverError[] = [];
  const sets = Map.groupBy(archives, ({ schema, table }) => JSON.stringify([schema, table]));
  for (const ofSet of sets.values()) {
    const [{ schema, table } = { schema: '', table: '' }] = ofSet;
    const set = { schema, table };
    try {
      total = await listSet(set, ofSet, Date.parse(until), total, ports);
      shown.push(...ofSet);
    } catch (error) {
      if (!(error instanceof ArchiverError)) throw error;
      // What may pass is tried again with all of the page, once the other sets are listed.
      if (error.retryable) passing.push(error);
      ports.log.warn('set not listed', { ...set, error: error.code, message: error.message });
      const problem = `${displayName(set.schema, set.table)}: ${error.code}, ${error.message}`;
      total = {
        ...total,
        failed: total.failed + ofSet.length,
        problems: truncate([...total.problems, problem], PAYLOAD_BUDGET.problems),
      };
    }
  }
  const [first] = passing;
  if (first !== undefined) throw first;
  return { progress: total, shown };
}

async function listSet(
  set: SetName,
  archives: readonly ListedArchive[],
  until: number,
  progress: ListProgress,
  ports: Ports,
): Promise<ListProgress> {
  const { catalog, clock, log } = ports;
  const problems: string[] = [];
  const wanted = new Map<string, Wanted>();
  const keys: PartitionKey[] = [];
  await mapAtOnce(archives, AT_ONCE, async (archive) => {
    keys.push({ archiveId: archive.archiveId, period: periodIn(archive.manifestKey) });
    try {
      if (archive.overlaps)
        throw new ArchiverError('ArchivesOverlap', 'its range is that of an earlier archive');
      const found = archive.wanted ? await placeOf(set, archive, ports) : null;
      if (found !== null) wanted.set(archive.archiveId, found);
    } catch (error) {
      if (!(error instanceof ArchiverError) || error.retryable) throw error;
      log.warn('not listed', { manifestKey: archive.manifestKey, error: error.code, message: error.message });
      problems.push(`${archive.manifestKey}: ${error.code}, ${error.message}`);
    }
  });

  let withdrawn = 0;
  const tables = [...(await catalog.tables(set))];
  const missing = new Map(wanted);
  for (const { name } of tables) {
    const found = await catalog.partitions(name, keys);
    const isRight = ({ archiveId, location }: StoredPartition): boolean =>
      wanted.get(archiveId)?.table.name === name && wanted.get(archiveId)?.location === location;
    const wrong = found.filter((partition) => !isRight(partition));
    await catalog.removePartitions(name, wrong);
    withdrawn += wrong.length;
    for (const { archiveId } of found.filter(isRight)) missing.delete(archiveId);
  }
  for (const [name, group] of Map.groupBy(missing.values(), ({ table }) => table.name)) {
    const [{ table } = { table: undefined }] = group;
    if (table === undefined) continue;
    const known = tables.find((each) => each.name === name);
    const latest = group.reduce(
      (last, { position }) => (isBefore(last, position) ? position : last),
      known?.latest ?? '',
    );
    const location = `s3://${ports.store.bucket}/${prefixIn(archives[0]?.manifestKey ?? '')}`;
    const stored = { ...table, latest, location };
    if (known?.latest !== latest) {
      await catalog.putTable(set, stored);
      if (known !== undefined) tables.splice(tables.indexOf(known), 1);
      tables.push(stored);
    }
    if (clock.now().getTime() > until - LONGEST_CALL_MS) {
      throw new ArchiverError('Interrupted', 'the time in which archives may be listed is over');
    }
    await catalog.addPartitions(table, group);
  }
  if (tables.length > 0) {
    const inOrder = tables.toSorted((a, b) => (isBefore(a.latest, b.latest) ? -1 : 1));
    await catalog.putView(catalogView(catalog.database, set, inOrder));
  }
  log.info('list', { ...set, listed: missing.size, withdrawn, failed: problems.length });
  return {
    listed: progress.listed + missing.size,
    withdrawn: progress.withdrawn + withdrawn,
    failed: progress.failed + problems.length,
    problems: truncate([...progress.problems, ...problems], PAYLOAD_BUDGET.problems),
  };
}

/** Where an archive is found: its latest copy; `null` if it has none, or expires soon. */
async function placeOf(
  set: SetName,
  { archiveId, manifestKey, versionId }: ListedArchive,
  { store, expiry, clock }: Ports,
): Promise<Wanted | null> {
  const stored = await readManifest(store, manifestKey, versionId);
  if (expiry !== undefined) {
    const left = expiresAt(stored.manifest, expiry) - clock.now().getTime();
    if (left < DAYS_BEFORE_EXPIRY * DAY_MS) return null;
  }
  const copy = await latestCopy(stored, store);
  if (copy === null) return null;
  const { columns, shape, generation } = copy.manifest;
  tableColumns(columns);
  const prefix = `${copiesPrefix(locationOf(stored.manifest))}${generation}/`;
  await requireExact(prefix, copy.manifest, store);
  return {
    archiveId,
    period: periodIn(manifestKey),
    location: `s3://${store.bucket}/${prefix}`,
    table: { name: shapeTableName(set.schema, set.table, shape), columns },
    position: positionOf(stored.manifest),
  };
}
