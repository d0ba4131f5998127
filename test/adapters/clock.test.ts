import { expect, test } from '@jest/globals';
import { systemClock } from '../../adapters/clock.ts';

test('tells the time of the machine', () => {
  const before = Date.now();
  const now = systemClock().now().getTime();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
});

test('a pause ends by itself', async () => {
  await systemClock().sleep(1);
  await systemClock(new AbortController().signal).sleep(1);
});

test('a pause ends as an error that is tried again when the step runs out of its time', async () => {
  const controller = new AbortController();
  const pause = systemClock(controller.signal).sleep(60_000);
  controller.abort();
  await expect(pause).rejects.toMatchObject({ code: 'Interrupted', retryable: true });
  await expect(systemClock(controller.signal).sleep(60_000)).rejects.toMatchObject({ code: 'Interrupted' });
});
