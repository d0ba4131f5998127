import { counted } from '../counted.ts';
import type { ArchiveStore } from '../archive-store.ts';
import type { ArchiveQuery } from '../audit/find.ts';
import { queryOf } from '../audit/find-request.ts';
import { nextArchives } from '../audit/archives.ts';
import { mapAtOnce } from '../concurrency.ts';
import type { PartitionSetConfig } from '../config/partition-set.ts';
import { ArchiverError } from '../errors.ts';
import { parseInput } from '../input.ts';
import { copyManifestPrefixOf } from '../keys.ts';
import { PAYLOAD_BUDGET, truncate } from '../limits.ts';
import { displayName } from '../partition.ts';
import type { Log } from '../ports.ts';
import { NOTHING_LISTED, type ListProgress } from './catalog.ts';
import { convertSchema } from './listing.ts';

/** What became of one archive: what its conversion came to, or the name of an error. */
export interface ArchiveResult {
  readonly manifestKey: string;
  readonly result?: 'there' | 'converted' | 'expiring';
  readonly failed?: string;
}

/** Where a conversion stands between two pages of archives. */
export interface ConvertProgress {
  readonly converted: number;
  readonly failed: number;
  /** One line for each archive that was not converted, as far as they fit. */
  readonly problems: readonly string[];
  /** Position of the set among all of all names of the database, and where its next page continues. */
  readonly set: number;
  readonly after: string | null;
}

/** The archives that are converted next, or nothing more. */
export type ConvertNext =
  | {
      readonly next: 'archives';
      readonly archives: readonly string[];
      readonly progress: ConvertProgress;
    }
  | { readonly next: 'done'; readonly progress: ConvertProgress };

const START: ConvertProgress = { converted: 0, failed: 0, problems: [], set: 0, after: null };
/** Requests to S3 at the same time. */
const AT_ONCE = 16;

/**
 * One turn of *Convert*: adds up what became of the last archives, and names the next ones without a copy, of the sets with
 * `query`; none where the input withdraws archives. A loop, and not one list, so that any number of archives fits.
 */
export async function convertNext(
  {
    input,
    progress = START,
    results = [],
  }: {
    readonly input: unknown;
    readonly progress?: ConvertProgress;
    readonly results?: readonly ArchiveResult[];
  },
  {
    store,
    databases,
    partitionSets,
  }: {
    readonly store: ArchiveStore;
    /** The name of the database, and those that it had before, below which earlier archives lie. */
    readonly databases: readonly string[];
    readonly partitionSets: readonly PartitionSetConfig[];
  },
): Promise<ConvertNext> {
  const { withdraw, ...fields } = parseInput(convertSchema, input);
  // An operator who withdraws archives waits for the execution, and conversions take hours.
  if (withdraw !== undefined) return { next: 'done', progress };
  const named = fields.database === undefined ? databases : [fields.database];
  const queries = named.flatMap((database) => queriesOf(queryOf(fields, database), partitionSets));
  let { set, after } = progress;
  const totals = addResults(progress, results);
  for (let query = queries[set]; query !== undefined; query = queries[set]) {
    const page = await nextArchives({ query, archives: null, segments: null }, after, {
      store,
      random: () => 0,
    });
    const isThere = await mapAtOnce(page.archives, AT_ONCE, async (key) => {
      return (await store.list(copyManifestPrefixOf(key))).length > 0;
    });
    after = page.after;
    if (after === null) set += 1;
    const archives = page.archives.filter((_, index) => isThere[index] !== true);
    if (archives.length > 0) return { next: 'archives', archives, progress: { ...totals, set, after } };
  }
  return { next: 'done', progress: { ...totals, set, after: null } };
}

/** What is looked for: all sets with `query`, or the one that the input names. Throws `InvalidInput`. */
function queriesOf(query: ArchiveQuery, partitionSets: readonly PartitionSetConfig[]): ArchiveQuery[] {
  const { schema, table } = query;
  const isNamed = schema !== undefined && table !== undefined;
  const sets = partitionSets.filter(
    (set) => set.query && (!isNamed || (set.schema === schema && set.table === table)),
  );
  if (isNamed && sets.length === 0) {
    throw new ArchiverError(
      'InvalidInput',
      `partitionSet: ${displayName(schema, table)} is not configured with "query": true`,
    );
  }
  return sets.map((set) => ({ ...query, schema: set.schema, table: set.table }));
}

function addResults(progress: ConvertProgress, results: readonly ArchiveResult[]): ConvertProgress {
  const failed = results.flatMap((each) => (each.failed === undefined ? [] : [each]));
  const lines = failed.map(({ manifestKey, failed: code = '' }) => `${manifestKey}: ${code}`);
  return {
    ...progress,
    converted: progress.converted + results.filter(({ result }) => result === 'converted').length,
    failed: progress.failed + failed.length,
    // An error's cause, where they end up, is limited to 32 KiB. The log has them all.
    problems: truncate([...progress.problems, ...lines], PAYLOAD_BUDGET.problems),
  };
}

/** What the workflow *Convert* returns. */
export interface ConvertReport {
  readonly summary: string;
  readonly converted: number;
  /** Archives that became known to the catalogue, and that are no longer. */
  readonly listed: number;
  readonly withdrawn: number;
  /** What the catalogue showed and the ledger did not list: it was taken out. */
  readonly leftovers: number;
}

/** Says how a conversion ended. Throws `CopiesFailed` unless each archive has its copy. */
export function convertReport(
  {
    progress: { converted, failed, problems },
    listing = NOTHING_LISTED,
    leftovers = 0,
  }: {
    readonly progress: ConvertProgress;
    readonly listing?: ListProgress | undefined;
    readonly leftovers?: number;
  },
  { log }: { readonly log: Log },
): ConvertReport {
  const { listed, withdrawn } = listing;
  log.info('convert', { converted, failed, listed, withdrawn, notListed: listing.failed, leftovers });
  const summary = [
    `${counted(converted, 'archive')} converted, ${String(failed)} not`,
    `${String(listed)} listed, ${String(withdrawn)} withdrawn, ${String(listing.failed)} not listed`,
    ...(leftovers > 0 ? [`${String(leftovers)} that the ledger does not list withdrawn`] : []),
  ].join('; ');
  if (failed + listing.failed === 0) return { summary, converted, listed, withdrawn, leftovers };
  throw new ArchiverError('CopiesFailed', [summary, ...problems, ...listing.problems].join('\n'));
}
