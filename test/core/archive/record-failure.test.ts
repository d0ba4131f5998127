import { expect, test } from '@jest/globals';
import { CATALOGUE, type ErrorCode } from '../../../core/errors.ts';
import {
  recordFailure,
  type FailureDatabase,
  type StepFailure,
} from '../../../core/archive/record-failure.ts';
import { fakeLog } from '../../support/fakes.ts';

async function record(failure: StepFailure) {
  const calls: unknown[] = [];
  const database: FailureDatabase = {
    recordFailure: async (...parameters) => void calls.push(['record', ...parameters]),
    block: async (...parameters) => void calls.push(['block', ...parameters]),
  };
  const log = fakeLog();
  await recordFailure(7, failure, { database, log });
  return { calls, log };
}

test.each(Object.keys(CATALOGUE) as ErrorCode[])(
  '%s blocks the partition if the catalogue says so',
  async (code) => {
    const Cause = JSON.stringify({ errorType: code, errorMessage: 'why', trace: ['at …'] });
    const { calls, log } = await record({ Error: code, Cause });
    const blocked = CATALOGUE[code].blocks;
    expect(calls).toEqual([['record', 7, code, 'why'], ...(blocked ? [['block', 7, code, 'why']] : [])]);
    expect(log.lines).toEqual([
      { level: 'warn', event: 'partition failed', fields: { partitionId: 7, code, reason: 'why', blocked } },
    ]);
  },
);

test.each(['States.Timeout', 'Lambda.Unknown', 'TypeError', 'toString', '__proto__'])(
  '%s is none of ours: it is recorded, and blocks nothing',
  async (Error) => {
    const { calls } = await record({ Error, Cause: 'it took too long' });
    expect(calls).toEqual([['record', 7, Error, 'it took too long']]);
  },
);

test.each<[string, StepFailure, string, string]>([
  ['neither name nor cause', {}, 'Unknown', 'no reason was given'],
  ['no cause', { Error: 'States.TaskFailed' }, 'States.TaskFailed', 'States.TaskFailed'],
  ['an empty cause', { Error: 'X', Cause: '' }, 'X', ''],
  ['a cause that was cut off', { Error: 'X', Cause: '{"errorMess' }, 'X', '{"errorMess'],
  ['a cause that is a list', { Error: 'X', Cause: '[1]' }, 'X', '[1]'],
  ['a cause that is null', { Error: 'X', Cause: 'null' }, 'X', 'null'],
  ['a cause without a message', { Error: 'X', Cause: '{"a":1}' }, 'X', '{"a":1}'],
  ['a message that is no text', { Error: 'X', Cause: '{"errorMessage":null}' }, 'X', 'null'],
])('a failure with %s is recorded all the same', async (_, failure, code, reason) => {
  expect((await record(failure)).calls).toEqual([['record', 7, code, reason]]);
});

test('a reason of a megabyte is cut', async () => {
  const { calls } = await record({ Error: 'X', Cause: JSON.stringify({ errorMessage: 'x'.repeat(1e6) }) });
  expect(calls).toEqual([['record', 7, 'X', 'x'.repeat(2000)]]);
});
