import * as z from 'zod';
import type { AdoptionRequest } from './adopt.ts';
import { wholeNumber } from '../config/fields.ts';
import type { RuntimeConfig } from '../config/runtime.ts';
import { ArchiverError } from '../errors.ts';
import { parseInput } from '../input.ts';
import { truncateLines, TEXT_BUDGET } from '../limits.ts';
import { displayName } from '../partition.ts';
import { parseTableName } from '../table-name.ts';

const LARGEST_OID = 4_294_967_295;

const bound = z
  .string('must be a date, a time or a number in quotes')
  .min(1, 'must not be empty')
  .max(100, 'is too long');

/** Input of *Adopt*. */
export const adoptSchema = z
  .strictObject({
    table: wholeNumber(1, LARGEST_OID),
    partitionSet: z.string('must be the name of a partition set such as "shop.orders"'),
    lower: bound.optional(),
    upper: bound.optional(),
  })
  .superRefine(({ lower, upper }, context) => {
    if ((lower === undefined) === (upper === undefined)) return;
    const path = [lower === undefined ? 'lower' : 'upper'];
    context.addIssue({ code: 'custom', path, message: 'name both bounds or none' });
  });

/** Reads `{ table, partitionSet, lower?, upper? }`: `table` is an OID. Throws `InvalidInput` with every mistake at once. */
export function parseAdoptRequest(input: unknown, { partitionSets }: RuntimeConfig): AdoptionRequest {
  const { table, partitionSet: name, lower, upper } = parseInput(adoptSchema, input);
  const wanted = parseTableName(name);
  const partitionSet = partitionSets.find(
    (set) => set.schema === wanted.schema && set.table === wanted.table,
  );
  if (partitionSet === undefined) {
    const names = partitionSets.map((set) => displayName(set.schema, set.table));
    throw new ArchiverError(
      'InvalidInput',
      `partitionSet: ${JSON.stringify(name).slice(0, 200)} is not configured; configured are ${truncateLines(names, TEXT_BUDGET.names).join(', ')}`,
    );
  }
  const bounds = lower === undefined || upper === undefined ? undefined : { lower, upper };
  return { table, partitionSet, bounds };
}
