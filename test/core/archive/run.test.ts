import { describe, expect, test } from '@jest/globals';
import { ArchiverError } from '../../../core/errors.ts';
import type { RunReport } from '../../../core/archive/report.ts';
import { run, type Steps } from '../../../core/archive/run.ts';
import { fakeClock, fakePort, makeRequest } from '../../support/fakes.ts';

const request = makeRequest();
const result = { summary: 'done' } as RunReport;
const unavailable = new ArchiverError('DatabaseUnavailable', 'no connection');

/** Steps that note in order what was called; every partition has one segment and nothing to drop. */
function setUp(changes: Partial<Steps> = {}, partitions: readonly number[] = [1]) {
  const calls: string[] = [];
  const steps = fakePort<Steps>({
    preflight: async () => request,
    maintain: async () => [],
    detect: async () => ({ partitions, notDue: [] }),
    quarantine: async () => ({ next: 'export', segments: [0] }),
    export: async () => ({}),
    verify: async () => ({}),
    commit: async () => ({ next: 'done', segments: [] }),
    report: async () => result,
    ...changes,
  });
  const noting = Object.fromEntries(
    Object.keys(steps).map((name) => [
      name,
      (...parameters: unknown[]) => {
        calls.push([name, ...parameters.filter((each) => typeof each === 'number')].join(' '));
        return (steps as unknown as Record<string, (...all: unknown[]) => unknown>)[name]!(...parameters);
      },
    ]),
  ) as unknown as Steps;
  const clock = fakeClock();
  const go = (concurrency = { partitions: 1, segments: 1 }) => run({}, noting, { concurrency, clock });
  return { go, calls, clock };
}

test('the steps come in the order of the state machine', async () => {
  const commits = [
    { next: 'export', segments: [5] },
    { next: 'drop', segments: [] },
  ] as const;
  let committed = 0;
  const { go, calls } = setUp({
    quarantine: async () => ({ next: 'export', segments: [0, 1] }),
    commit: async () => commits[committed++]!,
    drop: async () => ({}),
  });
  expect(await go()).toBe(result);
  expect(calls).toEqual([
    'preflight',
    'maintain',
    'detect',
    'quarantine 1',
    'export 1 0',
    'verify 1 0',
    'export 1 1',
    'verify 1 1',
    'commit 1',
    // A segment was split: its upper half is exported before the drop.
    'export 1 5',
    'verify 1 5',
    'commit 1',
    'drop 1',
    'report',
  ]);
});

test.each<['done' | 'drop', string[]]>([
  ['done', []],
  ['drop', ['drop 1']],
])('a partition that is %s at once is not exported', async (next, more) => {
  const { go, calls } = setUp({ quarantine: async () => ({ next, segments: [] }), drop: async () => ({}) });
  await go();
  expect(calls.slice(3)).toEqual(['quarantine 1', ...more, 'report']);
});

describe('the failure of one partition', () => {
  const failing = (failure: Error) => ({
    quarantine: async (partitionId: number) => {
      if (partitionId === 2) throw failure;
      return { next: 'done', segments: [] } as const;
    },
  });

  test('is recorded by its code, and the others continue', async () => {
    const failures: unknown[] = [];
    const { go, calls } = setUp(
      {
        ...failing(new ArchiverError('SealBroken', 'the fence was lifted')),
        recordFailure: async (...parameters) => void failures.push(parameters),
      },
      [1, 2, 3],
    );
    expect(await go()).toBe(result);
    expect(failures).toEqual([
      [2, { Error: 'SealBroken', Cause: '{"errorMessage":"the fence was lifted"}' }],
    ]);
    expect(calls).toContain('quarantine 3');
  });

  // Seen to fail without: the catch around recordFailure in core/archive/run.ts.
  test('that cannot even be recorded does not stop the others, either', async () => {
    const { go, calls } = setUp(
      { ...failing(new TypeError('a bug')), recordFailure: () => Promise.reject(unavailable) },
      [1, 2, 3],
    );
    expect(await go()).toBe(result);
    expect(calls.filter((call) => call.startsWith('recordFailure'))).toHaveLength(4);
    expect(calls.slice(-2)).toEqual(['quarantine 3', 'report']);
  });

  test('that is no error at all ends the run', async () => {
    const { go } = setUp({
      quarantine: async () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a broken library might do
        throw 'a text';
      },
    });
    await expect(go()).rejects.toBe('a text');
  });

  test('in one segment: no further one is begun, and nothing is committed', async () => {
    const { go, calls } = setUp({
      quarantine: async () => ({ next: 'export', segments: [0, 1, 2] }),
      verify: async (_, segmentNumber) => {
        if (segmentNumber === 0) throw new ArchiverError('ContentMismatch', 'lost a row');
      },
      recordFailure: async () => undefined,
    });
    await go();
    expect(calls.slice(4)).toEqual(['export 1 0', 'verify 1 0', 'recordFailure 1', 'report']);
  });

  test('in one segment stops the other ones that are under way after what they are at', async () => {
    const { go, calls } = setUp({
      quarantine: async () => ({ next: 'export', segments: [0, 1, 2, 3] }),
      export: async (_, segmentNumber) => {
        if (segmentNumber === 0) throw new ArchiverError('ExportDenied', 'no role');
        await new Promise((resolve) => setImmediate(resolve));
      },
      recordFailure: async () => undefined,
    });
    await go({ partitions: 1, segments: 2 });
    expect(calls.slice(4)).toEqual(['export 1 0', 'export 1 1', 'verify 1 1', 'recordFailure 1', 'report']);
  });

  test('in two segments at once is one failure, and no rejection that nobody handles', async () => {
    const failures: unknown[] = [];
    const { go } = setUp({
      quarantine: async () => ({ next: 'export', segments: [0, 1, 2, 3] }),
      export: async (_, segmentNumber) => {
        await new Promise((resolve) => setImmediate(resolve));
        throw new ArchiverError('ExportDenied', `segment ${segmentNumber}`);
      },
      recordFailure: async (...parameters) => void failures.push(parameters),
    });
    await go({ partitions: 1, segments: 2 });
    expect(failures).toHaveLength(1);
  });
});

describe('what may pass by itself', () => {
  test('is tried four times, with longer and longer pauses', async () => {
    const { go, calls, clock } = setUp({ preflight: () => Promise.reject(unavailable) });
    await expect(go()).rejects.toBe(unavailable);
    expect(calls).toEqual(Array(4).fill('preflight'));
    expect(clock.pauses).toEqual([1000, 2000, 4000]);
  });

  test('and then continues', async () => {
    let tries = 0;
    const { go, calls } = setUp({
      export: async () => {
        tries += 1;
        if (tries < 3) throw new ArchiverError('SegmentBusy', 'an earlier call still runs');
      },
    });
    await go();
    expect(calls.filter((call) => call === 'export 1 0')).toHaveLength(3);
    expect(calls.at(-1)).toBe('report');
  });

  // Seen to fail without `again` around the report in core/archive/run.ts: a run that had archived everything failed.
  test('is tried again for the report, too', async () => {
    let tries = 0;
    const { go } = setUp({
      report: async () => {
        tries += 1;
        if (tries === 1) throw unavailable;
        return result;
      },
    });
    expect(await go()).toBe(result);
  });

  test.each([new ArchiverError('PreflightFailed', 'no'), new TypeError('a bug')])(
    '%p is not tried again',
    async (error) => {
      const { go, calls } = setUp({ detect: () => Promise.reject(error) });
      await expect(go()).rejects.toBe(error);
      expect(calls).toEqual(['preflight', 'maintain', 'detect']);
    },
  );

  test('a failed run is not reported twice', async () => {
    const failed = new ArchiverError('PartitionsFailed', '1 failed');
    const { go, calls } = setUp({ report: () => Promise.reject(failed) });
    await expect(go()).rejects.toBe(failed);
    expect(calls.filter((call) => call === 'report')).toHaveLength(1);
  });
});

test('no more happens at once than was asked for', async () => {
  const most = { partitions: 0, segments: 0 };
  const at = { partitions: 0, segments: 0 };
  const during = async (what: keyof typeof at): Promise<void> => {
    at[what] += 1;
    most[what] = Math.max(most[what], at[what]);
    await new Promise((resolve) => setImmediate(resolve));
    at[what] -= 1;
  };
  const { go, calls } = setUp(
    {
      quarantine: async () => {
        await during('partitions');
        return { next: 'export', segments: [0, 1, 2, 3, 4, 5, 6] };
      },
      export: () => during('segments'),
    },
    [1, 2, 3, 4, 5],
  );
  await go({ partitions: 2, segments: 3 });
  expect(most).toEqual({ partitions: 2, segments: 6 });
  expect(calls.filter((call) => call.startsWith('commit'))).toHaveLength(5);
});
