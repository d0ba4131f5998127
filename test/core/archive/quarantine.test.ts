import { describe, expect, test } from '@jest/globals';
import { ArchiverError } from '../../../core/errors.ts';
import type { PartitionState } from '../../../core/partition.ts';
import {
  nextStep,
  quarantine,
  type PartitionStatus,
  type QuarantineDatabase,
} from '../../../core/archive/quarantine.ts';
import { fakeClock, fakeLog, fakePort, makeConfig, makeRequest } from '../../support/fakes.ts';

const status = (changes: Partial<PartitionStatus>): PartitionStatus => ({
  state: 'detached',
  parentSchema: 'app',
  parentTable: 'event',
  openSegments: [],
  due: null,
  ...changes,
});

function work(database: Partial<QuarantineDatabase>, set: Record<string, unknown> = {}) {
  const clock = fakeClock();
  const log = fakeLog();
  const port = fakePort<QuarantineDatabase>(database);
  const done = quarantine(7, makeRequest(), makeConfig(set), { database: port, clock, log });
  return { done, clock, log };
}

test('a detached partition goes behind the fence, and its segments are exported', async () => {
  const calls: string[] = [];
  const states = [status({}), status({ state: 'quarantined', openSegments: [0, 1, 2] })];
  const { done, log } = work(
    {
      status: async () => states.shift() ?? status({}),
      quarantine: async (partitionId, bytes) => void calls.push(`quarantine ${partitionId} by ${bytes}`),
    },
    { segmentSizeMiB: 3 },
  );
  expect(await done).toEqual({ next: 'export', segments: [0, 1, 2] });
  expect(calls).toEqual(['quarantine 7 by 3145728']);
  expect(log.lines).toEqual([
    { level: 'info', event: 'quarantine', fields: { partitionId: 7, segments: 3 } },
  ]);
});

test.each<[Partial<PartitionStatus>, string]>([
  [{ state: 'quarantined', openSegments: [4] }, 'export'],
  [{ state: 'exported', openSegments: [1] }, 'export'],
  [{ state: 'verified', due: true }, 'drop'],
  [{ state: 'dropped' }, 'done'],
  [{ state: 'blocked' }, 'done'],
])('one that an earlier run left as %j is not quarantined again', async (left, next) => {
  const { done } = work({ status: async () => status(left) }, { drop: true });
  expect(await done).toMatchObject({ next });
});

test('a lock that is not to be had in time is waited for with pauses, and then given up', async () => {
  const locked = new ArchiverError('LockNotAvailable', 'canceling statement due to lock timeout');
  const { done, clock } = work({ status: async () => status({}), quarantine: () => Promise.reject(locked) });
  await expect(done).rejects.toBe(locked);
  expect(clock.pauses.length).toBeGreaterThan(10);
});

test('a table of the same name in another schema is another set', async () => {
  const { done } = work({ status: async () => status({ parentSchema: 'audit' }) });
  await expect(done).rejects.toMatchObject({ message: 'partition set audit.event is not configured' });
});

test('a partition whose set is not configured any more is not touched', async () => {
  const { done } = work({ status: async () => status({ parentSchema: 'Old', parentTable: 'set' }) });
  await expect(done).rejects.toMatchObject({
    code: 'InvalidInput',
    message: 'partition set "Old".set is not configured',
  });
});

describe('what comes next', () => {
  const [set] = makeConfig().partitionSets as [ReturnType<typeof makeConfig>['partitionSets'][number]];
  const dropped = { ...set, drop: true };

  test.each<[PartitionState, boolean | null, typeof set, boolean, string]>([
    ['quarantined', null, set, false, 'export'],
    ['exported', null, set, false, 'export'],
    ['verified', true, set, false, 'done'],
    ['verified', true, dropped, false, 'drop'],
    ['verified', false, dropped, false, 'done'],
    // Verified while its set was not to be dropped: the commit schedules the drop.
    ['verified', null, dropped, false, 'export'],
    ['verified', true, dropped, true, 'done'],
    ['verified', null, dropped, true, 'done'],
    ['attached', null, dropped, false, 'done'],
    ['detached', null, dropped, false, 'done'],
    ['dropped', null, dropped, false, 'done'],
    ['restored', true, dropped, false, 'done'],
    ['released', true, dropped, false, 'done'],
    ['missing', true, dropped, false, 'done'],
    ['blocked', true, dropped, false, 'done'],
  ])('%s, due %p', (state, due, of, archiveOnly, next) => {
    const openSegments = state === 'quarantined' || state === 'exported' ? [2, 5] : [];
    const answer = nextStep(status({ state, due, openSegments }), of, makeRequest({ archiveOnly }));
    expect(answer).toEqual({ next, segments: openSegments });
  });

  test('everything exported and verified: only the commit is left', () => {
    expect(nextStep(status({ state: 'exported' }), set, makeRequest())).toEqual({
      next: 'export',
      segments: [],
    });
  });

  // Seen to fail without: the PlanIncomplete in nextStep. The state machine would go round until 25,000 events.
  test('a partition that could never be committed ends in an error, and not in a circle', () => {
    expect(() => nextStep(status({ state: 'quarantined' }), set, makeRequest())).toThrow(
      expect.objectContaining({ code: 'PlanIncomplete' }),
    );
  });
});
