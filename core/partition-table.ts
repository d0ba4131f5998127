import { ArchiverError } from './errors.ts';
import { displayName } from './partition.ts';
import type {
  PartitionTableDatabase,
  PartitionTableJob,
  PartitionTablePlan,
} from './partition-table/database.ts';
import type { Clock, Log } from './ports.ts';
import { withLockTries } from './retry.ts';

/** Blocks in one transaction: 64 MiB, so that one that is killed has lost little. */
const BLOCKS_AT_ONCE = 8192;
/** So few changed rows are soon taken over, even under the lock. */
const FEW_CHANGES = 1000;
const MOST_CHANGES_UNDER_LOCK = 10_000;
/** Where more rows change in one round than in the last one, no number of rounds helps. */
const ROUNDS = 20;

/** What `partition-table` works with. */
export interface PartitionTablePorts {
  readonly database: PartitionTableDatabase;
  readonly clock: Clock;
  readonly log: Log;
}

/** How it went. */
export interface PartitionTableOutcome {
  readonly id: number;
  readonly state: 'checked' | 'swapped';
  readonly partitions: number;
  readonly rows: number;
}

/**
 * Makes a partition set out of a plain table. Killed at any point, it goes on from there when it is called again; until the
 * tables have changed places it can be rolled back. With `upTo: 'check'` it stops before that, for a person to look.
 */
export async function partitionTable(
  plan: PartitionTablePlan,
  { database, clock, log }: PartitionTablePorts,
  upTo: 'check' | 'swap' = 'swap',
): Promise<PartitionTableOutcome> {
  const name = displayName(plan.schema, plan.table);
  const underWay = await database.find(plan.schema, plan.table);
  if (underWay?.state === 'swapped') {
    throw new ArchiverError(
      'StateConflict',
      `${name} is partitioned already; let go of the table that it replaced`,
    );
  }
  if (underWay !== undefined) refuseAnotherPlan(name, underWay.plan, plan);
  const job = underWay ?? (await withLockTries(clock, () => database.begin(plan)));
  log.info('partitioning', { table: name, job: job.id, state: job.state });

  if (job.state === 'begun') await withLockTries(clock, () => database.makePartitions(job));
  if (job.state === 'begun' || job.state === 'copying') {
    for (let left = Infinity; left > 0;) {
      left = await withLockTries(clock, () => database.copyBlocks(job, BLOCKS_AT_ONCE));
      log.info('copied', { table: name, blocksLeft: left });
    }
  }
  await catchUp(job, { database, clock, log });
  const verdict = await database.compare(job);
  if (verdict.kind === 'mismatch') {
    throw new ArchiverError('TwinDiffers', `${name}: ${verdict.differences.slice(0, 20).join('; ')}`);
  }
  await database.recordCheck(job, verdict.partitions);
  const rows = verdict.partitions.reduce((sum, partition) => sum + partition.rows, 0);
  const outcome = { id: job.id, partitions: verdict.partitions.length, rows };
  log.info('checked', { table: name, ...outcome });
  if (upTo === 'check') return { ...outcome, state: 'checked' };

  await withLockTries(clock, async () => {
    await catchUp(job, { database, clock, log });
    await database.settle(job);
    await database.swap(job, MOST_CHANGES_UNDER_LOCK);
  });
  log.info('swapped', { table: name, job: job.id });
  return { ...outcome, state: 'swapped' };
}

/** Takes over what changed, until few rows change in the time that this takes. */
async function catchUp(job: PartitionTableJob, { database, log }: PartitionTablePorts): Promise<void> {
  for (let round = 1; round <= ROUNDS; round += 1) {
    const rows = await database.takeChanges(job);
    log.info('changes taken over', { job: job.id, round, rows });
    if (rows <= FEW_CHANGES) return;
  }
}

/** A plan that differs from that of the job under way would be ignored, so it is refused. */
function refuseAnotherPlan(name: string, begun: PartitionTablePlan, wanted: PartitionTablePlan): void {
  const differing = (Object.keys(wanted) as (keyof PartitionTablePlan)[]).filter(
    (key) => wanted[key] !== undefined && wanted[key] !== begun[key],
  );
  if (differing.length === 0) return;
  throw new ArchiverError(
    'StateConflict',
    `the partitioning of ${name} has begun with another ${differing.join(', ')}: go on with that, or roll back first`,
  );
}

/** Gives up before the tables have changed places: the table is as it was. */
export async function rollBackPartitionTable(
  schema: string,
  table: string,
  { database, clock }: PartitionTablePorts,
): Promise<void> {
  const job = await database.find(schema, table);
  if (job === undefined || job.state === 'swapped') {
    throw new ArchiverError(
      'StateConflict',
      `no partitioning of ${displayName(schema, table)} can be rolled back`,
    );
  }
  await withLockTries(clock, () => database.rollBack(job));
}

/** Drops the table that was replaced. */
export async function letGoOfReplaced(
  schema: string,
  table: string,
  { database, clock }: PartitionTablePorts,
): Promise<void> {
  const job = await database.find(schema, table);
  if (job?.state !== 'swapped') {
    throw new ArchiverError('StateConflict', `no table that ${displayName(schema, table)} replaced is kept`);
  }
  await withLockTries(clock, () => database.letGo(job));
}
