import type postgres from 'postgres';
import { PINS } from '../../core/pins.ts';
import type { CopyColumn } from '../../core/query/parquet-map.ts';
import { quote } from '../support/archives.ts';

/** A column, as it is read. */
export type Column = Pick<CopyColumn, 'name' | 'kind'>;

/** Whether it is one of the two types of timestamps. */
export const isTimestamp = ({ kind }: Column): boolean => kind === 'timestamp' || kind === 'timestamptz';

/** A value as text, in PostgreSQL; of a timestamp, its microseconds since 1970. */
export function inPostgres(column: Column): string {
  const name = quote(column.name);
  if (isTimestamp(column)) return `(extract(epoch from ${name}) * 1000000)::bigint::text`;
  if (column.kind === 'bytea') return `upper(encode(${name}, 'hex'))`;
  if (column.kind === 'boolean') return `${name}::text`;
  // As the type writes itself: a cast would cut the blanks of char(n). A row of NULLs is no NULL, but `is null`.
  return `case when ${name} is distinct from null then format('%s', ${name}) end`;
}

/** Floating-point numbers are written in several ways: they are compared as numbers. */
export function comparable({ kind }: Column, value: unknown): unknown {
  if (typeof value !== 'string' || (kind !== 'float' && kind !== 'double')) return value;
  const number = Number(value.replace(/^(-?)inf$/, '$1Infinity'));
  return kind === 'float' ? Math.fround(number) : number;
}

/** What PostgreSQL says of a table, under the pins that the archive's text was written with. */
export async function expectedOf(
  sql: postgres.Sql,
  columns: readonly Column[],
  from: string,
): Promise<unknown[][]> {
  return sql.begin(async (tx) => {
    for (const [name, value] of Object.entries(PINS)) await tx`select set_config(${name}, ${value}, true)`;
    const rows = await tx.unsafe(`select ${columns.map(inPostgres).join(', ')} from ${from}`).values();
    return rows.map((row) => columns.map((column, index) => comparable(column, row[index] ?? null)));
  });
}
