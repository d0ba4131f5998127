import { describe, expect, test } from '@jest/globals';
import { ArchiverError } from '../../core/errors.ts';
import { withConnectionTries, withLockTries, withReaderTries } from '../../core/retry.ts';
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

describe('a reader that is behind', () => {
  const behind = new ArchiverError('ReaderBehind', 'it has not replayed the export');

  test('is asked again, with longer and longer pauses', async () => {
    const clock = fakeClock();
    const answers = [behind, behind, 'replayed'];
    const answer = await withReaderTries(clock, async () => {
      const next = answers.shift();
      if (next instanceof Error) throw next;
      return next;
    });
    expect(answer).toBe('replayed');
    expect(clock.pauses).toEqual([200, 500]);
  });

  test('is given up after a bounded time, as an error that the workflow tries again', async () => {
    const clock = fakeClock();
    await expect(withReaderTries(clock, () => Promise.reject(behind))).rejects.toBe(behind);
    expect(behind.retryable).toBe(true);
    const waited = clock.pauses.reduce((sum, pause) => sum + pause, 0);
    expect(waited).toBeGreaterThan(30_000);
    expect(waited).toBeLessThan(60_000);
  });

  test('anything else is not tried again', async () => {
    const clock = fakeClock();
    const broken = new ArchiverError('SealBroken', 'the fence was lifted');
    await expect(withReaderTries(clock, () => Promise.reject(broken))).rejects.toBe(broken);
    expect(clock.pauses).toEqual([]);
  });
});

describe('a server that does not answer', () => {
  const away = new ArchiverError('DatabaseUnavailable', 'no connection');

  test('is asked again for some seconds, and then it is told', async () => {
    const clock = fakeClock();
    await expect(withConnectionTries(clock, () => Promise.reject(away))).rejects.toBe(away);
    expect(clock.pauses).toEqual([500, 1_500, 3_000]);
  });

  // Seen to fail without the look at the clock: four times half a minute is more than the function has.
  test('is not asked again where the first answer took long already', async () => {
    let now = 0;
    const clock = { now: () => new Date(now), sleep: () => Promise.resolve() };
    const work = (): Promise<never> => {
      now += 30_000;
      return Promise.reject(away);
    };
    await expect(withConnectionTries(clock, work)).rejects.toBe(away);
    expect(now).toBe(30_000);
  });
});
