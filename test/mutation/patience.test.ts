import { expect, test } from '@jest/globals';
import { confirmedEnding } from './patience.ts';
import type { Ending } from './mutant.ts';

const hungThen = (again: Ending, without: Ending = 'passed'): [Promise<Ending>, string[]] => {
  const runs: string[] = [];
  const ending = confirmedEnding(
    50,
    () => Promise.resolve(runs.push('with') === 1 ? 'hung' : again),
    () => {
      runs.push('without');
      return Promise.resolve(without);
    },
  );
  return [ending, runs];
};

// Seen to fail with each time-out counted as a kill.
test('a mutant whose tests were slow on a busy machine is tried again', async () => {
  const [ending, runs] = hungThen('passed');
  expect(await ending).toBe('passed');
  expect(runs).toEqual(['with', 'without', 'with']);
  expect(await hungThen('hung')[0]).toBe('hung');
});

test('tests that are not over in time without the mutant tell nothing of it', async () => {
  await expect(hungThen('hung', 'hung')[0]).rejects.toThrow('without the mutant, its tests hung');
});

test('a mutant that is tried again has ten times as long as its tests need without it', async () => {
  const given: number[] = [];
  let clock = 0;
  await confirmedEnding(
    100,
    (patienceMs) => Promise.resolve(given.push(patienceMs) === 1 ? 'hung' : 'passed'),
    () => {
      clock += 70;
      return Promise.resolve('passed');
    },
    () => clock,
  );
  expect(given).toEqual([100, 700]);
});
