import { describe, expect, test } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { serve } from '../../../lambdas/runtime/serve.ts';
import { servedSteps } from '../../../lib/functions/function-table.ts';

const FUNCTION = 'arn:aws:lambda:eu-central-1:111122223333:function:f';
const contextOf = (invokedFunctionArn: string) =>
  ({ invokedFunctionArn, getRemainingTimeInMillis: () => 900_000 }) as Context;

const handlers = {
  release: (input: unknown, context: Context) =>
    Promise.resolve({ input, seconds: Math.round(context.getRemainingTimeInMillis() / 1000) }),
  adopt: () => Promise.resolve('adopted'),
  detect: () => Promise.resolve('detected'),
};
const operations = serve(handlers, { STEPS: servedSteps('maintenance') });
const detection = serve(handlers, { STEPS: servedSteps('detection') });

test('a step gets its input, and no more time than it had in a function of its own', async () => {
  const call = { step: 'release', input: { partitionId: 7 } };
  expect(await operations(call, contextOf(`${FUNCTION}:release`))).toEqual({
    input: { partitionId: 7 },
    seconds: 300,
  });
});

// The first two, and the release, were seen to run without the line that looks at the environment's step and alias.
describe('refused is', () => {
  test.each([
    ['a step that the function has, but not for this alias', 'adopt', `${FUNCTION}:release`],
    ['a step that needs an alias, asked for without', 'release', FUNCTION],
    ['a step without a handler', 'upgrade-ledger', `${FUNCTION}:upgrade-ledger`],
    ['what is no step', 'constructor', `${FUNCTION}:release`],
  ])('%s', async (_, step, arn) => {
    await expect(operations({ step, input: {} }, contextOf(arn))).rejects.toMatchObject({
      code: 'InvalidInput',
    });
  });

  test('a release that Archive asks for: its function has the handler, and the environment does not name it', async () => {
    expect(await detection({ step: 'detect', input: {} }, contextOf(FUNCTION))).toBe('detected');
    await expect(detection({ step: 'release', input: {} }, contextOf(FUNCTION))).rejects.toMatchObject({
      code: 'InvalidInput',
      message: 'this function does not run step release',
    });
  });
});
