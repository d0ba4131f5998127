import { localSteps } from '../../bin/archive/steps.ts';
import { systemClock } from '../../adapters/clock.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../../core/config/runtime.ts';
import { run, type Steps } from '../../core/archive/run.ts';
import type { Request } from '../../core/archive/request.ts';
import { silentLog } from '../../core/ports.ts';
import { BENCH, type Environment } from './environment.ts';
import type { Detached, Shape } from './tables.ts';

/** How a partition is archived. */
export interface Tuning {
  readonly segmentSizeMiB: number;
  /** Segments at a time. */
  readonly segments: number;
  /** Further settings of the set. */
  readonly set?: Readonly<Record<string, unknown>>;
}

/** Two cores, kept busy to the end: with small segments, and one more of them at a time than there are cores. */
export const TWO_CORES: Tuning = { segmentSizeMiB: 64, segments: 3 };

/** A run that may do everything. */
export const REQUEST: Request = {
  partitionSets: [0],
  mode: 'archive',
  dryRun: false,
  archiveOnly: false,
  startedAt: '2026-01-01T00:00:00.000Z',
};

/** The configuration of one set, dropped as soon as it is proven. */
export function configFor(shape: Shape, { segmentSizeMiB, segments, set = {} }: Tuning): RuntimeConfig {
  const parsed = parseRuntimeConfig({
    partitionSets: [{ schema: 'app', table: shape.name, drop: true, graceDays: 0, segmentSizeMiB, ...set }],
    concurrency: { partitions: 1, segments },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

/** The steps of a run in this process. */
export function stepsFor(environment: Environment, config: RuntimeConfig): Steps {
  const { s3, stack, open } = environment;
  return localSteps({
    config,
    s3,
    bucket: BENCH.bucket,
    region: stack.s3.region,
    open,
    clock: systemClock(),
    log: silentLog,
  });
}

/** Milliseconds that each step took, summed over segments. */
export type StepTimes = Record<string, number>;

/**
 * Archives one detached partition, from quarantine to drop, by the run that the local command uses; the steps of the
 * whole run, which look at all sets, are left out.
 */
export async function archive(
  environment: Environment,
  shape: Shape,
  partition: Detached,
  tuning: Tuning = TWO_CORES,
  changes: Partial<Steps> = {},
): Promise<StepTimes> {
  const config = configFor(shape, tuning);
  const steps = { ...stepsFor(environment, config), ...changes };
  const times: StepTimes = {};
  const timed = async <Answer>(name: string, step: () => Promise<Answer>): Promise<Answer> => {
    const start = performance.now();
    try {
      return await step();
    } finally {
      times[name] = (times[name] ?? 0) + performance.now() - start;
    }
  };
  const failures: string[] = [];
  await run(
    {},
    {
      preflight: () => Promise.resolve(REQUEST),
      maintain: () => Promise.resolve([]),
      detect: () => Promise.resolve({ partitions: [partition.id], notDue: [] }),
      quarantine: (id, request) => timed('quarantine', () => steps.quarantine(id, request)),
      export: (id, segmentNumber) => timed('export', () => steps.export(id, segmentNumber)),
      verify: (id, segmentNumber) => timed('verify', () => steps.verify(id, segmentNumber)),
      commit: (id, request) => timed('commit', () => steps.commit(id, request)),
      drop: (id) => timed('drop', () => steps.drop(id)),
      recordFailure: (_, { Error: name, Cause }) => {
        failures.push(`${name}: ${Cause}`);
        return Promise.resolve();
      },
      report: () => Promise.resolve({} as never),
    },
    { concurrency: config.concurrency, clock: systemClock() },
  );
  if (failures.length > 0) throw new Error(`the archive failed: ${failures.join('; ')}`);
  await assertDropped(environment, partition);
  return times;
}

async function assertDropped({ sql }: Environment, { id, rows }: Detached): Promise<void> {
  const [row] = await sql<{ state: string; rows: string }[]>`
    select state, row_count as rows from partition_archiver.partition where id = ${id}`;
  if (row?.state !== 'dropped' || Number(row.rows) !== rows) {
    throw new Error(
      `partition ${id} is ${row?.state ?? 'gone'} with ${row?.rows ?? 'no'} rows, not dropped with ${rows}`,
    );
  }
}
