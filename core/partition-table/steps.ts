import { ArchiverError } from '../errors.ts';
import { displayName } from '../partition.ts';
import { withLockTries } from '../retry.ts';
import { addCheckedPartitions } from './compare.ts';
import { cancelling } from './cancel.ts';
import { NEXT_STEPS, type NextStep, type PartitionTablePorts, type Progress, type Step } from './progress.ts';
import { completePlan } from './request.ts';
import type {
  PartialPlan,
  PartitionTableDatabase,
  PartitionTableJob,
  PartitionTablePlan,
  TableName,
} from './database.ts';

export { NEXT_STEPS, type NextStep, type PartitionTablePorts, type Progress } from './progress.ts';

/** Blocks in one transaction: 64 MiB, so that one that is killed has lost little. */
const BLOCKS_AT_ONCE = 8192;
/** So few changed rows are soon taken over, even under the lock. */
const FEW_CHANGES = 1000;
const MOST_CHANGES_UNDER_LOCK = 10_000;
/** Where more rows change in one round than in the last one, no number of rounds helps. */
const ROUNDS = 20;

/**
 * Begins, or finds where an earlier call left it. `plan` may lack what the job under way knows, and is refused where it
 * differs from that; for a new job it lacks only what has a default.
 */
export async function begin(
  plan: PartialPlan,
  upTo: Progress['upTo'],
  { database, clock, log, limits }: PartitionTablePorts,
): Promise<Progress> {
  const { schema, table } = plan;
  const name = displayName(schema, table);
  let underWay = await database.find(schema, table);
  if (underWay?.state === 'begun' && differing(underWay.plan, plan).length > 0) {
    // What is missing for another job is said first. Nothing is on the table yet, and nothing was copied.
    completePlan(plan);
    await database.rollBack(underWay);
    underWay = undefined;
  }
  if (underWay?.state === 'swapped') {
    throw new ArchiverError(
      'StateConflict',
      `${name} is partitioned already; drop the table that it replaced`,
    );
  }
  if (underWay !== undefined) refuseAnotherPlan(name, underWay.plan, plan);
  const job = underWay ?? (await withLockTries(clock, () => database.begin(completePlan(plan), limits)));
  log.info('partitioning', { table: name, job: job.id, state: job.state, ...job.size });
  const at = { schema, table, id: job.id, upTo };
  // A request to check a job that is checked already compares it again.
  if (job.state === 'checked' && upTo === 'check') return { ...at, next: 'catchUp', again: true };
  return { ...resumed(job, at), ...(job.size !== null && { size: job.size }) };
}

/** Finds what is to be rolled back: a partitioning whose tables have not changed places yet. */
export async function beginRollBack(
  { schema, table }: TableName,
  { database }: PartitionTablePorts,
): Promise<Progress> {
  const job = await database.find(schema, table);
  if (job !== undefined && job.state !== 'swapped') {
    return { schema, table, id: job.id, upTo: 'check', next: 'rollBack' };
  }
  const name = displayName(schema, table);
  if (job === undefined) throw new ArchiverError('NotInLedger', `no partitioning of ${name} is under way`);
  throw new ArchiverError(
    'StateConflict',
    `the partitioning of ${name} is ${job.state}, and cannot be rolled back; only the replaced table can be dropped`,
  );
}

/** Finds the table that was replaced. */
export async function beginDropReplaced(
  { schema, table }: TableName,
  { database }: PartitionTablePorts,
): Promise<Progress> {
  const job = await database.find(schema, table);
  if (job?.state === 'swapped') return { schema, table, id: job.id, upTo: 'swap', next: 'dropReplaced' };
  const name = displayName(schema, table);
  if (job === undefined) throw new ArchiverError('NotInLedger', `no table that ${name} replaced is kept`);
  throw new ArchiverError(
    'StateConflict',
    `the partitioning of ${name} is ${job.state}: no table is replaced before the swap; continue it, or roll it back`,
  );
}

const WORK: Readonly<Record<Exclude<NextStep, 'done'>, Step>> = {
  makePartitions: async (at, { database, clock }) => {
    const job = await jobOf(at, database);
    if (job.state !== 'begun') return resumed(job, at);
    await withLockTries(clock, () => database.makePartitions(job));
    return { ...still(at), next: 'backfill' };
  },

  backfill: async (at, ports) => {
    const { database, clock, log } = ports;
    const job = await jobOf(at, database);
    if (job.state !== 'copying') return resumed(job, at);
    const isTime = timer(ports);
    let blocksLeft: number;
    do {
      blocksLeft = await withLockTries(clock, () => database.copyBlocks(job, BLOCKS_AT_ONCE));
      log.info('copied', { table: displayName(at.schema, at.table), blocksLeft });
    } while (blocksLeft > 0 && isTime());
    // Also between two calls, so that what has to be taken over at the end is what changed in a few minutes.
    await database.applyChanges(job);
    return { ...still(at), next: blocksLeft > 0 ? 'backfill' : 'catchUp', blocksLeft };
  },

  catchUp: async (at, ports) => {
    const job = await jobOf(at, ports.database);
    if (job.state !== 'copied' && job.state !== 'checked') return resumed(job, at);
    const rowsApplied = await withLockTries(ports.clock, () => catchUp(job, ports));
    const next = job.state === 'checked' && at.again !== true ? afterCheck(at) : 'compare';
    return { ...still(at), next, rowsApplied, ...(at.again === true && { again: true }) };
  },

  compare: async (at, ports) => {
    const { database, clock, log, limits } = ports;
    const job = await jobOf(at, database);
    if (job.state !== 'copied' && (job.state !== 'checked' || at.again !== true)) return resumed(job, at);
    if (!job.comparing || at.again === true) await database.beginComparison(job);
    const isTime = timer(ports);
    let comparedTo: string | null;
    do {
      // Rows that wait to be taken over are not compared; few of them keep that cheap. They are compared separately.
      await withLockTries(clock, () => catchUp(job, ports));
      await database.verifyApplied(job);
      const { range, verdict } = await database.compareRange(job, limits);
      const name = displayName(at.schema, at.table);
      if (verdict.kind === 'mismatch') {
        throw new ArchiverError('ShadowDiffers', `${name}: ${verdict.differences.slice(0, 20).join('; ')}`);
      }
      comparedTo = range.to;
      const checked = addCheckedPartitions(range.checked, verdict.partitions);
      await database.recordCompared(job, range, checked);
      const rows = checked.reduce((sum, each) => sum + each.rows, 0);
      log.info('compared', { table: name, job: job.id, comparedTo, rows });
    } while (comparedTo !== null && isTime());
    if (comparedTo !== null) return { ...still(at), next: 'compare', comparedTo };
    return { ...still(at), next: afterCheck(at) };
  },

  swap: async (at, ports) => {
    const { database, clock, log } = ports;
    const job = await jobOf(at, database);
    if (job.state !== 'checked') return resumed(job, at);
    await withLockTries(clock, async () => {
      await catchUp(job, ports);
      await database.verifyApplied(job);
      await database.swap(job, MOST_CHANGES_UNDER_LOCK);
    });
    log.info('swapped', { table: displayName(at.schema, at.table), job: job.id });
    return { ...still(at), next: 'done' };
  },

  rollBack: async (at, { database, clock, log }) => {
    await withLockTries(clock, () => database.rollBack(at));
    log.info('rolled back', { table: displayName(at.schema, at.table), job: at.id });
    return { ...still(at), next: 'done' };
  },

  dropReplaced: async (at, { database, clock, log }) => {
    await withLockTries(clock, () => database.dropReplaced(at));
    log.info('dropped', { table: displayName(at.schema, at.table), job: at.id });
    return { ...still(at), next: 'done' };
  },
};

/** The steps by their names. Each continues from where the job stands, so that it can be called again after it was killed. */
export const STEPS = Object.fromEntries(
  NEXT_STEPS.map((name) => [name, cancelling(name, WORK[name])]),
) as typeof WORK;

const still = ({ schema, table, id, upTo }: Omit<Progress, 'next'>): Omit<Progress, 'next'> => ({
  schema,
  table,
  id,
  upTo,
});

const afterCheck = ({ upTo }: Pick<Progress, 'upTo'>): NextStep => (upTo === 'swap' ? 'swap' : 'done');

/** The step that a job has to continue with. */
function resumed(job: PartitionTableJob, at: Omit<Progress, 'next'>): Progress {
  switch (job.state) {
    case 'begun':
      return { ...still(at), next: 'makePartitions' };
    case 'copying':
      return { ...still(at), next: 'backfill' };
    case 'copied':
      return { ...still(at), next: 'catchUp' };
    case 'checked':
      return { ...still(at), next: afterCheck(at) };
    case 'swapped':
      return { ...still(at), next: 'done' };
  }
}

/** The job of an execution, which an operator may have rolled back meanwhile. */
async function jobOf(
  { schema, table, id }: Progress,
  database: PartitionTableDatabase,
): Promise<PartitionTableJob> {
  const job = await database.find(schema, table);
  if (job?.id === id) return job;
  throw new ArchiverError(
    'StateConflict',
    `another session rolled the partitioning of ${displayName(schema, table)} back, or dropped the table that it replaced`,
  );
}

/** Takes over what changed, until few rows change in the time that this takes. */
async function catchUp(job: PartitionTableJob, ports: PartitionTablePorts): Promise<number> {
  const isTime = timer(ports);
  let total = 0;
  for (let round = 1; round <= ROUNDS && isTime(); round += 1) {
    const rows = await ports.database.applyChanges(job);
    total += rows;
    ports.log.info('changes applied', { job: job.id, round, rows });
    if (rows <= FEW_CHANGES) break;
  }
  await ports.database.extend(job);
  return total;
}

/** Says whether there is time to begin something more. */
function timer({ clock, limits }: PartitionTablePorts): () => boolean {
  if (limits === undefined) return () => true;
  const end = clock.now().getTime() + limits.milliseconds;
  return () => clock.now().getTime() < end;
}

/** What was said about what begin may accept, which has no meaning for a job that has begun. */
const REFUSALS_LIFTED: readonly (keyof PartitionTablePlan)[] = ['maxPartitions', 'trustFunctions'];

const differing = (begun: PartitionTablePlan, wanted: PartialPlan): readonly string[] =>
  (Object.keys(wanted) as (keyof PartitionTablePlan)[]).filter(
    (key) => !REFUSALS_LIFTED.includes(key) && wanted[key] !== undefined && wanted[key] !== begun[key],
  );

/** A plan that differs from that of the job under way would be ignored, so it is refused. */
function refuseAnotherPlan(name: string, begun: PartitionTablePlan, wanted: PartialPlan): void {
  const fields = differing(begun, wanted);
  if (fields.length === 0) return;
  throw new ArchiverError(
    'StateConflict',
    `the partitioning of ${name} has begun with another ${fields.join(', ')}: continue with that, or roll back first`,
  );
}
