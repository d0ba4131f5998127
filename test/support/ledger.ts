import type postgres from 'postgres';

/** What tests look at in a row of the ledger. */
export interface LedgerLine {
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  readonly oid: number;
  readonly state: string;
  readonly period: string;
  readonly blockedCode: string | null;
  readonly blockedReason: string | null;
  readonly archiveId: string | null;
  readonly quarantineName: string | null;
  readonly manifestVersionId: string | null;
  readonly rows: number | null;
}

/** The ledger rows of one parent table, or all; oldest bounds first. */
export async function readLedger(sql: postgres.Sql, parent?: string): Promise<LedgerLine[]> {
  return sql<LedgerLine[]>`
    select id::integer, table_schema as schema, table_name as table, table_oid::integer as oid, state, period,
           blocked_code as "blockedCode", blocked_reason as "blockedReason", archive_id::text as "archiveId",
           quarantine_name as "quarantineName", manifest_version_id as "manifestVersionId", row_count::integer as rows
      from partition_archiver.partition
     where ${parent ?? null}::text is null or parent_name = ${parent ?? null}
     order by parent_schema, parent_name, lower_time, case when control_kind = 'id' then lower_bound::numeric end, id`;
}

/** The ledger rows in one state. */
export async function inState(sql: postgres.Sql, state: string, parent?: string): Promise<LedgerLine[]> {
  return (await readLedger(sql, parent)).filter((line) => line.state === state);
}

/** The nth of them, which must be there. */
export function nth<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`there are only ${String(items.length)} items`);
  return item;
}
