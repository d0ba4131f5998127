import type { Catalog, CatalogPlace, ListedPartition } from './catalog.ts';
import type { Log } from '../ports.ts';

/** A page of what the catalogue shows, or nothing more. */
export type CatalogPage =
  | {
      readonly next: 'check';
      readonly partitions: readonly ListedPartition[];
      readonly after: CatalogPlace | null;
      readonly leftovers: number;
    }
  | { readonly next: 'done'; readonly leftovers: number };

/**
 * One turn of the look at everything that the catalogue shows: takes out what the last page had that
 * the ledger does not list, and names the next page. To take out is right at any time: what the ledger does not list is never
 * listed again without the ledger saying so first.
 */
export async function catalogPage(
  {
    after,
    remove = [],
    leftovers = 0,
  }: {
    readonly after?: CatalogPlace | null;
    readonly remove?: readonly ListedPartition[];
    readonly leftovers?: number;
  },
  { catalog, log }: { readonly catalog: Catalog; readonly log: Log },
): Promise<CatalogPage> {
  for (const [table, partitions] of Map.groupBy(remove, (each) => each.table)) {
    for (const { period, archiveId } of partitions) log.warn('leftover', { table, period, archiveId });
    await catalog.removePartitions(table, partitions);
  }
  const total = leftovers + remove.length;
  // After the last page there is none; before the first, nothing was said.
  if (after === null) return { next: 'done', leftovers: total };
  const page = await catalog.allPartitions(after);
  return { next: 'check', ...page, leftovers: total };
}

/** The ledger, as it is asked what the catalogue may show. */
export interface LeftoverDatabase {
  /** Those of the archives that it does not list. */
  unlisted(archiveIds: readonly string[]): Promise<readonly string[]>;
}

/** Partitions of a page that the catalogue must not show. */
export async function findLeftovers(
  { partitions }: { readonly partitions: readonly ListedPartition[] },
  { database }: { readonly database: LeftoverDatabase },
): Promise<readonly ListedPartition[]> {
  const unlisted = new Set(await database.unlisted(partitions.map(({ archiveId }) => archiveId)));
  return partitions.filter(({ archiveId }) => unlisted.has(archiveId));
}
