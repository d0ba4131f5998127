import type * as z from 'zod';
import { describeProblem, parseConfig } from './config/problems.ts';
import { ArchiverError } from './errors.ts';
import { truncateLines, TEXT_BUDGET } from './limits.ts';

/** Whether a value is what JSON calls an object. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value as messages show it. */
export const show = (value: unknown): string => JSON.stringify(value).slice(0, 100);

/** Reads the input of an operator's verb. Throws `InvalidInput` with every mistake at once. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = parseConfig(schema, input ?? {});
  if (parsed.ok) return parsed.config;
  const problems = parsed.problems.map((problem) =>
    describeProblem(problem.path === '' ? { ...problem, path: 'the input' } : problem),
  );
  throw new ArchiverError('InvalidInput', truncateLines(problems, TEXT_BUDGET.message).join('; '));
}
