import type * as z from 'zod';

/** One mistake in a configuration: where it is, what stands there, and the rule that it breaks. */
export interface ConfigProblem {
  /** Where, as one would write it in code: `partitionSets[1].graceDays`; empty for the document itself. */
  readonly path: string;
  /** What stands there; `undefined` where something is missing. */
  readonly value: unknown;
  readonly rule: string;
}

/** Either the configuration, frozen, or everything that is wrong with it. */
export type Parsed<T> =
  | { readonly ok: true; readonly config: T }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

const LONGEST_SHOWN_VALUE = 80;

/** One line for a person: `partitionSets[1].graceDays: -3 is not allowed: must be at least 0`. */
export function describeProblem({ path, value, rule }: ConfigProblem): string {
  const where = path === '' ? 'configuration' : path;
  if (value === undefined) return `${where}: ${rule}`;
  const text = JSON.stringify(value);
  const shown = text.length > LONGEST_SHOWN_VALUE ? `${text.slice(0, LONGEST_SHOWN_VALUE)}…` : text;
  return `${where}: ${shown} is not allowed: ${rule}`;
}

/** Checks `input` against `schema` and reports all problems at once, not only the first. */
export function parseConfig<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
): Parsed<z.output<Schema>> {
  const result = schema.safeParse(input);
  if (result.success) return { ok: true, config: deepFreeze(result.data) };
  return { ok: false, problems: result.error.issues.flatMap((issue) => toProblems(issue, input)) };
}

function toProblems(issue: z.core.$ZodIssue, input: unknown): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return { path: showPath(path), value: valueAt(input, path), rule: 'there is no such setting' };
    });
  }
  const value = valueAt(input, issue.path);
  return [{ path: showPath(issue.path), value, rule: value === undefined ? missing(issue) : issue.message }];
}

/** Zod's own words say nothing more here; a rule of ours says what to write. */
function missing({ message }: z.core.$ZodIssue): string {
  return message.startsWith('Invalid ') ? 'is missing' : `is missing: ${message}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function showPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) =>
      typeof key === 'number' ? `[${String(key)}]` : `${index === 0 ? '' : '.'}${String(key)}`,
    )
    .join('');
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
