import { expect, test } from '@jest/globals';
import type { PartitionTableDatabase } from '../../../core/partition-table/database.ts';
import { beginDropReplaced, beginRollBack } from '../../../core/partition-table/steps.ts';
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
