import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import {
  redriveExecution,
  runExecution,
  type ExecutionOptions,
  type HistoryEvent,
} from '../../../local/step-functions/run-execution.ts';
import { task, tinyMachine } from './tiny-machine.ts';

const LOCAL = join(import.meta.dirname, '../../../local/step-functions');

const QUICK: ExecutionOptions = { environment: {}, retryIntervalMs: 1 };

const ONE_TASK = { StartAt: 'Work', States: { Work: task({ End: true }) } };

/** Events as short words, such as `StateRetried Work`. */
function recorder(): { events: string[]; onEvent: (event: HistoryEvent) => void } {
  const events: string[] = [];
  return {
    events,
    onEvent: (event) => {
      const state =
        'state' in event ? (typeof event.state === 'string' ? event.state : event.state.name) : '';
      events.push(`${event.type} ${state}`.trim());
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('the answer of the function is the output, and the history tells it in order', async () => {
  using machine = tinyMachine(ONE_TASK, 'return { sum: event.a + event.b };');
  const { events, onEvent } = recorder();
  const result = await runExecution(machine, { a: 1, b: 2 }, { ...QUICK, onEvent });
  expect(result).toMatchObject({ status: 'SUCCEEDED', output: { sum: 3 }, redriveCount: 0 });
  expect(events).toEqual([
    'ExecutionStarted',
    'StateEntered Work',
    'LambdaFunctionStarted Work',
    'LambdaFunctionSucceeded Work',
    'StateExited Work',
    'ExecutionSucceeded',
  ]);
});

test('lambda:invoke wraps the answer as Step Functions does', async () => {
  using machine = tinyMachine(
    {
      StartAt: 'Work',
      States: {
        Work: task({
          Resource: 'arn:aws:states:::lambda:invoke',
          Parameters: {
            FunctionName: 'arn:aws:lambda:eu-central-1:000000000000:function:Worker',
            'Payload.$': '$',
          },
          End: true,
        }),
      },
    },
    'return event;',
  );
  const result = await runExecution(machine, { a: 1 }, QUICK);
  expect(result.output).toEqual({ StatusCode: 200, ExecutedVersion: '$LATEST', Payload: { a: 1 } });
});

test('a function sees the environment of the template and of the local stack, and nothing else', async () => {
  using machine = tinyMachine(ONE_TASK, 'return { ...process.env };');
  const { output } = await runExecution(
    machine,
    {},
    { environment: { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' } },
  );
  expect(output).toMatchObject({
    GREETING: 'hello',
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
    AWS_LAMBDA_FUNCTION_NAME: 'Worker',
  });
  expect(output).not.toHaveProperty('HOME');
  expect(output).not.toHaveProperty('PATH');
});

test('a retryable error is tried again, in the same warm process', async () => {
  using machine = tinyMachine(
    {
      StartAt: 'Work',
      States: { Work: task({ Retry: [{ ErrorEquals: ['Busy'], MaxAttempts: 5 }], End: true }) },
    },
    "if (invocations < 3) throw Object.assign(new Error('not yet'), { name: 'Busy' }); return { invocations };",
  );
  const { events, onEvent } = recorder();
  const result = await runExecution(machine, {}, { ...QUICK, onEvent });
  expect(result.output).toEqual({ invocations: 3 });
  expect(events.filter((event) => event === 'StateRetried Work')).toHaveLength(2);
});

test('another error is not retried, and fails the execution with the cause that Lambda gives', async () => {
  using machine = tinyMachine(
    { StartAt: 'Work', States: { Work: task({ Retry: [{ ErrorEquals: ['Busy'] }], End: true }) } },
    "throw new TypeError('no good');",
  );
  const result = await runExecution(machine, {}, QUICK);
  expect(result).toMatchObject({ status: 'FAILED', error: 'TypeError', failedState: { name: 'Work' } });
  expect(JSON.parse(result.cause ?? '')).toMatchObject({ errorType: 'TypeError', errorMessage: 'no good' });
  expect(result.history['StateRetried']).toBeUndefined();
});

const CAUGHT = {
  StartAt: 'Work',
  States: {
    Work: task({
      Retry: [{ ErrorEquals: ['Runtime.ExitError'], MaxAttempts: 1 }],
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Caught' }],
      End: true,
    }),
    Caught: { Type: 'Pass', End: true },
  },
};

test('a caught error lies where ResultPath says, beside the input', async () => {
  using machine = tinyMachine(CAUGHT, "throw new TypeError('no good');");
  const { output } = await runExecution(machine, { partitionId: 7 }, QUICK);
  expect(output).toMatchObject({
    partitionId: 7,
    failure: { Error: 'TypeError', Cause: expect.stringContaining('no good') },
  });
});

test('a process that is killed is Runtime.ExitError, and a retry gets a new one', async () => {
  using machine = tinyMachine(
    CAUGHT,
    'if (event.slow) await new Promise((done) => setTimeout(done, 200)); return { pid: process.pid };',
  );
  const pids: number[] = [];
  const result = await runExecution(
    machine,
    { slow: true },
    {
      ...QUICK,
      onInvoke: ({ state, pid, kill }) => {
        expect(state).toBe('Work');
        pids.push(pid);
        if (pids.length === 1) kill();
      },
    },
  );
  expect(result).toMatchObject({ status: 'SUCCEEDED', output: { pid: pids[1] } });
  expect(pids[1]).not.toBe(pids[0]);
  expect(result.history).toMatchObject({ LambdaFunctionFailed: 1, StateRetried: 1 });
});

test('a function that takes too long is Sandbox.Timedout, and is killed', async () => {
  using machine = tinyMachine(CAUGHT, 'await new Promise(() => setInterval(() => {}, 1000));', {
    timeoutSeconds: 0.3,
  });
  let pid = 0;
  const { output, history } = await runExecution(
    machine,
    {},
    {
      ...QUICK,
      onInvoke: (invocation) => {
        pid = invocation.pid;
      },
    },
  );
  expect(output).toMatchObject({
    failure: { Error: 'Sandbox.Timedout', Cause: expect.stringContaining('timed out after 0.30 seconds') },
  });
  expect(history).toMatchObject({ LambdaFunctionTimedOut: 1 });
  expect(isAlive(pid)).toBe(false);
});

test('a function that takes more memory than it has is killed', async () => {
  using machine = tinyMachine(
    CAUGHT,
    'const held = []; for (;;) { held.push(Buffer.alloc(1 << 22, 1)); await new Promise((next) => setTimeout(next, 5)); }',
    { memoryMiB: 192 },
  );
  const { output } = await runExecution(machine, {}, QUICK);
  expect(output).toMatchObject({ failure: { Error: 'Runtime.OutOfMemory' } });
});

test.each([
  [{}, ['--max-semi-space-size=12', '--max-old-space-size=231']],
  [{ NODE_OPTIONS: '--max-semi-space-size=1' }, []],
])(
  'with the environment %j the limits of its heap are those that Lambda sets',
  async (environment, limits) => {
    using machine = tinyMachine(ONE_TASK, 'return { limits: process.execArgv };', { environment });
    const { output } = (await runExecution(machine, {}, QUICK)) as unknown as {
      output: { limits: string[] };
    };
    expect(output.limits.filter((each) => each.includes('space-size'))).toEqual(limits);
  },
);

test('getRemainingTimeInMillis counts down from the timeout', async () => {
  using machine = tinyMachine(ONE_TASK, 'return { left: context.getRemainingTimeInMillis() };', {
    timeoutSeconds: 5,
  });
  const { output } = (await runExecution(machine, {}, QUICK)) as unknown as { output: { left: number } };
  expect(output.left).toBeGreaterThan(4000);
  expect(output.left).toBeLessThanOrEqual(5000);
});

test('a Map honours MaxConcurrency, hands out items, and its result can be selected', async () => {
  using machine = tinyMachine(
    {
      StartAt: 'Each',
      States: {
        Each: {
          Type: 'Map',
          ItemsPath: '$.numbers',
          ItemSelector: { 'number.$': '$$.Map.Item.Value' },
          MaxConcurrency: 2,
          ItemProcessor: {
            ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
            StartAt: 'Work',
            States: { Work: task({ End: true }) },
          },
          ResultSelector: { 'failed.$': "States.ArrayContains($, 'failed')", 'all.$': '$' },
          ResultPath: '$.result',
          End: true,
        },
      },
    },
    "await new Promise((next) => setTimeout(next, 50)); return event.number === 3 ? 'failed' : 'fine';",
  );
  let running = 0;
  let most = 0;
  const { output } = await runExecution(
    machine,
    { numbers: [1, 2, 3, 4, 5] },
    {
      ...QUICK,
      onEvent: ({ type }) => {
        if (type === 'LambdaFunctionStarted') most = Math.max(most, ++running);
        if (type === 'LambdaFunctionSucceeded') running--;
      },
    },
  );
  expect(output).toMatchObject({ result: { failed: true, all: ['fine', 'fine', 'failed', 'fine', 'fine'] } });
  expect(most).toBe(2);
});

test('a redrive continues in the state that failed, with its input and a higher count', async () => {
  using machine = tinyMachine(
    {
      StartAt: 'First',
      States: {
        First: task({ Parameters: { who: 'first' }, ResultPath: '$.first', Next: 'Second' }),
        Second: task({
          Parameters: { who: 'second', 'redriveCount.$': '$$.Execution.RedriveCount', 'first.$': '$.first' },
          End: true,
        }),
      },
    },
    "if (event.who === 'second' && event.redriveCount === 0) throw new Error('once'); return event;",
  );
  const failed = await runExecution(machine, { a: 1 }, QUICK);
  expect(failed).toMatchObject({ status: 'FAILED', failedState: { name: 'Second' } });
  const { events, onEvent } = recorder();
  const redriven = await redriveExecution(machine, failed, { ...QUICK, onEvent });
  expect(redriven).toMatchObject({
    status: 'SUCCEEDED',
    arn: failed.arn,
    redriveCount: 1,
    output: { who: 'second', redriveCount: 1, first: { who: 'first' } },
  });
  expect(events).not.toContain('StateEntered First');
});

test('a stopped execution is ABORTED, and leaves no process behind', async () => {
  using machine = tinyMachine(ONE_TASK, 'await new Promise(() => setInterval(() => {}, 1000));');
  const stop = new AbortController();
  const pids: number[] = [];
  const running = runExecution(
    machine,
    {},
    {
      ...QUICK,
      signal: stop.signal,
      onInvoke: ({ pid }) => {
        pids.push(pid);
        stop.abort();
      },
    },
  );
  expect(await running).toMatchObject({ status: 'ABORTED' });
  await sleep(50);
  expect(pids).toHaveLength(1);
  expect(pids.filter(isAlive)).toEqual([]);
});

test('functions end with the process that runs them, even if that one is killed', async () => {
  using machine = tinyMachine(ONE_TASK, 'await new Promise(() => setInterval(() => {}, 1000));');
  const script = `
    import { LambdaPool } from ${JSON.stringify(join(LOCAL, 'lambda-pool.ts'))};
    const target = ${JSON.stringify([...machine.functions.values()][0])};
    const pool = new LambdaPool({ environment: {} });
    await pool.invoke(target, {}, ({ pid }) => console.log(pid));`;
  const folder = mkdtempSync(join(tmpdir(), 'killed-'));
  const runner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, TMPDIR: folder },
  });
  const [line] = (await once(runner.stdout.setEncoding('utf8'), 'data')) as [string];
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  runner.kill('SIGKILL');
  for (let tries = 0; tries < 100 && isAlive(pid); tries += 1) await sleep(50);
  expect(isAlive(pid)).toBe(false);
  rmSync(folder, { recursive: true });
});

test('temporary files of a function go with its process', async () => {
  const source = `
    const [{ writeFileSync }, { tmpdir }] = [await import('node:fs'), await import('node:os')];
    writeFileSync(tmpdir() + '/left', '');
    return tmpdir();`;
  using machine = tinyMachine(ONE_TASK, source);
  const { status, output } = await runExecution(machine, {}, QUICK);
  expect({ status, output }).toEqual({ status: 'SUCCEEDED', output: expect.stringContaining('/lambda-') });
  expect(existsSync(String(output))).toBe(false);
});

test('what a function writes is handed on line by line', async () => {
  using machine = tinyMachine(ONE_TASK, "console.log('one\\ntwo'); return {};");
  const lines: string[] = [];
  await runExecution(machine, {}, { ...QUICK, onLog: (line) => lines.push(line) });
  expect(lines).toEqual(['one', 'two']);
});

test.each([
  ['index.other', 'Runtime.HandlerNotFound'],
  ['missing.handler', 'Runtime.ImportModuleError'],
])('a handler %s that is not there is %s', async (handler, error) => {
  using machine = tinyMachine(ONE_TASK, 'return {};');
  const functions = new Map([...machine.functions].map(([arn, each]) => [arn, { ...each, handler }]));
  const result = await runExecution({ ...machine, functions }, {}, QUICK);
  expect(result).toMatchObject({ status: 'FAILED', error });
});
