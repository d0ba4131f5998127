import { ArchiverError } from '../errors.ts';

/** What is to be restored, and how; checked, with defaults filled in. */
export interface RestoreRequest {
  readonly manifestKey: string;
  /** Another version of the manifest than the only one; for an operator who knows that it is good. */
  readonly manifestVersionId: string | null;
  /** Schema and name of the restored table; `null`: those that the partition had. */
  readonly schema: string | null;
  readonly table: string | null;
  /** Who is to own it; `null`: the owner that the partition had. */
  readonly owner: string | null;
  /** Whether its foreign keys are made again. */
  readonly foreignKeys: boolean;
  /** Whether its grants are made again. */
  readonly grants: boolean;
  /** The partitioned table that it is attached to: `parent` is the one that it came from. */
  readonly attach: 'parent' | { readonly schema: string; readonly table: string } | null;
}

const TEXTS = ['manifestKey', 'manifestVersionId', 'schema', 'table', 'owner'] as const;
const FLAGS = ['foreignKeys', 'grants'] as const;

/**
 * Reads what a restore is asked for: `{ manifestKey, manifestVersionId?, schema?, table?, owner?, foreignKeys? (true),
 * grants? (true), attach?: "parent" | { schema, table } }`. Throws `InvalidInput` with every mistake at once.
 */
export function parseRestoreRequest(input: unknown): RestoreRequest {
  const problems: string[] = [];
  const fields: Record<string, unknown> = isObject(input) ? input : {};
  for (const field of Object.keys(fields)) {
    if (![...TEXTS, ...FLAGS, 'attach'].includes(field))
      problems.push(`${show(field)}: there is no such field`);
  }
  const text = (name: (typeof TEXTS)[number]): string | null => {
    const value = fields[name];
    if (value === undefined || value === null) return null;
    if (typeof value === 'string' && isName(value, name)) return value;
    problems.push(`${name}: ${show(value)} must be a text of at least one byte, and a name of at most 63`);
    return null;
  };
  const flag = (name: (typeof FLAGS)[number]): boolean => {
    const value = fields[name] ?? true;
    if (typeof value !== 'boolean') problems.push(`${name}: ${show(value)} must be true or false`);
    return value === true;
  };
  const manifestKey = text('manifestKey');
  if (fields['manifestKey'] === undefined) problems.push('manifestKey: is missing');
  const request = {
    manifestKey: manifestKey ?? '',
    manifestVersionId: text('manifestVersionId'),
    schema: text('schema'),
    table: text('table'),
    owner: text('owner'),
    foreignKeys: flag('foreignKeys'),
    grants: flag('grants'),
    attach: readAttach(fields['attach'], problems),
  };
  if (problems.length > 0) throw new ArchiverError('InvalidInput', problems.join('; '));
  return request;
}

function readAttach(value: unknown, problems: string[]): RestoreRequest['attach'] {
  if (value === undefined || value === null) return null;
  if (value === 'parent') return value;
  if (isObject(value) && Object.keys(value).sort().join() === 'schema,table') {
    const { schema, table } = value;
    if (typeof schema === 'string' && isName(schema) && typeof table === 'string' && isName(table)) {
      return { schema, table };
    }
  }
  problems.push(
    `attach: ${show(value)} must be "parent", or a table such as {"schema": "app", "table": "kept"}`,
  );
  return null;
}

/** PostgreSQL would cut a longer name off, and then make or find another table. */
function isName(text: string, field?: string): boolean {
  if (text === '' || text.includes('\0')) return false;
  return field?.startsWith('manifest') === true || Buffer.byteLength(text) <= 63;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const show = (value: unknown): string => JSON.stringify(value).slice(0, 100);
