import * as z from 'zod';
import { wholeNumber } from './fields.ts';
import { partitionSetsSchema } from './partition-set.ts';
import { parseConfig, type Parsed } from './problems.ts';

/** How much runs at once. Each segment under way uses one database connection, or two while it is verified. */
export const concurrencySchema = z.strictObject({
  partitions: wholeNumber(1, 100).default(2).describe('Partitions archived at the same time.'),
  segments: wholeNumber(1, 100).default(2).describe('Segments of one partition exported at the same time.'),
});

const runtimeSchema = z.strictObject({
  partitionSets: partitionSetsSchema,
  concurrency: concurrencySchema.prefault({}),
});

/** What the steps know at run time: the `config.json` that lies beside each Lambda's bundle. */
export type RuntimeConfig = Readonly<z.output<typeof runtimeSchema>>;

/** Checks the contents of a `config.json`. */
export function parseRuntimeConfig(input: unknown): Parsed<RuntimeConfig> {
  return parseConfig(runtimeSchema, input);
}
