import { describe, expect, test } from '@jest/globals';
import { runExecution } from '../../../local/step-functions/run-execution.ts';
import { task, tinyMachine } from './tiny-machine.ts';

const QUICK = { environment: {}, retryIntervalMs: 1 };
const LIMIT = 262_144;

/** A text that JSON writes with so many bytes. */
const text = (bytes: number): string => 'ä' + 'a'.repeat(bytes - 4);

const RETURNS_MUCH = {
  StartAt: 'Work',
  States: {
    Work: task({
      Parameters: { 'bytes.$': '$.bytes' },
      ResultPath: null,
      Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1 }],
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }],
      End: true,
    }),
    Caught: { Type: 'Pass', End: true },
  },
};
const RETURN_MUCH = "return 'a'.repeat(event.bytes - 2);";

// Seen to fail without payloadWatch(), each of them.
describe('what Step Functions does not take is not taken here', () => {
  test.each([
    [LIMIT, { status: 'SUCCEEDED' }],
    [
      LIMIT + 1,
      {
        status: 'FAILED',
        error: 'States.DataLimitExceeded',
        cause: 'the result of Work has 262145 bytes, and Step Functions takes 262144',
      },
    ],
  ])('the result of a function with %d bytes, not caught by States.ALL', async (bytes, expected) => {
    using machine = tinyMachine(RETURNS_MUCH, RETURN_MUCH);
    expect(await runExecution(machine, { bytes }, QUICK)).toMatchObject(expected);
  });

  test('the input of an execution', async () => {
    using machine = tinyMachine({ StartAt: 'Pass', States: { Pass: { Type: 'Pass', End: true } } }, '');
    const fits = text(LIMIT - '{"a":}'.length);
    expect(await runExecution(machine, { a: fits }, QUICK)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await runExecution(machine, { a: `${fits}a` }, QUICK)).toMatchObject({
      error: 'States.DataLimitExceeded',
      cause: expect.stringMatching(/^the input of the execution has 262145 bytes/),
    });
  });

  test('a result beside the input, though each of them fits', async () => {
    using machine = tinyMachine(
      {
        StartAt: 'Work',
        States: { Work: task({ Parameters: { bytes: 200_000 }, ResultPath: '$.result', End: true }) },
      },
      RETURN_MUCH,
    );
    const result = await runExecution(machine, { a: text(100_000) }, QUICK);
    expect(result).toMatchObject({
      status: 'FAILED',
      cause: expect.stringMatching(/^the output of Work has/),
    });
  });

  test.each([
    [3, { status: 'SUCCEEDED' }],
    [4, { status: 'FAILED', cause: expect.stringMatching(/^the results of Each has 280005 bytes/) }],
  ])('the results of a Map together, though none is kept: %d of 70,000 bytes', async (items, expected) => {
    using machine = tinyMachine(
      {
        StartAt: 'Each',
        States: {
          Each: {
            Type: 'Map',
            ItemsPath: '$.numbers',
            ItemProcessor: {
              ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
              StartAt: 'Work',
              States: { Work: task({ Parameters: { bytes: 70_000 }, End: true }) },
            },
            ResultPath: null,
            End: true,
          },
        },
      },
      RETURN_MUCH,
    );
    const numbers = Array.from({ length: items }, (_, index) => index);
    expect(await runExecution(machine, { numbers }, QUICK)).toMatchObject(expected);
  });
});
