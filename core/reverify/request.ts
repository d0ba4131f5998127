import * as z from 'zod';
import { wholeNumber } from '../config/fields.ts';
import { parseInput } from '../input.ts';
import { MOST_PARTITIONS } from '../limits.ts';

const id = wholeNumber(1, Number.MAX_SAFE_INTEGER);

/** Input of *Reverify*. */
export const reverifySchema = z
  .strictObject({
    partitionId: id.optional(),
    partitionIds: z
      .array(id, 'must be a list of ids')
      .min(1, 'must name a partition')
      .max(MOST_PARTITIONS, `must be at most ${String(MOST_PARTITIONS)} ids`)
      .optional(),
    all: z.literal('verified', 'must be "verified"').optional(),
  })
  .refine((fields) => Object.values(fields).filter((value) => value !== undefined).length === 1, {
    error: 'must have one of partitionId, partitionIds and all, such as {"partitionId": 42}',
  });

/** Which partitions are to be verified again. */
export type ReverifySelection =
  { readonly kind: 'these'; readonly partitionIds: readonly number[] } | { readonly kind: 'all' };

/** Reads `{ partitionId }`, `{ partitionIds }` or `{ all: "verified" }`. Throws `InvalidInput`. */
export function parseReverifyRequest(input: unknown): ReverifySelection {
  const { partitionId, partitionIds = [], all } = parseInput(reverifySchema, input);
  if (all !== undefined) return { kind: 'all' };
  return {
    kind: 'these',
    partitionIds: partitionId === undefined ? [...new Set(partitionIds)] : [partitionId],
  };
}

/** What one execution verifies again. */
export interface ReverifyRequest {
  readonly partitionIds: readonly number[];
  /** How many more there are, for another execution. */
  readonly more: number;
  readonly startedAt: string;
}

/** The database, as the choice of partitions needs it. */
export interface ReverifyCandidates {
  /** Verified ones that were not dropped, those that were verified longest ago first; blocked ones that are to be. */
  reverifiable(): Promise<readonly number[]>;
}

/** Finds out which partitions are meant. */
export async function planReverify(
  input: unknown,
  database: ReverifyCandidates,
  now: Date,
): Promise<ReverifyRequest> {
  const wish = parseReverifyRequest(input);
  const all = wish.kind === 'these' ? wish.partitionIds : await database.reverifiable();
  const partitionIds = all.slice(0, MOST_PARTITIONS);
  return { partitionIds, more: all.length - partitionIds.length, startedAt: now.toISOString() };
}
