/** The workflow *PartitionTable* as it is synthesised: it goes where its function says, as often as it says so. */
import { expect, test } from '@jest/globals';
import type { StepCall } from '../../../lambdas/runtime/serve.ts';
import { CALL_MS } from '../../../core/partition-table/call.ts';
import { NEXT_STEPS } from '../../../core/partition-table/steps.ts';
import { allStates } from '../../../local/step-functions/definition.ts';
import { InvocationError } from '../../../local/step-functions/lambda-pool.ts';
import { loadStateMachine } from '../../../local/step-functions/load-state-machine.ts';
import { runExecution, type ExecutionResult } from '../../../local/step-functions/run-execution.ts';
import { synthesiseAssembly } from '../synthesise.ts';

const where = { region: 'eu-central-1', bucketName: 'archive', databaseHost: 'localhost' };
const assembly = synthesiseAssembly({ bundle: false });
const machine = loadStateMachine(assembly, { ...where, workflow: 'partition-table' });
const states = allStates(machine.definition.States);

/** Runs it with a function that returns these one after the other; an error is thrown. */
async function execute(
  input: object,
  answers: readonly unknown[],
): Promise<{ result: ExecutionResult; calls: Record<string, unknown>[] }> {
  const calls: Record<string, unknown>[] = [];
  const rest = [...answers];
  const result = await runExecution(machine, input, {
    environment: {},
    name: 'partition-orders',
    retryIntervalMs: 0,
    runner: {
      invoke: (_, event) => {
        calls.push((event as StepCall).input as Record<string, unknown>);
        const answer = rest.shift();
        if (answer instanceof Error) return Promise.reject(answer);
        return Promise.resolve({ result: answer, memoryMiB: 1 });
      },
      close: () => Promise.resolve(),
    },
  });
  return { result, calls };
}

test('every step of the protocol is a state', () => {
  const names = NEXT_STEPS.map((step) => step.replace(/^./, (letter) => letter.toUpperCase()));
  expect(states.map(([name]) => name).sort()).toEqual(['Begin', 'Done', 'What is next?', ...names].sort());
});

test('a loop of copying and comparing continues until the function says otherwise, and hands on what it answered', async () => {
  const at = (next: string, more: object = {}): object => ({ id: 7, next, ...more });
  const { result, calls } = await execute({ table: 'shop.orders' }, [
    at('makePartitions'),
    at('backfill'),
    at('backfill', { blocksLeft: 9 }),
    at('catchUp'),
    // Killed, and started again.
    new InvocationError('Runtime.ExitError', 'killed'),
    at('compare'),
    at('compare', { comparedTo: '2026-01-01' }),
    at('compare'),
    at('swap'),
    at('done', { report: { state: 'swapped' } }),
  ]);
  expect([result.status, result.output]).toEqual(['SUCCEEDED', { state: 'swapped' }]);
  expect(calls.map((call) => call['do'])).toEqual([
    'begin',
    'makePartitions',
    'backfill',
    'backfill',
    'catchUp',
    'catchUp',
    'compare',
    'compare',
    'compare',
    'swap',
  ]);
  expect(calls[0]).toEqual({ do: 'begin', input: { table: 'shop.orders' }, execution: 'partition-orders' });
  expect(calls[3]).toEqual({
    do: 'backfill',
    at: at('backfill', { blocksLeft: 9 }),
    execution: 'partition-orders',
  });
});

// Seen to fail with 14 days. An execution that has too many events fails, and no alarm reports that.
test('is over before its events are used up', () => {
  const { TimeoutSeconds = 0 } = machine.definition;
  const calls = TimeoutSeconds / (CALL_MS / 1_000);
  // Of the Task: entered, scheduled, started, succeeded, exited; of the Choice: entered, exited.
  expect(calls * 7).toBeGreaterThan(20_000);
  expect(calls * 7).toBeLessThan(25_000);
});

test.each(['ShadowDiffers', 'PreflightFailed', 'StateConflict', 'InvalidInput'])(
  '%s ends it at once',
  async (error) => {
    const { result, calls } = await execute({}, [{ next: 'compare' }, new InvocationError(error, 'why')]);
    expect([result.status, result.error, calls.length]).toEqual(['FAILED', error, 2]);
  },
);

test('a step that ran out of its time or died is tried again', () => {
  for (const [name, { Type, Retry = [] }] of states) {
    if (Type !== 'Task') continue;
    const retried = Retry.flatMap(({ ErrorEquals }) => ErrorEquals);
    expect([name, retried]).toEqual([
      name,
      expect.arrayContaining(['Interrupted', 'Sandbox.Timedout', 'Runtime.ExitError', 'LockNotAvailable']),
    ]);
  }
});
