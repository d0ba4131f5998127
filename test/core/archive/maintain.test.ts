import { describe, expect, test } from '@jest/globals';
import { ArchiverError } from '../../../core/errors.ts';
import {
  maintain,
  type Inventory,
  type MaintainDatabase,
  type SetHealth,
} from '../../../core/archive/maintain.ts';
import type { Request } from '../../../core/archive/request.ts';
import { fakeClock, fakeLog, makeConfig, makeRequest } from '../../support/fakes.ts';

const inventory = (changes: Partial<Inventory> = {}): Inventory => ({
  attached: 5,
  added: 0,
  detached: 0,
  missing: 0,
  blocked: 0,
  ...changes,
});
const health = (changes: Partial<SetHealth> = {}): SetHealth => ({
  rowsInDefault: false,
  futurePartitions: 4,
  unknownTables: [],
  unfinishedDetaches: [],
  gaps: [],
  ...changes,
});

function setUp(changes: Partial<MaintainDatabase> = {}, request: Partial<Request> = {}) {
  const calls: string[] = [];
  const database: MaintainDatabase = {
    inventory: async () => inventory(),
    runMaintenance: async () => [],
    expiring: async () => [],
    refusals: async () => ({ refused: [], lacks: [] }),
    detach: async () => 'detached',
    references: async () => [],
    detached: async () => [],
    quarantine: async () => undefined,
    health: async () => health(),
    ...changes,
  };
  const noting: MaintainDatabase = {
    inventory: (set) => (calls.push(`inventory ${set.table}`), database.inventory(set)),
    runMaintenance: (set) => (calls.push(`maintenance ${set.table}`), database.runMaintenance(set)),
    expiring: (set) => database.expiring(set),
    refusals: (partition) => database.refusals(partition),
    references: (sets) => database.references(sets),
    detached: (set) => database.detached(set),
    quarantine: (partitionId, bytes) => (
      calls.push(`quarantine ${partitionId}`),
      database.quarantine(partitionId, bytes)
    ),
    detach: (set, partition) => (calls.push(`detach ${partition.table}`), database.detach(set, partition)),
    health: (set) => (calls.push(`health ${set.table}`), database.health(set)),
  };
  const clock = fakeClock();
  const log = fakeLog();
  return {
    done: maintain(makeRequest(request), makeConfig(), { database: noting, clock, log }),
    calls,
    clock,
    log,
  };
}

// A plain DETACH, by pg_partman or anybody else, loses the bounds.
test('the bounds are in the ledger before anything can be detached, and looked at again after', async () => {
  let looks = 0;
  const { done, calls } = setUp({
    inventory: async () => {
      looks += 1;
      return looks === 1
        ? inventory({ attached: 7, detached: 1, missing: 1 })
        : inventory({ attached: 5, detached: 2, blocked: 1 });
    },
    runMaintenance: async () => ['WARNING: something'],
  });
  expect(await done).toEqual([
    {
      partitionSet: 'app.event',
      attached: 5,
      detached: 3,
      missing: 1,
      blocked: 1,
      warnings: ['WARNING: something'],
    },
  ]);
  expect(calls).toEqual(['inventory event', 'maintenance event', 'inventory event', 'health event']);
});

describe('modes', () => {
  test('an inventory looks, and has nothing maintained', async () => {
    const { done, calls } = setUp({}, { mode: 'inventory', partitionSets: [0, 1] });
    expect(await done).toHaveLength(2);
    expect(calls).toEqual(['inventory event', 'inventory Odd "name', 'health event', 'health Odd "name']);
  });

  test.each<Partial<Request>>([{ mode: 'drop' }, { dryRun: true }])(
    '%j does not even look',
    async (request) => {
      const { done, calls } = setUp({}, request);
      expect(await done).toEqual([]);
      expect(calls).toEqual([]);
    },
  );

  test.each<Partial<Request>>([{}, { mode: 'drop' }, { dryRun: true }])(
    'a set that the preflight left out is reported, and not touched: %j',
    async (request) => {
      const leftOut = [{ partitionSet: 'app.gone', message: 'app.gone: there is no such table' }];
      const { done, calls } = setUp({}, { ...request, partitionSets: [], leftOut });
      expect(await done).toEqual([
        {
          partitionSet: 'app.gone',
          attached: 0,
          detached: 0,
          missing: 0,
          blocked: 0,
          warnings: [],
          error: { code: 'PreflightFailed', message: 'app.gone: there is no such table' },
        },
      ]);
      expect(calls).toEqual([]);
    },
  );

  test('a set that there is none of', async () => {
    await expect(setUp({}, { partitionSets: [2] }).done).rejects.toMatchObject({ code: 'InvalidInput' });
  });
});

test('what an administrator should know is said', async () => {
  const { done } = setUp({
    health: async () =>
      health({
        rowsInDefault: true,
        futurePartitions: 0,
        unknownTables: ['app.event_old'],
        unfinishedDetaches: ['app.event_p1'],
        gaps: ['[2026-01-01, 2026-01-02)'],
      }),
  });
  const [report] = await done;
  expect(report?.warnings).toEqual([
    expect.stringContaining('the default partition has rows'),
    expect.stringContaining('no future partition'),
    'there is no partition for [2026-01-01, 2026-01-02), between two that there are',
    expect.stringContaining('app.event_old looks like a detached partition'),
    expect.stringContaining('DETACH CONCURRENTLY of app.event_p1 was never finished'),
  ]);
  // Its rows cannot be seen through the parent.
  expect(report?.error).toEqual({
    code: 'StateConflict',
    message: 'app.event_p1 is detached half way: it is left to an operator',
  });
});

test('an id set has no future by the calendar', async () => {
  const [report] = await setUp({ health: async () => health({ futurePartitions: null }) }).done;
  expect(report?.warnings).toEqual([]);
});

// Seen to fail without: truncateLines. Step Functions ends an execution whose state grows over 256 KiB.
test('thousands of unknown tables do not outgrow the state of an execution', async () => {
  const unknownTables = Array.from({ length: 5000 }, (_, index) => `app."${'é'.repeat(28)}${index}"`);
  const { done } = setUp({ health: async () => health({ unknownTables }) }, { partitionSets: [0, 1] });
  const reports = await done;
  expect(Buffer.byteLength(JSON.stringify(reports))).toBeLessThan(26_000);
  for (const { warnings } of reports) expect(warnings.at(-1)).toMatch(/^and \d{4} more$/);
});

// Seen to fail without leavingOrder(), and without releaseReferenced().
test('of two sets, the one that refers to the other is detached and quarantined before it', async () => {
  const { done, calls } = setUp(
    {
      references: async () => [{ from: 1, to: 0 }],
      expiring: async (set) => [{ oid: 1, schema: set.schema, table: `${set.table}_p1` }],
      detached: async () => [7],
    },
    { partitionSets: [0, 1] },
  );
  await done;
  const leaving = calls.filter((call) => /^(detach|quarantine)/.test(call));
  expect(leaving).toEqual(['detach Odd "name_p1', 'quarantine 7', 'detach event_p1']);
});

describe('a broken set does not stop the others', () => {
  const forFirst =
    <T>(error: Error, otherwise: T) =>
    async ({ table }: { table: string }): Promise<T> => {
      if (table === 'event') throw error;
      return otherwise;
    };
  const both = { partitionSets: [0, 1] };

  test('whose maintenance fails: what was detached before is archived all the same', async () => {
    const broken = new ArchiverError('DatabaseRejected', 'maintenance of app.event: no such column');
    const { done, calls } = setUp({ runMaintenance: forFirst(broken, []) }, both);
    const [first, second] = await done;
    expect(first).toMatchObject({
      attached: 5,
      error: { code: 'DatabaseRejected', message: 'maintenance of app.event: no such column' },
    });
    expect(second).not.toHaveProperty('error');
    // The future of all sets comes before the retention of any.
    expect(calls).toEqual([
      'inventory event',
      'maintenance event',
      'inventory Odd "name',
      'maintenance Odd "name',
      'inventory event',
      'inventory Odd "name',
      'health event',
      'health Odd "name',
    ]);
  });

  test.each(['inventory', 'health'] as const)('where even its %s fails', async (what) => {
    const broken = new ArchiverError('PartitionRefused', 'app.event is gone');
    const otherwise = what === 'inventory' ? inventory() : health();
    const { done } = setUp({ [what]: forFirst<unknown>(broken, otherwise) }, both);
    expect(await done).toMatchObject([
      {
        partitionSet: 'app.event',
        attached: what === 'inventory' ? 0 : 5,
        error: { code: 'PartitionRefused' },
      },
      { partitionSet: '"App"."Odd ""name"', attached: 5 },
    ]);
  });

  test('a lock that is not to be had is waited for, and then an error of this set', async () => {
    const locked = new ArchiverError('LockNotAvailable', 'canceling statement due to lock timeout');
    const { done, clock, calls } = setUp({ runMaintenance: forFirst(locked, []) }, both);
    expect(await done).toMatchObject([{ error: { code: 'LockNotAvailable' } }, {}]);
    expect(clock.pauses).toHaveLength(19);
    expect(calls.filter((call) => call.startsWith('maintenance'))).toHaveLength(21);
  });

  test('but a database that is gone is gone for all of them: the step is tried again', async () => {
    const gone = new ArchiverError('DatabaseUnavailable', 'no connection');
    await expect(setUp({ inventory: () => Promise.reject(gone) }, both).done).rejects.toBe(gone);
  });

  test('and a bug is not taken for a broken set', async () => {
    const bug = new TypeError('undefined is not a function');
    await expect(setUp({ runMaintenance: () => Promise.reject(bug) }).done).rejects.toBe(bug);
    await expect(setUp({ health: () => Promise.reject(bug) }).done).rejects.toBe(bug);
  });
});
