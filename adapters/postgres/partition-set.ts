import type postgres from 'postgres';
import type { PartitionSetConfig } from '../../core/config/partition-set.ts';
import { ArchiverError } from '../../core/errors.ts';
import { displayName } from '../../core/partition.ts';
import type { Connection, Transaction } from './connect.ts';

/**
 * What a query says of a set's parent table, which is found by its exact name in the catalogs, in one statement.
 * `query` has parentheses around it, and the parent's OID as `parent.oid`. Where it returns no row, there is one whose
 * columns are all null.
 */
export async function askOfParent<Row extends object>(
  connection: Connection | Transaction,
  { schema, table }: PartitionSetConfig,
  query: postgres.PendingQuery<postgres.Row[]>,
): Promise<[Row, ...Row[]]> {
  const rows = await connection<Row[]>`
    select asked.* from pg_class parent join pg_namespace n on n.oid = parent.relnamespace left join lateral ${query} asked on true
     where n.nspname = ${schema} and parent.relname = ${table}`;
  if (rows.length === 0) {
    throw new ArchiverError('PreflightFailed', await noSuchTable(connection, { schema, table }));
  }
  return rows as unknown as [Row, ...Row[]];
}

/** OID of a set's parent table. */
export async function findParent(
  connection: Connection | Transaction,
  set: PartitionSetConfig,
): Promise<number> {
  const [{ oid }] = await askOfParent<{ oid: number }>(connection, set, connection`(select parent.oid)`);
  return oid;
}

/** That a table is not there, and which are whose names differ in nothing but capitals: those have to be quoted. */
export async function noSuchTable(
  connection: Connection | Transaction,
  { schema, table }: Pick<PartitionSetConfig, 'schema' | 'table'>,
): Promise<string> {
  const alike = await connection<{ schema: string; table: string }[]>`
    select n.nspname as schema, c.relname as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where lower(n.nspname) = lower(${schema}) and lower(c.relname) = lower(${table}) and c.relkind in ('r', 'p')
     order by 1, 2 limit 5`;
  const names = alike.map((each) => displayName(each.schema, each.table)).join(' and ');
  const problem = `there is no table ${displayName(schema, table)}`;
  return names === ''
    ? problem
    : `${problem}, but there is ${names}: a name with capitals is written in quotes`;
}
