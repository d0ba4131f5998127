import { commonNumber } from './common-kind.ts';
import { foldAscii } from './column-names.ts';
import type { CopyManifest } from './copy-manifest.ts';

/** A copy whose files are on the local disk. */
export interface LocalCopy {
  readonly manifest: Pick<CopyManifest, 'columns' | 'shape'>;
  readonly files: readonly string[];
}

/** A partition set as it is asked: its name, and its copies with the oldest first. */
export interface QueriedSet {
  readonly schema: string;
  readonly table: string;
  readonly copies: readonly LocalCopy[];
}

type Column = CopyManifest['columns'][number];
/** A column, as far as its type in a view depends on it. */
type ViewColumn = Pick<Column, 'type' | 'kind' | 'precision' | 'scale'>;

/**
 * The statement that makes the view of a partition set in DuckDB: all its copies, one behind the other, with the columns
 * of the latest archive and PostgreSQL's types, as far as DuckDB has them. A column that an archive has not is NULL
 * there. A column of several types of numbers has the one that holds all of them exactly; one that an archive holds as text,
 * or of another type, is text in the whole view.
 */
export function viewOf({ schema, table, copies }: QueriedSet): string {
  const latest = copies.at(-1);
  if (latest === undefined) throw new Error('a view over no copy');
  const names = distinctNames(latest.manifest.columns);
  const columns = latest.manifest.columns.map((column, index) => ({
    name: column.name,
    shown: names[index] ?? column.name,
    type: commonType(
      copies.flatMap(({ manifest }) => manifest.columns.filter(({ name }) => name === column.name)),
    ),
  }));
  const shapes = [...new Set(copies.map(({ manifest }) => manifest.shape))];
  const parts = shapes.map((shape) => {
    const alike = copies.filter(({ manifest }) => manifest.shape === shape);
    const held = alike[0]?.manifest.columns ?? [];
    const list = columns.map(({ name, shown, type }) => {
      const position = held.findIndex((each) => each.name === name);
      const value = type === 'VARCHAR' ? textOf(`c${position + 1}`, held[position]) : `c${position + 1}`;
      return `${position === -1 ? 'NULL' : value}::${type} AS ${identifier(shown)}`;
    });
    return `SELECT ${list.join(', ')} FROM ${source(
      held,
      alike.flatMap(({ files }) => files),
    )}`;
  });
  return `CREATE VIEW ${inMemory(schema)}.${identifier(table)} AS ${parts.join(' UNION ALL ')}`;
}

/** Columns by position, since DuckDB takes names that differ in case for the same. */
function source(columns: readonly Column[], files: readonly string[]): string {
  const names = columns.map((_, index) => `c${index + 1}`);
  if (files.length > 0) {
    // Without the option, a folder `delay=7` above the copies is a column, and replaces the one of this name in the files.
    return `read_parquet([${files.map(literal).join(', ')}], hive_partitioning = false) AS t(${names.join(', ')})`;
  }
  return `(SELECT ${names.map((name) => `NULL AS ${name}`).join(', ')} WHERE false) AS t`;
}

/** DuckDB's type for a column of the view, as archives hold it. */
export function commonType(held: readonly ViewColumn[]): string {
  const [type = 'VARCHAR', ...others] = new Set(held.map(duckDbType));
  if (others.length === 0) return type;
  const number = commonNumber(held);
  return number === null ? 'VARCHAR' : duckDbType({ type: '', ...number });
}

/** A value as PostgreSQL prints it, where DuckDB prints it in another way. */
function textOf(value: string, held: Column | undefined): string {
  switch (held?.kind) {
    case 'boolean':
      return `CASE ${value} WHEN true THEN 't' WHEN false THEN 'f' END`;
    case 'bytea':
      return `('\\x' || lower(hex(${value})))`;
    case 'float':
      return floatText(value, '1e6');
    case 'double':
      return floatText(value, '1e15');
    case 'decimal32':
    case 'decimal64':
    case 'decimal128':
      return `regexp_replace(${value}::VARCHAR, '^(-?)[.]', '\\10.')`;
    default:
      return value;
  }
}

/** PostgreSQL writes an exponent from `most` on, and DuckDB from 1e16 on. */
function floatText(value: string, most: string): string {
  const [size, plain] = [`abs(${value})`, `regexp_replace(abs(${value})::VARCHAR, '[.]0$', '')`];
  const digits = `regexp_replace(rtrim(replace(${plain}, '.', ''), '0'), '^(.)(.+)$', '\\1.\\2')`;
  const power = `lpad((strpos(${size}::VARCHAR, '.') - 2)::VARCHAR, 2, '0')`;
  return (
    `CASE WHEN isnan(${value}) THEN 'NaN' WHEN ${value} IS NOT NULL THEN CASE WHEN signbit(${value}) THEN '-' ELSE '' END || ` +
    `CASE WHEN isinf(${value}) THEN 'Infinity' WHEN ${size} >= ${most} AND ${size} < 1e16 THEN ${digits} || 'e+' || ${power} ELSE ${plain} END END`
  );
}

/** PostgreSQL's type in DuckDB, where the copy holds it; text for every other one. */
export function duckDbType({ type, kind, precision, scale }: ViewColumn): string {
  switch (kind) {
    case 'boolean':
      return 'BOOLEAN';
    case 'int16':
      return 'SMALLINT';
    case 'int32':
      return 'INTEGER';
    case 'int64':
      return 'BIGINT';
    case 'float':
      return 'FLOAT';
    case 'double':
      return 'DOUBLE';
    case 'decimal32':
    case 'decimal64':
    case 'decimal128':
      return `DECIMAL(${precision}, ${scale})`;
    case 'date':
      return 'DATE';
    case 'timestamp':
      return 'TIMESTAMP';
    case 'timestamptz':
      return 'TIMESTAMPTZ';
    case 'bytea':
      return 'BLOB';
    case 'text':
      if (type === 'uuid') return 'UUID';
      // PostgreSQL's json holds half of a surrogate pair, which DuckDB's does not.
      return type === 'jsonb' ? 'JSON' : 'VARCHAR';
  }
}

/** Names that differ only in case get a number, as DuckDB itself would give them one. */
function distinctNames(columns: readonly Column[]): string[] {
  const seen = new Set<string>();
  return columns.map(({ name }) => {
    let shown = name;
    for (let number = 1; seen.has(foldAscii(shown)); number += 1) shown = `${name}_${number}`;
    seen.add(foldAscii(shown));
    return shown;
  });
}

/** A quoted identifier of DuckDB. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A schema with its catalogue, so that the schemas `temp`, `system` and `memory` are not taken for the catalogues of these names. */
export const inMemory = (schema: string): string => `memory.${identifier(schema)}`;

/** A quoted text of DuckDB, which knows no escapes. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
