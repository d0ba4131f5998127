import { truncate, PAYLOAD_BUDGET } from '../limits.ts';
import { displayName } from '../partition.ts';
import type { CheckedPartition } from './compare.ts';
import type { PartitionTableDatabase } from './database.ts';
import type { Progress } from './steps.ts';

/** The output of an execution of *Partition table*. */
export interface PartitionTableReport {
  readonly table: string;
  readonly state: 'checked' | 'swapped' | 'rolled back' | 'dropped';
  /** What was compared, where the table has a job: rows in all, and of each partition, as many as there is room for. */
  readonly rows?: number;
  readonly partitions?: number;
  readonly checked?: readonly CheckedPartition[];
  /** What to do next. */
  readonly nextStep: string;
}

/** Adds the report to the progress of a last step, which was `done`. */
export async function withReport(
  at: Progress,
  done: string,
  database: PartitionTableDatabase,
): Promise<Progress & { readonly report?: PartitionTableReport }> {
  if (at.next !== 'done') return at;
  const table = displayName(at.schema, at.table);
  if (done === 'rollBack')
    return { ...at, report: { table, state: 'rolled back', nextStep: 'Nothing: the table is as it was.' } };
  if (done === 'dropReplaced')
    return {
      ...at,
      report: { table, state: 'dropped', nextStep: 'Nothing: the table that was replaced is dropped.' },
    };
  const job = await database.find(at.schema, at.table);
  const checked = job?.checked ?? [];
  const state = job?.state === 'swapped' ? 'swapped' : 'checked';
  const rows = checked.reduce((sum, partition) => sum + partition.rows, 0);
  const report = {
    table,
    state,
    rows,
    partitions: checked.length,
    checked: truncate(checked, PAYLOAD_BUDGET.partitions),
  };
  return { ...at, report: { ...report, state, nextStep: NEXT[state](table) } };
}

const NEXT = {
  checked: (table: string): string =>
    `Nothing has changed places yet, and every changed row of the table is logged until then. Start it again with ${JSON.stringify({ table, upTo: 'swap' })}, or with ${JSON.stringify({ table, rollBack: true })}.`,
  swapped: (table: string): string =>
    `Add ${table} to the partition sets of the deployment and start PrepareDatabase. The old table is kept until it is started with ${JSON.stringify({ table, dropReplaced: true })}.`,
};
