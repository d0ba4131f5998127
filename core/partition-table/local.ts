import { withPauses } from '../retry.ts';
import type { CheckedPartition } from './compare.ts';
import type { PartialPlan, TableName } from './database.ts';
import type { Step } from './progress.ts';
import {
  begin,
  beginDropReplaced,
  beginRollBack,
  STEPS,
  type PartitionTablePorts,
  type Progress,
} from './steps.ts';

/** How it went. */
export interface PartitionTableOutcome {
  readonly id: number;
  readonly state: 'checked' | 'swapped';
  readonly rows: number;
  readonly partitions: readonly CheckedPartition[];
}

/**
 * Makes a partition set out of a plain table, all in this process: what the local command does, where there is no Step
 * Functions. Killed at any point, it continues from there when it is called again; until the tables have changed places it
 * can be rolled back. With `upTo: 'check'` it stops before that, for a person to look.
 */
export async function partitionTable(
  plan: PartialPlan,
  ports: PartitionTablePorts,
  upTo: Progress['upTo'] = 'swap',
): Promise<PartitionTableOutcome> {
  const { id } = await follow(await begin(plan, upTo, ports), ports);
  const job = await ports.database.find(plan.schema, plan.table);
  const partitions = job?.checked ?? [];
  const rows = partitions.reduce((sum, partition) => sum + partition.rows, 0);
  return { id, state: upTo === 'swap' ? 'swapped' : 'checked', rows, partitions };
}

/** Gives up before the tables have changed places: the table is as it was. */
export async function rollBackPartitionTable(table: TableName, ports: PartitionTablePorts): Promise<void> {
  await follow(await beginRollBack(table, ports), ports);
}

/** Drops the table that was replaced. */
export async function dropReplacedTable(table: TableName, ports: PartitionTablePorts): Promise<void> {
  await follow(await beginDropReplaced(table, ports), ports);
}

async function follow(begun: Progress, ports: PartitionTablePorts): Promise<Progress> {
  let at = begun;
  while (at.next !== 'done') at = await tried(STEPS[at.next], at, ports);
  return at;
}

/** Pauses after a transaction that met another client of the job: a minute together. */
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/** Does a step, again where its transaction was aborted, as the state machine does. */
const tried = (step: Step, at: Progress, ports: PartitionTablePorts): Promise<Progress> =>
  withPauses(
    ports.clock,
    PAUSES_MS,
    ({ code }) => code === 'TransactionAborted',
    () => step(at, ports),
  );
