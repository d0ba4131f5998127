import type { PartitionSetConfig } from '../config/partition-set.ts';
import type { Log } from '../ports.ts';

/** A table that was a partition of a set before the ledger knew of it, as an operator names it. */
export interface AdoptionRequest {
  /** OID of the table: names are no identity, and tables that look alike are adopted one by one. */
  readonly table: number;
  readonly partitionSet: PartitionSetConfig;
  /** Lower bound, inclusive, and upper bound, exclusive, as written in SQL. */
  readonly bounds?: { readonly lower: string; readonly upper: string } | undefined;
}

/** What the database said. */
export interface AdoptionAnswer {
  /** Id of the new row in the ledger; `null` where it was not adopted. */
  readonly partitionId: number | null;
  readonly lowerBound: string | null;
  readonly upperBound: string | null;
  readonly problems: readonly string[];
}

/** Adopted, or bounds to look at first, or the reasons why not. Only an adoption changes anything. */
export type Adoption =
  | {
      readonly kind: 'adopted';
      readonly partitionId: number;
      readonly lowerBound: string;
      readonly upperBound: string;
    }
  | { readonly kind: 'proposal'; readonly lowerBound: string; readonly upperBound: string }
  | { readonly kind: 'refused'; readonly reasons: readonly string[] };

/** The database, as `adopt` needs it. */
export interface AdoptDatabase {
  adopt(request: AdoptionRequest): Promise<AdoptionAnswer>;
}

/**
 * Writes a detached table into the ledger as a partition that the set once had, so that the next run archives it. Its
 * columns are compared with the parent's, its rows with the bounds.
 */
export async function adopt(
  request: AdoptionRequest,
  { database, log }: { readonly database: AdoptDatabase; readonly log: Log },
): Promise<Adoption> {
  const { partitionId, lowerBound, upperBound, problems } = await database.adopt(request);
  if (lowerBound !== null && upperBound !== null) {
    if (partitionId !== null) {
      log.info('adopted', { table: request.table, partitionId, lowerBound, upperBound });
      return { kind: 'adopted', partitionId, lowerBound, upperBound };
    }
    if (request.bounds === undefined) return { kind: 'proposal', lowerBound, upperBound };
  }
  return { kind: 'refused', reasons: problems };
}
