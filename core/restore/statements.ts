/** What makes the bare table: its sequences, the table itself, and what is said of its columns. */
const BEFORE_DATA = [
  /^CREATE (UNLOGGED )?SEQUENCE /,
  /^CREATE (UNLOGGED )?TABLE /,
  /^ALTER SEQUENCE /,
  /^ALTER TABLE ONLY (?:[^" ]|"(?:[^"]|"")*")+ ALTER COLUMN /,
];

/**
 * Parts the statements of the archived structure at the data: keys, indexes, triggers and comments come after it.
 * Indexes are built faster over what is there, and a trigger would change what is loaded.
 */
export function splitStructure(statements: readonly string[]): {
  readonly beforeData: readonly string[];
  readonly afterData: readonly string[];
} {
  const isBefore = (statement: string): boolean => BEFORE_DATA.some((pattern) => pattern.test(statement));
  return {
    beforeData: statements.filter(isBefore),
    afterData: statements.filter((statement) => !isBefore(statement)),
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
