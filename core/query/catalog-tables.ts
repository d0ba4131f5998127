import { createHash } from 'node:crypto';
import { catalogName } from '../config/catalog-name.ts';
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
 * and text where shapes differ in its type. A timestamp is there as Athena shows it, in milliseconds and UTC, and beside it
 * as `<name>_micros`, exactly.
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
  const type = athenaType(column);
  const alike = tables.every(({ columns }) => {
    const other = columns.find((each) => each.name === from);
    return other === undefined || athenaType(other) === type;
  });
  if (!alike) return [{ from, name, type: 'varchar', expression: asText }];
  if (type !== 'timestamp(3)') return [{ from, name, type, expression: (value) => value }];
  const taken = new Set(all.map((each) => foldAll(each.name)));
  let micros = `${name}_micros`;
  while (taken.has(micros)) micros += '_';
  return [
    { from, name, type, expression: milliseconds },
    { from, name: micros, type: 'bigint', expression: (value) => value },
  ];
}

/**
 * Milliseconds, cut off and not rounded, also before 1970. `date_add` takes a number of 32 bits and overflows 25 days after 1970;
 * seconds as a double are exact to the millisecond from the year 1 to 9999.
 */
const milliseconds = (value: string): string =>
  `CAST(from_unixtime(CAST((${value} - mod(mod(${value}, 1000) + 1000, 1000)) / 1000 AS double) / 1000, 'UTC') AS timestamp(3))`;

/**
 * Text, where shapes hold a column in different types; of bytes their hexadecimal digits. A cast of a `real` keeps seven
 * digits of it, where it takes nine to tell one from another: by way of a double none is lost.
 */
const asText = (value: string, held: Column): string => {
  if (held.kind === 'bytea') return `to_hex(${value})`;
  if (held.kind === 'float') return `CAST(${value} AS double)`;
  return athenaType(held) === 'timestamp(3)' ? milliseconds(value) : value;
};

function athenaType({ kind, precision, scale }: Column): string {
  switch (kind) {
    case 'float':
      return 'real';
    case 'int32':
      return 'integer';
    case 'timestamp':
    case 'timestamptz':
      return 'timestamp(3)';
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
