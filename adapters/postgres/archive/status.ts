import type postgres from 'postgres';
import { ArchiverError } from '../../../core/errors.ts';
import type { LedgerRow } from '../../../core/partition.ts';
import type { PartitionStatus } from '../../../core/archive/quarantine.ts';
import { translated, type Connection } from '../connect.ts';

/** Where a partition stands. */
export function readStatus(connection: Connection, partitionId: number): Promise<PartitionStatus> {
  return translated(`status of partition ${String(partitionId)}`, async () => {
    const [row] = await connection<PartitionStatus[]>`
      select l.state, l.parent_schema as "parentSchema", l.parent_name as "parentTable", l.drop_after <= now() as due,
             coalesce((select jsonb_agg(s.number order by s.first_block) from partition_archiver.segment s
                        where s.archive_id = l.archive_id and s.state <> 'verified'), '[]') as "openSegments"
        from partition_archiver.partition l where l.id = ${partitionId}::bigint`;
    if (row === undefined)
      throw new ArchiverError('NotInLedger', `the ledger has no partition ${String(partitionId)}`);
    return row;
  });
}

/** Rows of the ledger by id, or all of them; oldest bounds first within each set. */
export function readLedger(connection: Connection, partitions?: readonly number[]): Promise<LedgerRow[]> {
  return translated(
    'reading the ledger',
    () =>
      connection<LedgerRow[]>`
      select ${columns(connection)} from partition_archiver.partition
       where ${partitions === undefined} or id in (select value::bigint from jsonb_array_elements_text(${connection.json([...(partitions ?? [])])}::jsonb))
       order by parent_schema, parent_name, lower_time, id`,
  );
}

/** The blocked rows of this database but some, and how many there are; as `ReportDatabase` says. */
export function readBlocked(
  connection: Connection,
  except: readonly number[],
  most: number,
): Promise<{ readonly total: number; readonly rows: readonly LedgerRow[] }> {
  return translated('reading what is blocked', async () => {
    const rows = await connection<(LedgerRow & { readonly total: number })[]>`
      select ${columns(connection)}, count(*) over () as total from partition_archiver.partition
       where state = 'blocked' and system_identifier = partition_archiver.system_identifier() and database_name = current_database()
         and id not in (select value::bigint from jsonb_array_elements_text(${connection.json([...except])}::jsonb))
       order by lower_time, parent_schema, parent_name, id limit ${most}`;
    return { total: rows[0]?.total ?? 0, rows };
  });
}

const columns = (connection: Connection): postgres.PendingQuery<postgres.Row[]> => connection`
  id, state, table_schema as schema, table_name as table, parent_schema as "parentSchema", parent_name as "parentTable",
  lower_bound as "lowerBound", upper_bound as "upperBound", period, row_count as rows, byte_count as bytes,
  manifest_key as "manifestKey", counted_whole as "countedWhole", drop_after as "dropAfter", quarantined_at as "quarantinedAt",
  verified_at as "verifiedAt", dropped_at as "droppedAt", blocked_code as "blockedCode", blocked_reason as "blockedReason",
  failed_at as "failedAt", failed_code as "failedCode", failed_reason as "failedReason"`;

/** Bytes of the tables of partitions, TOAST included; of those whose table there is. */
export function readTableSizes(
  connection: Connection,
  partitionIds: readonly number[],
): Promise<readonly { readonly id: number; readonly bytes: number }[]> {
  return translated(
    'reading the sizes of partitions',
    () => connection<{ id: number; bytes: number }[]>`
      select id::float8 as id, pg_table_size(table_oid)::float8 as bytes from partition_archiver.partition
       where id in (select jsonb_array_elements_text(${connection.json([...partitionIds])}::jsonb)::bigint)
         and pg_table_size(table_oid) is not null`,
  );
}
