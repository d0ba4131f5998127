import { expect, test } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { mapAtOnce } from '../../core/concurrency.ts';

test('as many items as are allowed are worked on at once, and the results are in their order', async () => {
  let now = 0;
  let most = 0;
  const results = await mapAtOnce([3, 1, 2, 5, 4], 2, async (item) => {
    now += 1;
    most = Math.max(most, now);
    for (let turn = 0; turn < item; turn += 1) await setImmediate();
    now -= 1;
    return item * 10;
  });
  expect(results).toEqual([30, 10, 20, 50, 40]);
  expect(most).toBe(2);
});

// Seen to fail without the look at `failure` (all five begun), and with an error that a worker throws (item 2 not ended).
test('after an error no further item is begun, and those under way end first', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = async (item: number): Promise<void> => {
    begun.push(item);
    if (item === 1) throw new Error('the first');
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    ended.push(item);
  };
  await expect(mapAtOnce([1, 2, 3, 4, 5], 2, work)).rejects.toThrow('the first');
  expect(begun).toEqual([1, 2]);
  expect(ended).toEqual([2]);
});

// Seen to fail with the error of the first worker: what came of the first error hid it.
test('of several errors the first in time is thrown', async () => {
  const work = async (item: number): Promise<void> => {
    if (item === 1) await setImmediate();
    throw new Error(`of item ${item}`);
  };
  await expect(mapAtOnce([1, 2], 2, work)).rejects.toThrow('of item 2');
});
