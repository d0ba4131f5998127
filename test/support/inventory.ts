import type postgres from 'postgres';
import { nth, readLedger, type LedgerLine } from './ledger.ts';
import { createPartitionSet } from './partition-sets.ts';

/** Looks at a set of the schema app as the inventory does. */
export async function takeInventory(sql: postgres.Sql, table: string): Promise<void> {
  await sql`select * from partition_archiver.record_inventory(${`app.${table}`}::regclass::oid, 'UTC')`;
}

/** The oldest partition of a new set, which the ledger knows, detached by somebody since. */
export async function detachedPartition(sql: postgres.Sql, table: string): Promise<LedgerLine> {
  await createPartitionSet(sql, { table, months: 3, rowsPerMonth: 5 });
  await takeInventory(sql, table);
  const line = nth(await readLedger(sql, table), 0);
  await sql.unsafe(`alter table app.${table} detach partition app."${line.table}"`);
  return line;
}

/** What a run would find to do in a set. */
export interface Candidate {
  readonly id: number;
  readonly past: boolean;
  readonly due: boolean | null;
}

/** The partitions of a set that there is work for, in the order in which a run takes them. */
export function candidatesOf(sql: postgres.Sql, table: string): Promise<Candidate[]> {
  return sql<Candidate[]>`
    select id::integer, past_retention as past, due from partition_archiver.candidates(${`app.${table}`}::regclass::oid)`;
}
