import { bareTable, unquoted, type ColumnFacts } from './bare-table.ts';

/** What makes the bare table: its sequences, the table itself, and what is said of its columns. */
const BEFORE_DATA = [
  /^CREATE (UNLOGGED )?SEQUENCE /,
  /^CREATE (UNLOGGED )?TABLE /,
  /^ALTER SEQUENCE /,
  /^ALTER TABLE ONLY (?:[^" ]|"(?:[^"]|"")*")+ ALTER COLUMN /,
];

const CREATE_TABLE = /^CREATE (UNLOGGED )?TABLE /;
const OF_COLUMN = /^ALTER TABLE ONLY (?:[^" ]|"(?:[^"]|"")*")+ ALTER COLUMN ((?:[^" ]|"(?:[^"]|"")*")+) /;

/**
 * Parts the statements of the archived structure at the data. Before it, only what rows need: the table without defaults,
 * check constraints and generated columns that call functions. After it, those, each separately; then keys, indexes,
 * triggers and comments. Indexes are built faster over what is there, and a trigger would change what is loaded.
 */
export function splitStructure(
  statements: readonly string[],
  columns: readonly ColumnFacts[],
  asText: readonly string[] = [],
  unusable: readonly string[] = [],
): {
  readonly beforeData: readonly string[];
  readonly afterData: readonly string[];
} {
  const created = statements.filter((statement) => CREATE_TABLE.test(statement));
  const [bare] = created.map((statement) => bareTable(statement, columns, asText, unusable));
  const isBefore = (statement: string): boolean => {
    const [, column] = OF_COLUMN.exec(statement) ?? [];
    if (column !== undefined && bare?.left.has(unquoted(column)) === true) return false;
    return BEFORE_DATA.some((pattern) => pattern.test(statement));
  };
  const before = statements.filter(isBefore);
  return {
    beforeData: before.map((statement) =>
      statement === created[0] ? (bare?.create ?? statement) : statement,
    ),
    afterData: [...(bare?.after ?? []), ...statements.filter((statement) => !isBefore(statement))],
  };
}

/**
 * The names in a list of identifiers such as `id, "Weird ""name", ts`, or `null` where the text is anything else. The
 * manifest's list goes into a statement as it is.
 */
export function parseNames(list: string): string[] | null {
  const names: string[] = [];
  const name = /(?:([\p{L}_][\p{L}\p{N}_$]*)|"((?:[^"\0]|"")+)")(, |$)/uy;
  while (name.lastIndex < list.length) {
    const [, plain, quoted = '', end] = name.exec(list) ?? [];
    if (end === undefined) return null;
    names.push(plain ?? quoted.replaceAll('""', '"'));
    if (end === '') return names;
  }
  return null;
}
