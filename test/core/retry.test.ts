import { expect, test } from '@jest/globals';
import { ArchiverError } from '../../core/errors.ts';
import { withLockTries } from '../../core/retry.ts';
import { fakeClock } from '../support/fakes.ts';

const locked = new ArchiverError('LockNotAvailable', 'canceling statement due to lock timeout');

test('a lock that is not to be had is asked for again, with pauses between', async () => {
  const clock = fakeClock();
  let tries = 0;
  const answer = await withLockTries(
    clock,
    async () => {
      tries += 1;
      if (tries < 4) throw locked;
      return 'had';
    },
    () => [0, 0.5, 0.999_999][tries - 1] ?? 0,
  );
  expect(answer).toBe('had');
  expect(clock.pauses).toEqual([500, 1750, expect.closeTo(3000, 1)]);
});

test('it is given up after twenty tries, so that a run cannot hang on one table', async () => {
  const clock = fakeClock();
  let tries = 0;
  const giveUp = withLockTries(clock, async () => {
    tries += 1;
    throw locked;
  });
  await expect(giveUp).rejects.toBe(locked);
  expect(tries).toBe(20);
  expect(clock.pauses).toHaveLength(19);
  for (const pause of clock.pauses) {
    expect(pause).toBeGreaterThanOrEqual(500);
    expect(pause).toBeLessThanOrEqual(3000);
  }
});

test.each([new ArchiverError('TransactionAborted', 'deadlock detected'), new TypeError('a bug'), 'a text'])(
  'anything else is not tried again: %p',
  async (error) => {
    const clock = fakeClock();
    await expect(withLockTries(clock, () => Promise.reject(error as Error))).rejects.toBe(error);
    expect(clock.pauses).toEqual([]);
  },
);

test('it ends at once when the step runs out of its time', async () => {
  const interrupted = new ArchiverError('Interrupted', 'the step ran out of its time');
  const clock = { ...fakeClock(), sleep: () => Promise.reject(interrupted) };
  await expect(withLockTries(clock, () => Promise.reject(locked))).rejects.toBe(interrupted);
});
