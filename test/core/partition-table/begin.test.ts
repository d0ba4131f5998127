import { expect, test } from '@jest/globals';
import type { PartitionTableDatabase } from '../../../core/partition-table/database.ts';
import { begin, beginDropReplaced, beginRollBack } from '../../../core/partition-table/steps.ts';
import { failureOf } from '../../support/verified.ts';

// Seen to fail while both said only that it cannot be done.
test.each([
  [beginRollBack, 'swapped', 'the partitioning of shop.orders is swapped, and cannot be rolled back'],
  [beginDropReplaced, 'copying', 'the partitioning of shop.orders is copying: no table is replaced'],
] as const)('%p of a job in the state %s says the state', async (begin, state, message) => {
  const find = (): Promise<{ state: string }> => Promise.resolve({ state });
  const ports = { database: { find } as unknown as PartitionTableDatabase } as Parameters<typeof begin>[1];
  const failure = await failureOf(begin({ schema: 'shop', table: 'orders' }, ports));
  expect(failure).toMatchObject({ code: 'StateConflict', message: expect.stringContaining(message) });
});

// Seen to fail where the job was rolled back before.
test('a plan that differs from that of a job that has only begun, and is not whole, changes nothing', async () => {
  const plan = { control: 'at', interval: '1 month', retention: null };
  const rolledBack: unknown[] = [];
  const database = {
    find: () => Promise.resolve({ state: 'begun', plan }),
    rollBack: (job: unknown) => Promise.resolve(rolledBack.push(job)),
  };
  const ports = { database: database as unknown as PartitionTableDatabase } as Parameters<typeof begin>[2];
  const failure = await failureOf(
    begin({ schema: 'shop', table: 'orders', interval: '1 week' }, 'check', ports),
  );
  expect(failure).toMatchObject({
    code: 'InvalidInput',
    message: expect.stringMatching(/^control: is missing/),
  });
  expect(rolledBack).toEqual([]);
});
