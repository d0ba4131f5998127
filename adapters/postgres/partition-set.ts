import type { PartitionSetConfig } from '../../core/config/partition-set.ts';
import { ArchiverError } from '../../core/errors.ts';
import { displayName } from '../../core/partition.ts';
import type { Connection, Transaction } from './connect.ts';

/** OID of a set's parent table, by its exact name in the catalogs. */
export async function findParent(
  connection: Connection | Transaction,
  { schema, table }: PartitionSetConfig,
): Promise<number> {
  const [parent] = await connection<{ oid: number }[]>`
    select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${schema} and c.relname = ${table}`;
  if (parent === undefined) {
    throw new ArchiverError('PreflightFailed', `there is no table ${displayName(schema, table)}`);
  }
  return parent.oid;
}
