import * as z from 'zod';
import { parseInput } from '../input.ts';

/** Input of *PrepareDatabase*. */
export const prepareSchema = z.strictObject({
  guard: z.boolean('must be true or false').default(true),
  print: z.boolean('must be true or false').default(false),
});

/** What an operator wants of *Prepare database*. */
export type PrepareRequest = Readonly<z.output<typeof prepareSchema>>;

/** Reads `{ guard? (true), print? (false) }`. Throws `InvalidInput` with every mistake at once. */
export function parsePrepareRequest(input: unknown): PrepareRequest {
  return parseInput(prepareSchema, input);
}
