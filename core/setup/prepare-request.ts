import * as z from 'zod';
import { parseInput } from '../input.ts';

const inputSchema = z.strictObject({
  guard: z.boolean('must be true or false').default(true),
  print: z.boolean('must be true or false').default(false),
});

/** What an operator wants of *Prepare database*. */
export type PrepareRequest = Readonly<z.output<typeof inputSchema>>;

/** Reads `{ guard? (true), print? (false) }`. Throws `InvalidInput` with every mistake at once. */
export function parsePrepareRequest(input: unknown): PrepareRequest {
  return parseInput(inputSchema, input);
}
