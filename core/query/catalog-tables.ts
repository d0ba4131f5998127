import { createHash } from 'node:crypto';
import { catalogName } from '../config/catalog-name.ts';
import { athenaMicros, athenaMilliseconds, athenaText, isTimestamp } from './athena-values.ts';
import { commonNumber, type Held } from './common-kind.ts';
import { foldAll, requireDistinct } from './column-names.ts';
import type { CopyManifest } from './copy-manifest.ts';

type Column = CopyManifest['columns'][number];

/** A column as the catalogue names it: in lower case, with a type of Hive or, in a view, of Athena. */
export interface CatalogColumn {
  readonly name: string;
  readonly type: string;
}

/** Columns of one shape, and the table that has them. */
export interface ShapeTable {
  readonly name: string;
  readonly columns: readonly Column[];
}

/** What a partition of a table is told apart by. No column of an archive may have these names. */
export const PARTITION_KEYS = ['archive_period', 'archive_id'] as const;

/** The table of a shape: `public__orders__1a2b3c4d`. */
export const shapeTableName = (schema: string, table: string, shape: string): string =>
  `${catalogName(schema, table)}__${shape.slice(0, 8)}`;

/**
 * The columns of a table over copies of one shape. Engines find a Parquet column by its name without regard to case, so two
 * names that differ in case only are refused, as are those of the partition keys: `CatalogConflict`.
 *
 * A timestamp is its microseconds since 1970, as they lie in the file: Athena reads timestamps as milliseconds. The view has
 * both.
 */
export function tableColumns(columns: readonly Column[]): CatalogColumn[] {
  requireDistinct(
    columns.map(({ name }) => name),
    foldAll,
    PARTITION_KEYS,
  );
  return columns.map(({ name, kind, precision, scale }) => ({
    name: foldAll(name),
    type: hiveType(kind, precision, scale),
  }));
}

function hiveType(kind: Column['kind'], precision: number, scale: number): string {
  switch (kind) {
    case 'boolean':
    case 'float':
    case 'double':
    case 'date':
      return kind;
    case 'int16':
      return 'smallint';
    case 'int32':
      return 'int';
    case 'int64':
    case 'timestamp':
    case 'timestamptz':
      return 'bigint';
    case 'decimal32':
    case 'decimal64':
    case 'decimal128':
      return `decimal(${String(precision)},${String(scale)})`;
    case 'bytea':
      return 'binary';
    case 'text':
      return 'string';
  }
}

/** A view of a partition set over the tables of all its shapes. */
export interface CatalogView {
  readonly name: string;
  readonly sql: string;
  readonly columns: readonly CatalogColumn[];
}

/**
 * The view: the columns of the last table, which is the one of the latest archive; NULL where another shape lacks a column,
 * and PostgreSQL's text where shapes differ in its type, unless one type of numbers holds all exactly. A timestamp is there as
 * Athena shows it, in milliseconds and UTC, and beside it as `<name>_micros`, exactly.
 *
 * @param tables with the one of the latest archive last
 */
export function catalogView(
  database: string,
  set: { readonly schema: string; readonly table: string },
  tables: readonly ShapeTable[],
): CatalogView {
  const latest = tables.at(-1);
  if (latest === undefined) throw new Error('a view over no table');
  const shown = latest.columns.flatMap((column) => shownAs(column, latest.columns, tables));
  const selects = tables.map(({ name, columns }) => {
    const list = shown.map(({ from, name: as, type, expression }) => {
      const held = columns.find((each) => each.name === from);
      const value = held === undefined ? 'NULL' : expression(quoted(foldAll(from)), held);
      return `CAST(${value} AS ${type}) AS ${quoted(as)}`;
    });
    const keys = PARTITION_KEYS.map(quoted);
    return `SELECT ${[...list, ...keys].join(', ')} FROM ${quoted(database)}.${quoted(name)}`;
  });
  return {
    name: catalogName(set.schema, set.table),
    sql: selects.join(' UNION ALL '),
    columns: [
      ...shown.map(({ name, type }) => ({ name, type })),
      ...PARTITION_KEYS.map((name) => ({ name, type: 'varchar' })),
    ],
  };
}

/** A column of the view, out of one of the table. */
interface Shown {
  readonly from: string;
  readonly name: string;
  readonly type: string;
  readonly expression: (value: string, held: Column) => string;
}

function shownAs(column: Column, all: readonly Column[], tables: readonly ShapeTable[]): Shown[] {
  const { name: from } = column;
  const name = foldAll(from);
  const held = tables.flatMap(({ columns }) => columns.filter((each) => each.name === from));
  const type = commonType(held);
  const value: Shown = { from, name, type, expression: type === 'varchar' ? athenaText : (it) => it };
  if (!held.some(isTimestamp)) return [value];
  const taken = new Set(all.map((each) => foldAll(each.name)));
  let micros = `${name}_micros`;
  while (taken.has(micros)) micros += '_';
  return [
    type === TIMESTAMP ? { ...value, expression: athenaMilliseconds } : value,
    { from, name: micros, type: 'bigint', expression: athenaMicros },
  ];
}

/** Athena's type for a column of the view, as archives hold it. */
function commonType(held: readonly Column[]): string {
  const [type = 'varchar', ...others] = new Set(held.map(athenaType));
  if (others.length === 0) return type;
  const number = commonNumber(held);
  return number === null ? 'varchar' : athenaType(number);
}

const TIMESTAMP = 'timestamp(3)';

function athenaType({ kind, precision, scale }: Held): string {
  switch (kind) {
    case 'float':
      return 'real';
    case 'int32':
      return 'integer';
    case 'timestamp':
    case 'timestamptz':
      return TIMESTAMP;
    case 'bytea':
      return 'varbinary';
    case 'text':
      return 'varchar';
    default:
      return hiveType(kind, precision, scale);
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** What tells a view from another one of the same name. */
export const viewDigest = ({ sql }: CatalogView): string => createHash('sha256').update(sql).digest('hex');
