import { ArchiverError } from '../errors.ts';

/** A column as the manifest's DDL template describes it. */
export interface ColumnFacts {
  readonly name: string;
  readonly type: string;
  readonly collation: string | null;
  readonly compression: string;
  readonly not_null: boolean;
  /** '' for none, 's' for stored, 'v' for virtual. */
  readonly generated: string;
  readonly identity: string;
}

/** CREATE TABLE with only what rows need, and what is to be made after the rows are loaded. */
export interface BareTable {
  readonly create: string;
  /** Names of columns that are added, or get their type, after the rows are loaded. */
  readonly left: ReadonlySet<string>;
  /** ADD COLUMN for generated columns, SET DEFAULT, ADD CONSTRAINT. */
  readonly after: readonly string[];
}

/** The parts of a CREATE TABLE statement of the archived DDL. */
interface Parts {
  readonly head: string;
  readonly items: readonly string[];
  readonly tail: string;
}

const COMPRESSION: Readonly<Record<string, string>> = { p: ' COMPRESSION pglz', l: ' COMPRESSION lz4' };
const NAME = /^(?:"(?:[^"]|"")*"|[^" ]+)/;
const TABLE = /^CREATE (?:UNLOGGED )?TABLE ((?:[^" ]|"(?:[^"]|"")*")+) $/;
const NOT_NULL = ' NOT NULL';
const DEFAULT = ' DEFAULT ';

/**
 * Takes out of a CREATE TABLE statement what may call a function of the application: defaults, check constraints, and
 * generated columns whose expression names anything outside pg_catalog. Each becomes a statement of its own. Rows can be
 * loaded without any of it; a function that fails then costs the object that needs it, and not the rows. The columns
 * `asText` are made as text, and altered to their types by statements of their own. A table in one of the tablespaces
 * `unusable` is made in the database's own and moved afterwards.
 */
export function bareTable(
  statement: string,
  columns: readonly ColumnFacts[],
  asText: readonly string[] = [],
  unusable: readonly string[] = [],
): BareTable {
  const { head, items, tail } = partsOf(statement);
  const [, table] = TABLE.exec(head) ?? [];
  if (table === undefined) throw new ArchiverError('ManifestInvalid', 'its CREATE TABLE cannot be read');
  const kept: string[] = [];
  const typed: string[] = [];
  const added: string[] = [];
  const defaults: string[] = [];
  const constraints: string[] = [];
  const left = new Set<string>();
  columns.forEach((column, index) => {
    const item = items[index] ?? '';
    const { definition, rest, type } = parted(item, column);
    const [name, isText] = [nameIn(item), asText.includes(column.name)];
    const end = column.not_null && rest.endsWith(NOT_NULL) ? NOT_NULL : '';
    const isDefault = column.identity === '' && rest.startsWith(DEFAULT);
    const setDefault = isDefault
      ? `ALTER COLUMN ${name} SET DEFAULT ${rest.slice(DEFAULT.length, rest.length - end.length)}`
      : '';
    if (column.generated !== '' && (namesOthers(rest) || asText.length > 0)) {
      added.push(`ALTER TABLE ONLY ${table} ADD COLUMN ${item}`);
      left.add(column.name);
    } else if (isText) {
      kept.push(`${name} text${isDefault ? end : rest}`);
      // With its default: a default of text could not be cast along later.
      const collate = column.collation === null ? '' : ` COLLATE ${column.collation}`;
      const changes = [`ALTER COLUMN ${name} TYPE ${type}${collate} USING ${name}::${type}`, setDefault];
      typed.push(`ALTER TABLE ONLY ${table} ${changes.filter(Boolean).join(', ')}`);
      left.add(column.name);
    } else if (isDefault) {
      kept.push(definition + end);
      defaults.push(`ALTER TABLE ONLY ${table} ${setDefault}`);
    } else {
      kept.push(item);
    }
  });
  for (const item of items.slice(columns.length)) {
    const [, column] =
      /^CONSTRAINT (?:"(?:[^"]|"")*"|[^" ]+) NOT NULL ((?:"(?:[^"]|"")*"|[^" ]+))/.exec(item) ?? [];
    if (column !== undefined && !added.some((each) => each.includes(` ADD COLUMN ${column} `)))
      kept.push(item);
    else constraints.push(`ALTER TABLE ONLY ${table} ADD ${item}`);
  }
  const tablespace = unusable.find((name) => tail.endsWith(`\nTABLESPACE ${name}`));
  const place = tablespace === undefined ? '' : `\nTABLESPACE ${tablespace}`;
  const moved = tablespace === undefined ? [] : [`ALTER TABLE ${table} SET TABLESPACE ${tablespace}`];
  const list = kept.length === 0 ? '' : `\n  ${kept.join(',\n  ')}\n`;
  return {
    create: `${head}(${list})${tail.slice(0, tail.length - place.length)}`,
    left,
    after: [...moved, ...typed, ...added, ...defaults, ...constraints],
  };
}

const nameIn = (item: string): string => NAME.exec(item)?.[0] ?? '';

/** A name without its quotes. */
export const unquoted = (name: string): string =>
  name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;

/** A column's line, parted after its type, compression and collation. */
function parted(
  item: string,
  column: ColumnFacts,
): { readonly definition: string; readonly rest: string; readonly type: string } {
  const name = nameIn(item);
  const collate = column.collation === null ? '' : ` COLLATE ${column.collation}`;
  const definition = `${name} ${column.type}${COMPRESSION[column.compression] ?? ''}${collate}`;
  if (unquoted(name) !== column.name || !item.startsWith(definition)) {
    throw new ArchiverError('ManifestInvalid', `column ${name} is not that of the list of columns`);
  }
  return { definition, rest: item.slice(definition.length), type: column.type };
}

/**
 * Whether an expression names something that is qualified, which is everything outside pg_catalog: a function, an
 * operator, a type, or (in a literal that is cast to a reg* type) a text search configuration.
 */
export function namesOthers(expression: string): boolean {
  const withoutTexts = expression.replace(/'(?:[^']|'')*'(?!::reg)/g, "''");
  return /(?:[\p{L}_$\d]|")\.(?!\d)/u.test(withoutTexts.replace(/\bpg_catalog\./g, ''));
}

/** Parts a statement at its first list in parentheses, whose items are parted by commas that stand in nothing. */
function partsOf(statement: string): Parts {
  const items: string[] = [];
  let [depth, open, begin] = [0, -1, 0];
  for (let at = 0; at < statement.length; at += 1) {
    const char = statement[at];
    if (char === "'" || char === '"') {
      // A doubled quote ends one piece and begins the next; a backslash that quotes is doubled by the server.
      at = statement.indexOf(char, at + 1);
      if (at === -1) break;
    } else if (char === '(') {
      if (depth === 0) [open, begin] = [at, at + 1];
      depth += 1;
    } else if (char === ')' || (char === ',' && depth === 1)) {
      if (depth === 1) {
        items.push(statement.slice(begin, at).trim());
        begin = at + 1;
      }
      if (char === ')') depth -= 1;
      if (depth === 0) {
        const list = items.length === 1 && items[0] === '' ? [] : items;
        return { head: statement.slice(0, open), items: list, tail: statement.slice(at + 1) };
      }
    }
  }
  throw new ArchiverError('ManifestInvalid', 'its CREATE TABLE has no end');
}
