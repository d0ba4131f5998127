import * as z from 'zod';
import type { PartitionSetConfig } from '../config/partition-set.ts';
import { archiveFields } from '../audit/find-request.ts';
import { parseInput } from '../input.ts';
import { NOTHING_LISTED, type ListedArchive, type ListProgress } from './catalog.ts';

/** The ledger, as it is asked which archives the catalogue may show. */
export interface ListingDatabase {
  /**
   * The next archives behind `after`, by their ids in the ledger; calls of the execution to the catalogue may take
   * `seconds` from now on.
   */
  begin(
    execution: string,
    sets: readonly Pick<PartitionSetConfig, 'schema' | 'table'>[],
    after: number,
    most: number,
    seconds: number,
  ): Promise<readonly (ListedArchive & { readonly partitionId: number })[]>;
  /** No call of the execution is under way any more, and what was not wanted is not shown. */
  end(execution: string, wanted: readonly string[], unwanted: readonly string[]): Promise<void>;
  /** The catalogue must not show an archive any more, for good. */
  withdraw(archiveId: string): Promise<void>;
}

/** A page of archives, or nothing more. */
export type Listing =
  | {
      readonly next: 'list';
      readonly archives: readonly ListedArchive[];
      /** Nothing may be added to the catalogue after this. */
      readonly until: string;
      readonly after: number;
    }
  | { readonly next: 'done'; readonly progress: ListProgress };

/** As many as BatchCreatePartition takes at once. */
const MOST_ARCHIVES = 100;
/** Longer than the function that lists may run, and be tried again. */
const SECONDS_TO_LIST = 40 * 60;

/** Reads the input of *Convert*, of which the fields besides these are read by its other steps. */
export const convertSchema = z.strictObject({
  ...archiveFields,
  withdraw: z.array(z.uuid('must be the id of an archive'), 'must be a list of ids of archives').optional(),
});

/**
 * The next page of archives whose rows are not in the database. The first turn takes out of the listing, for good, what the
 * input withdraws.
 */
export async function beginListing(
  {
    input,
    after,
    progress = NOTHING_LISTED,
    execution,
  }: {
    readonly input: unknown;
    readonly after?: number;
    readonly progress?: ListProgress;
    readonly execution: string;
  },
  {
    database,
    partitionSets,
    now,
  }: {
    readonly database: ListingDatabase;
    readonly partitionSets: readonly PartitionSetConfig[];
    readonly now: Date;
  },
): Promise<Listing> {
  if (after === undefined) {
    for (const archiveId of parseInput(convertSchema, input).withdraw ?? [])
      await database.withdraw(archiveId);
  }
  const sets = partitionSets.filter(({ query }) => query).map(({ schema, table }) => ({ schema, table }));
  const page = await database.begin(execution, sets, after ?? 0, MOST_ARCHIVES, SECONDS_TO_LIST);
  const last = page.at(-1);
  if (last === undefined) return { next: 'done', progress };
  return {
    next: 'list',
    archives: page.map(({ partitionId: _, ...archive }) => archive),
    until: new Date(now.getTime() + SECONDS_TO_LIST * 1000).toISOString(),
    after: last.partitionId,
  };
}

/** Ends a page that the catalogue shows as it should. */
export async function endListing(
  { archives, execution }: { readonly archives: readonly ListedArchive[]; readonly execution: string },
  { database }: { readonly database: ListingDatabase },
): Promise<void> {
  const ids = (isWanted: boolean): string[] =>
    archives.filter(({ wanted }) => wanted === isWanted).map(({ archiveId }) => archiveId);
  await database.end(execution, ids(true), ids(false));
}
