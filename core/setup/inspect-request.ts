import * as z from 'zod';
import { identifier, timeZone } from '../config/fields.ts';
import { parseInput } from '../input.ts';
import type { InspectRequest } from './inspect.ts';
import { parseTableName } from '../table-name.ts';

/** Input of *Inspect*. */
export const inspectSchema = z.strictObject({
  table: z.string('must be a name such as "shop.orders"'),
  control: identifier.optional(),
  exact: z.boolean('must be true or false').default(false),
  timeZone: timeZone.default('UTC'),
});

/** Reads `{ table, control?, exact? (false), timeZone? (UTC) }`. Throws `InvalidInput` with every mistake at once. */
export function parseInspectRequest(input: unknown): InspectRequest {
  const { table, ...rest } = parseInput(inspectSchema, input);
  return { ...parseTableName(table), ...rest };
}
