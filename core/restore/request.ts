import { parseDisplayName } from '../config/display-name.ts';
import { ArchiverError } from '../errors.ts';
import { isObject, show } from '../input.ts';
import { rangeProblems } from '../find.ts';
import { fittingLines } from '../limits.ts';
import type { TableName } from './database.ts';

/** An archive, by its manifest. */
export interface ArchiveRef {
  readonly manifestKey: string;
  /** Another version of the manifest than the only one; for an operator who knows that it is good. */
  readonly manifestVersionId: string | null;
}

/** The archives of a partition set with a part in a range; `null` is not narrowed. */
export interface ArchiveRange {
  /** The database that they were made in; `null`: the one that they are restored to. */
  readonly database: string | null;
  readonly set: TableName;
  readonly from: string | null;
  readonly to: string | null;
}

/** How S3 is asked for objects that lie in a Glacier tier. */
export interface Retrieval {
  readonly tier: 'Bulk' | 'Standard' | 'Expedited';
  /** Days for which the copies stay readable; long enough for the restore. */
  readonly days: number;
}

/** How tables are restored. */
export interface RestoreOptions {
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
  readonly attach: 'parent' | TableName | null;
  readonly retrieval: Retrieval;
}

/** What is to be restored, and how; checked, with defaults filled in. */
export interface RestoreRequest {
  readonly archives: ArchiveRef | ArchiveRange;
  readonly options: RestoreOptions;
}

const NAMES = ['schema', 'table', 'owner', 'database'] as const;
const TEXTS = ['manifestKey', 'manifestVersionId', 'from', 'to', 'partitionSet', ...NAMES] as const;
const FLAGS = ['foreignKeys', 'grants'] as const;
const FIELDS: readonly string[] = [...TEXTS, ...FLAGS, 'attach', 'retrieval'];
const TIERS = ['Bulk', 'Standard', 'Expedited'] as const;

/** A week: time enough for what fails at a weekend. */
const RETRIEVAL_DAYS = 7;
const DEFAULT_RETRIEVAL: Retrieval = { tier: 'Standard', days: RETRIEVAL_DAYS };

/** Bytes of all mistakes in a message. */
const LONGEST_MESSAGE = 16_000;

/**
 * Reads what a restore is asked for: `manifestKey` (and `manifestVersionId`), or `partitionSet` with `from` and `to` (and
 * `database`); with `schema`, `table`, `owner`, `foreignKeys` (true), `grants` (true), `attach` ("parent", or a table as
 * "schema.table" or `{ schema, table }`) and `retrieval` (`{ tier, days }`). Throws `InvalidInput` with every mistake at once.
 */
export function parseRestoreRequest(input: unknown): RestoreRequest {
  const problems: string[] = [];
  const fields: Record<string, unknown> = isObject(input) ? input : {};
  if (!isObject(input)) problems.push('the input must be a JSON object such as {"manifestKey": "…"}');
  for (const field of Object.keys(fields)) {
    if (!FIELDS.includes(field)) {
      problems.push(`${show(field)}: there is no such field; there are ${FIELDS.join(', ')}`);
    }
  }
  const text = (name: (typeof TEXTS)[number]): string | null => readText(fields, name, problems);
  const flag = (name: (typeof FLAGS)[number]): boolean => {
    const value = fields[name] ?? true;
    if (typeof value !== 'boolean') problems.push(`${name}: ${show(value)} must be true or false`);
    return value === true;
  };
  const archives = readArchives(fields, text, problems);
  const options = {
    schema: text('schema'),
    table: text('table'),
    owner: text('owner'),
    foreignKeys: flag('foreignKeys'),
    grants: flag('grants'),
    attach: readAttach(fields['attach'], problems),
    retrieval: readRetrieval(fields['retrieval'], problems),
  };
  if (problems.length > 0) {
    throw new ArchiverError('InvalidInput', fittingLines(problems, LONGEST_MESSAGE).join('; '));
  }
  return { archives, options };
}

function readArchives(
  fields: Readonly<Record<string, unknown>>,
  text: (name: (typeof TEXTS)[number]) => string | null,
  problems: string[],
): ArchiveRef | ArchiveRange {
  const has = (name: string): boolean => fields[name] !== undefined && fields[name] !== null;
  const ofKey = ['manifestKey', 'manifestVersionId'].filter(has);
  const ofRange = ['partitionSet', 'from', 'to', 'database'].filter(has);
  if (!has('manifestKey') && !has('partitionSet')) {
    problems.push('manifestKey: is missing (or partitionSet, with from and to, for a range of archives)');
  } else if (has('manifestKey') && ofRange.length > 0) {
    problems.push(`manifestKey names one archive, so that ${ofRange.join(', ')} cannot be given beside it`);
  } else if (has('partitionSet') && ofKey.length > 0) {
    problems.push('manifestVersionId: belongs to manifestKey');
  }
  if (!has('partitionSet')) {
    return { manifestKey: text('manifestKey') ?? '', manifestVersionId: text('manifestVersionId') };
  }
  const named = text('partitionSet');
  const set = named === null ? null : parseDisplayName(named);
  if (named !== null && set === null) {
    problems.push(`partitionSet: ${show(named)} is no name of the form schema.table`);
  }
  const [from, to] = [text('from'), text('to')];
  problems.push(...rangeProblems({ ...(from !== null && { from }), ...(to !== null && { to }) }));
  return { database: text('database'), set: set ?? { schema: '', table: '' }, from, to };
}

function readText(
  fields: Readonly<Record<string, unknown>>,
  name: (typeof TEXTS)[number],
  problems: string[],
): string | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && value !== '' && !value.includes('\0') && fits(value, name)) return value;
  problems.push(`${name}: ${show(value)} must be a text of at least one byte, and a name of at most 63`);
  return null;
}

/** PostgreSQL would cut a longer name off, and then make or find another table. */
const fits = (text: string, field: string): boolean =>
  !(NAMES as readonly string[]).includes(field) || Buffer.byteLength(text) <= 63;

function readAttach(value: unknown, problems: string[]): RestoreOptions['attach'] {
  if (value === undefined || value === null) return null;
  if (value === 'parent') return value;
  const table = typeof value === 'string' ? parseDisplayName(value) : asTable(value);
  if (table !== null && [table.schema, table.table].every((name) => fits(name, 'table'))) return table;
  problems.push(
    `attach: ${show(value)} must be "parent", or a table such as "app.kept" or {"schema": "app", "table": "kept"}`,
  );
  return null;
}

function asTable(value: unknown): TableName | null {
  if (!isObject(value) || Object.keys(value).sort().join() !== 'schema,table') return null;
  const { schema, table } = value;
  if (typeof schema !== 'string' || typeof table !== 'string') return null;
  return schema === '' || table === '' || `${schema}${table}`.includes('\0') ? null : { schema, table };
}

/** Reads `{ tier, days }`; also what a drill is told. */
export function readRetrieval(value: unknown, problems: string[]): Retrieval {
  if (value === undefined || value === null) return DEFAULT_RETRIEVAL;
  const { tier = DEFAULT_RETRIEVAL.tier, days = RETRIEVAL_DAYS, ...rest } = isObject(value) ? value : {};
  const known = TIERS.find((each) => each === tier);
  if (!isObject(value) || Object.keys(rest).length > 0) {
    problems.push(`retrieval: ${show(value)} must be such as {"tier": "Bulk", "days": 7}`);
  }
  if (known === undefined) problems.push(`retrieval.tier: ${show(tier)} must be ${TIERS.join(', ')}`);
  if (typeof days !== 'number' || !Number.isInteger(days) || days < 1 || days > 365) {
    problems.push(`retrieval.days: ${show(days)} must be a whole number from 1 to 365`);
    return DEFAULT_RETRIEVAL;
  }
  return { tier: known ?? DEFAULT_RETRIEVAL.tier, days };
}
