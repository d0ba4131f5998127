/**
 * Functions that the Lambda service refuses at first, since it took their network interfaces away while they were idle.
 * Every workflow ends as it would have, whatever Step Functions calls that.
 */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { StepCall } from '../../lambdas/runtime/serve.ts';
import type { Step } from '../../lib/functions/steps.ts';
import { InvocationError, type FunctionRunner } from '../../local/step-functions/lambda-pool.ts';
import { loadStateMachine, type LocalStateMachine } from '../../local/step-functions/load-state-machine.ts';
import { runExecution } from '../../local/step-functions/run-execution.ts';
import {
  NAMINGS,
  refusing,
  SERVICE_ERRORS,
  type Refusal,
} from '../../local/step-functions/service-errors.ts';
import { synthesiseAssembly } from './synthesise.ts';
import { WORKFLOWS } from './workflows/names.ts';

const assembly = synthesiseAssembly({ bundle: false });
const streamed = synthesiseAssembly({
  bundle: false,
  changes: { partitionSets: [{ schema: 'public', table: 'orders', export: 'stream' }] },
});
const archive = { manifestKey: 'key', manifestVersionId: 'v' };
const request = { execution: 'e', startedAt: 'now', partitionIds: [1], more: 0 };

type Answers = Partial<Record<Step, (event: Readonly<Record<string, unknown>>) => unknown>>;

/** Answers of a run in which everything works. */
const WORKS: Answers = {
  preflight: () => request,
  maintain: () => ({}),
  detect: () => ({ partitions: [1, 2], redriveCount: 0 }),
  quarantine: () => ({ next: 'export', segments: [1, 2] }),
  commit: () => ({ next: 'drop', segments: [] }),
  report: () => ({ resume: false, archived: 2 }),
  'plan-restore': () => ({ archives: [archive], options: { retrieval: {} }, execution: 'e', input: {} }),
  'select-archive': () => ({ next: 'drill', archive, retrieval: {}, execution: 'e' }),
  'find-restore': () => ({ next: 'retrieve', segments: null }),
  retrieve: () => ({ readable: true, waitSeconds: 0 }),
  'begin-restore': () => ({ next: 'import', restoreId: 1, segments: [1] }),
  attach: () => ({ next: 'done' }),
  build: () => ({ next: 'prove', waitSeconds: 0, ranges: [1] }),
  publish: () => ({ partitionId: 1 }),
  'report-restore': () => ({ resume: false, restored: 1 }),
  'finish-drill': () => ({ summary: 'good' }),
  'audit-next': ({ progress }) =>
    progress === 'first page'
      ? { next: 'done', report: { intact: 1 } }
      : { next: 'archives', archives: ['key'], segments: 1, progress: 'first page' },
  'audit-archive': () => ({ versionId: 'v', ranges: [1] }),
  'audit-segments': () => ({}),
  'audit-verdict': () => ({}),
  'reverify-plan': () => request,
  'reverify-begin': () => ({ next: 'compare', segments: [1], evidence: {} }),
  'reverify-report': () => ({ resume: false, verified: 1 }),
  'partition-table': () => ({ next: 'report', report: { table: 'shop.orders' } }),
};

/** The assembly has no set with `query`, and so no *Convert*. */
const AWAKENED = [...WORKFLOWS.filter((name) => name !== 'convert'), 'archive by stream'];

const machines = new Map<string, LocalStateMachine>();
function load(name: string): LocalStateMachine {
  const [workflow = '', by] = name.split(' by ');
  const surroundings = { region: 'eu-central-1', bucketName: 'archive', databaseHost: 'localhost' };
  const machine =
    machines.get(name) ??
    loadStateMachine(by === 'stream' ? streamed : assembly, { ...surroundings, workflow });
  machines.set(name, machine);
  return machine;
}

/** Runs a workflow. `calls` are those that a function was really run for. */
async function run(workflow: string, answers: Answers, refusal: Refusal = { error: '' }) {
  const calls: Step[] = [];
  const runner: FunctionRunner = {
    invoke: async (target, event, onStart) => {
      onStart?.({ requestId: '', function: target, event, pid: 0, coldStart: true, kill: () => undefined });
      await setImmediate();
      const { step, input } = event as StepCall;
      calls.push(step as Step);
      return { result: { ...WORKS, ...answers }[step as Step]?.(input as never) ?? {}, memoryMiB: 0 };
    },
    close: () => Promise.resolve(),
  };
  const options = {
    environment: {},
    retryIntervalMs: refusal.milliseconds === undefined ? 1 : 20,
    runner: refusing(runner, refusal),
  };
  const { status, output, error } = await runExecution(load(workflow), {}, options);
  return { end: { status, output, error }, calls: calls.sort() };
}

/** Three minutes, which is what network interfaces have been seen to take. */
const ASLEEP = { calls: 12 };

// Seen to fail without the last retrier of a step: Archive ends with PartitionsFailed, since Quarantine is refused, and
// RecordFailure after it.
describe.each(AWAKENED)('%s, with all functions asleep', (workflow) => {
  test.each(Object.entries(NAMINGS))(
    'ends as if they were not, the error named in the way "%s"',
    async (_, name) => {
      const awake = await run(workflow, {});
      expect(awake.end.status).toBe('SUCCEEDED');
      const refusal = { error: name('ResourceNotReadyException'), ...ASLEEP };
      expect(await run(workflow, {}, refusal)).toEqual(awake);
    },
  );
});

describe('Archive, with all functions refused', () => {
  // Seen to fail with the retrier of service errors as it was: 6 tries for the two that it names.
  test.each(SERVICE_ERRORS.flatMap((error) => [[NAMINGS.prefixed(error)], [NAMINGS.bare(error)]]))(
    'by %s, is resumed when they are not any more',
    async (error) => {
      const { end } = await run('archive', {}, { error, ...ASLEEP });
      expect(end).toMatchObject({ status: 'SUCCEEDED', output: { archived: 2 } });
    },
  );

  test('for a time, waits for it', async () => {
    const { end } = await run(
      'archive',
      {},
      { error: 'Lambda.ResourceNotReadyException', milliseconds: 200 },
    );
    expect(end.status).toBe('SUCCEEDED');
  });

  test('for longer than it waits, fails, and does nothing', async () => {
    const { end, calls } = await run(
      'archive',
      {},
      { error: 'Lambda.ResourceNotReadyException', calls: 1000 },
    );
    expect(end).toMatchObject({ status: 'FAILED', error: 'Lambda.ResourceNotReadyException' });
    expect(calls).toEqual([]);
  });

  test('records why a partition failed, by a function that sleeps as well', async () => {
    const answers: Answers = {
      commit: () => {
        throw new InvocationError('BoundsViolated', 'on purpose');
      },
    };
    const refusal = { error: NAMINGS.unknown(), ...ASLEEP };
    const { calls } = await run('archive', answers, refusal);
    expect(calls.filter((step) => step === 'record-failure')).toHaveLength(2);
    expect(calls.filter((step) => step === 'report')).toHaveLength(1);
  });
});

// Seen to fail without the first retrier: it is tried 21 times.
test.each(['ContentMismatch', 'SealBroken', 'PreflightFailed'])(
  'a verdict such as %s is not tried again',
  async (code) => {
    const { calls } = await run('archive', {
      detect: () => ({ partitions: [1], redriveCount: 0 }),
      quarantine: () => ({ next: 'export', segments: [1] }),
      verify: () => {
        throw new InvocationError(code, 'on purpose');
      },
    });
    expect(calls.filter((step) => step === 'verify')).toHaveLength(1);
  },
);
