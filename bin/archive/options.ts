import { TIERS } from '../../core/archive-store.ts';
import { isRangeBound, RANGE_BOUND } from '../../core/audit/find.ts';
import { parseDisplayName } from '../../core/config/display-name.ts';
import { ACCEPTED } from '../../core/limits.ts';
import { EPOCHS } from '../../core/partition-table/database.ts';

/** What a value has to be. */
interface ValueRule {
  readonly holds: (text: string) => boolean;
  readonly words: string;
}

/** One option of the command line: its value as the help shows it, if it takes one, and what it does. */
export interface OptionDefinition {
  /** Like `<file>`; absent for a switch. */
  readonly value?: string;
  /** What is known of its value without a look at anything else. */
  readonly rule?: ValueRule;
  /** It may be given several times, but for commands that take it once. */
  readonly multiple?: true;
  readonly does: string;
}

const oneOf = (...values: readonly string[]): ValueRule => ({
  holds: (text) => values.includes(text),
  words: `must be one of ${values.join(', ')}`,
});

function wholeNumber(least: number, most?: number): ValueRule {
  return {
    holds: (text) => /^\d+$/.test(text) && Number(text) >= least && Number(text) <= (most ?? 2 ** 50),
    words: `must be a whole number from ${least} ${most === undefined ? 'on' : `to ${most}`}`,
  };
}

const tableName: ValueRule = {
  holds: (text) => parseDisplayName(text) !== null,
  words: 'must be a name of the form schema.table',
};

const moment: ValueRule = {
  holds: isRangeBound,
  words: RANGE_BOUND,
};

/** Every option of the command line. Each command names those that it honours and refuses all others. */
export const OPTIONS = {
  config: { value: '<file>', does: 'the partition sets (default: partition-sets.json)' },
  set: { value: '<schema.table>', multiple: true, rule: tableName, does: 'only this partition set' },
  'dry-run': { does: 'changes nothing, and says what would happen' },
  'archive-only': { does: 'drops nothing, whatever the configuration says' },
  only: {
    value: '<part>',
    rule: oneOf('inventory', 'drop'),
    does: 'inventory: only looks and records; drop: only drops what is due',
  },
  print: { does: 'prints the SQL and changes nothing' },
  'no-guard': { does: 'leaves out the event trigger that refuses to drop managed tables' },
  exact: { does: 'reads the whole table instead of a sample' },
  control: { value: '<column>', does: 'the column to partition the table by' },
  'time-zone': { value: '<zone>', does: 'the time zone of bounds and counts (default: UTC)' },
  'max-partitions': {
    value: '<n>',
    rule: wholeNumber(1),
    does: 'accepts so many partitions and their locks in one swap',
  },
  'trust-functions': { does: 'trusts functions of the application that the table calls' },
  interval: { value: '<interval>', does: 'the width of a partition, as an interval of PostgreSQL' },
  start: { value: '<value>', does: 'the lower bound of the first partition' },
  premake: {
    value: '<n>',
    rule: wholeNumber(...ACCEPTED.premake),
    does: 'how many future partitions there are to be (default: 4)',
  },
  retention: { value: '<interval>', does: 'how long rows stay in the table, or none' },
  keys: {
    value: '<how>',
    rule: oneOf('extend', 'drop'),
    does: 'unique keys without the control column: extend them, or drop them',
  },
  epoch: {
    value: '<unit>',
    rule: oneOf(...EPOCHS),
    does: 'the unit of a numeric control column: seconds, milliseconds, …',
  },
  offline: { does: 'copies while writes are refused, instead of online' },
  'no-default': { does: 'makes no default partition' },
  'up-to-check': { does: 'stops before the tables are swapped' },
  lower: { value: '<value>', does: 'the lower bound of the partition, inclusive' },
  upper: { value: '<value>', does: 'the upper bound of the partition, exclusive' },
  from: { value: '<date>', rule: moment, does: 'archives whose rows are at or after this time' },
  to: { value: '<date>', rule: moment, does: 'archives whose rows are before this time' },
  schema: { value: '<name>', does: 'the schema of the restored table' },
  table: { value: '<name>', does: 'the name of the restored table' },
  owner: { value: '<role>', does: 'the owner of the table' },
  attach: { does: 'attaches the restored table to the parent that it was detached from' },
  'attach-to': {
    value: '<schema.table>',
    rule: tableName,
    does: 'attaches the restored table to this parent',
  },
  'manifest-version': { value: '<id>', does: 'the VersionId of the manifest, instead of the current one' },
  'no-foreign-keys': { does: 'leaves the foreign keys of the archived table out' },
  'no-grants': { does: 'leaves the grants of the archived table out' },
  'accept-publication': {
    value: '<name,…>',
    does: 'accepts that these publications carry the restored table',
  },
  'accept-incomplete': { does: 'attaches a table although parts of its definition could not be created' },
  database: { value: '<name>', does: 'the name that the database has in the archives or in the ledger' },
  'former-name': {
    value: '<name>',
    multiple: true,
    does: 'reads the archives under a former name of the database, too',
  },
  tier: {
    value: '<tier>',
    rule: oneOf(...TIERS),
    does: 'how S3 retrieves from Glacier: Bulk, Standard or Expedited',
  },
  days: {
    value: '<number>',
    rule: wholeNumber(...ACCEPTED.retrievalDays),
    does: 'for how many days S3 keeps what it retrieved from Glacier',
  },
  'max-mib': {
    value: '<number>',
    rule: wholeNumber(...ACCEPTED.drillMiB),
    does: 'the largest archive that may be chosen, in MiB',
  },
  sample: {
    value: '<segments>',
    rule: wholeNumber(1),
    does: 'reads only so many segments of an archive, chosen at random',
  },
  archives: {
    value: '<number>',
    rule: wholeNumber(1),
    does: 'audits only so many archives, chosen at random',
  },
  forget: { does: 'leaves the rows of copied tables behind' },
  rebuild: { does: 'makes a new copy beside the one that there is' },
  latest: { does: 'of several archives of a period, reads the newest' },
  csv: { does: 'prints the rows as CSV' },
  parquet: { value: '<file>', does: 'writes the rows to a Parquet file' },
  'print-aurora': { does: 'prints SQL that makes the archives of a set readable in Aurora PostgreSQL' },
  directory: { value: '<folder>', does: 'where local files are kept' },
  'memory-mib': {
    value: '<number>',
    rule: wholeNumber(64),
    does: 'the most memory for a query, in MiB (default: 1024)',
  },
  'disk-mib': {
    value: '<number>',
    rule: wholeNumber(64),
    does: 'the most disk for fetched copies, in MiB (default: 20480)',
  },
  html: { value: '<file>', does: 'writes the report as a page to this file' },
  log: {
    value: '<form>',
    rule: oneOf('lines', 'json', 'none'),
    does: 'the log on standard error: lines, json or none',
  },
  json: { does: 'prints the result as JSON' },
} as const satisfies Readonly<Record<string, OptionDefinition>>;

/** The name of an option, without its dashes. */
export type OptionName = keyof typeof OPTIONS;

/** The options as they were read. */
export type CommandOptions = {
  readonly [Name in OptionName]?: (typeof OPTIONS)[Name] extends { readonly multiple: true }
    ? string[]
    : (typeof OPTIONS)[Name] extends { readonly value: string }
      ? string
      : boolean;
};

/** What is known of the words after a command's name, by the names that its help gives them. */
const WORDS: Readonly<Record<string, ValueRule>> = {
  id: wholeNumber(0),
  'id|all': {
    holds: (text) => text === 'all' || wholeNumber(0).holds(text),
    words: 'must be a whole number, or all',
  },
  segment: wholeNumber(0),
  number: wholeNumber(0),
  oid: wholeNumber(0),
  'schema.table': tableName,
};

/** What is wrong with the words after a command's name; `names` as in its help: `<id> [segment]`. */
export function wordProblems(names: string, words: readonly string[]): string[] {
  return names.split(' ').flatMap((name, index) => {
    const [rule, text] = [WORDS[name.slice(1, -1)], words[index]];
    return rule === undefined || text === undefined || rule.holds(text)
      ? []
      : [`${name}: ${JSON.stringify(text).slice(0, 200)} ${rule.words}`];
  });
}

/** What is wrong with the values of options, each by itself. */
export function valueProblems(options: CommandOptions): string[] {
  return (Object.keys(options) as OptionName[]).flatMap((name) => {
    const { rule }: OptionDefinition = OPTIONS[name];
    const values = [options[name]].flat().filter((value) => typeof value === 'string');
    return values.flatMap((value) => {
      const shown = JSON.stringify(value).slice(0, 200);
      // Commander takes whatever follows an option for its value.
      if (Object.keys(OPTIONS).some((each) => value === `--${each}`))
        return [`--${name}: ${shown} is an option`];
      return rule === undefined || rule.holds(value) ? [] : [`--${name}: ${shown} ${rule.words}`];
    });
  });
}
