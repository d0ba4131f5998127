import { ArchiverError } from '../errors.ts';
import { displayName } from '../partition.ts';
import type { Clock } from '../ports.ts';
import {
  propose,
  retentionEffects,
  showBytes,
  type Distribution,
  type Proposal,
  type RetentionEffect,
} from './inspect-proposal.ts';
import { splitOutliers, type Outliers } from './inspect-outliers.ts';
import { candidates, type Candidate, type TableFacts } from './inspect-table.ts';

/** The database, as `inspect` needs it. */
export interface InspectDatabase {
  /** `InvalidInput` where there is no such table. */
  facts(schema: string, table: string): Promise<TableFacts>;
  /** Counts rows by month or by range; a sample of a large table unless `exact`. */
  distribution(
    facts: TableFacts,
    control: Candidate,
    how: {
      exact: boolean;
      timeZone: string;
      /** Of a column of numbers, only these. */
      within?: { readonly from: number; readonly to: number };
    },
  ): Promise<Distribution>;
}

/** What to look at. */
export interface InspectRequest {
  readonly schema: string;
  readonly table: string;
  /** The control column; without it the likeliest one. */
  readonly control?: string | undefined;
  /** Reads the whole table, however large it is. */
  readonly exact?: boolean;
  /** Whose months. */
  readonly timeZone?: string;
}

/** Where a call has to end in fifteen minutes; a table is read at some 100 MiB/s. */
export const LARGEST_EXACT_BYTES = 50 * 2 ** 30;

/** How a table's rows spread, and what could be made of it. */
export interface Inspection {
  readonly facts: TableFacts;
  readonly candidates: readonly Candidate[];
  readonly distribution: Distribution | undefined;
  /** Few rows far from all others, which the proposal and the effects leave out. */
  readonly outliers: readonly Outliers[];
  readonly proposal: Proposal | undefined;
  readonly effects: readonly RetentionEffect[];
}

/** Looks at a table before it is partitioned; changes nothing. */
export async function inspect(
  { schema, table, control, exact = false, timeZone = 'UTC' }: InspectRequest,
  {
    database,
    clock,
    largestExactBytes = Infinity,
  }: { readonly database: InspectDatabase; readonly clock: Clock; readonly largestExactBytes?: number },
): Promise<Inspection> {
  const facts = await database.facts(schema, table);
  const name = displayName(schema, table);
  if (exact && facts.tableBytes > largestExactBytes) {
    throw new ArchiverError(
      'InvalidInput',
      `exact: ${name} has ${showBytes(facts.tableBytes)}, more than the ${showBytes(largestExactBytes)} that can be read in time; leave it out, or use the command inspect --exact`,
    );
  }
  const likely = candidates(facts);
  const chosen = control === undefined ? likely[0] : likely.find(({ column }) => column.name === control);
  if (chosen === undefined) {
    if (control === undefined)
      return {
        facts,
        candidates: likely,
        distribution: undefined,
        outliers: [],
        proposal: undefined,
        effects: [],
      };
    throw new ArchiverError(
      'InvalidInput',
      `${name} has no column ${JSON.stringify(control)} that is a time or a whole number`,
    );
  }
  const distribution = await database.distribution(facts, chosen, { exact, timeZone });
  const { bulk, outliers } = splitOutliers(distribution, facts, timeZone);
  const now = clock.now();
  // Ranges of numbers are as wide as the outliers make them: those of the bulk tell more.
  const shown =
    distribution.kind === 'id' && outliers.length > 0
      ? await database.distribution(facts, chosen, { exact, timeZone, within: endsOf(bulk) })
      : bulk;
  const [proposal, effects] = [propose(shown, now, facts), retentionEffects(shown, now)];
  return { facts, candidates: likely, distribution: shown, outliers, proposal, effects };
}

function endsOf({ periods, width }: Distribution): { from: number; to: number } {
  return { from: Number(periods[0]?.start), to: Number(periods.at(-1)?.start) + (width ?? 1) };
}
