import type postgres from 'postgres';
import type { PartitionSetConfig } from '../../core/config/partition-set.ts';
import { ArchiverError } from '../../core/errors.ts';
import { displayName } from '../../core/partition.ts';
import type { Connection, Transaction } from './connect.ts';

/**
 * What a query says of a set's parent table, which is found by its exact name in the catalogs, in one statement.
 * `query` has parentheses around it, and the parent's OID as `parent.oid`. Where it answers no row, there is one whose
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
    throw new ArchiverError('PreflightFailed', `there is no table ${displayName(schema, table)}`);
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
