/** The count of the whole table before the commit: on slow storage it takes longer than a function may run. */
import { expect, test } from '@jest/globals';
import { commitDatabase } from '../../../adapters/postgres/archive/commit.ts';
import { useAsking, type Brought } from '../../support/asking.ts';
import { failureOf } from '../../support/verified.ts';
import { untilSomebodyWaits } from '../../support/waiting.ts';

const { archiver, sql, bring } = useAsking();

async function verifiedSegments(table: string): Promise<Brought> {
  const brought = await bring(table, 'exported');
  await brought.steps.verify(brought.id, 1);
  return brought;
}

// Seen to fail without statement_timeout in withinTime(): LockNotAvailable after 30 s.
test('a count that takes too long is given up, locks nothing meanwhile, and the connection is as before', async () => {
  const { id, steps, line } = await verifiedSegments('slow');
  const { archiveId, quarantineName } = await line();
  const connection = archiver().open('archiver_read');
  const database = commitDatabase(connection, { countTimeoutMs: 400 });
  try {
    let counted: Promise<boolean> | undefined;
    await sql().begin(async (tx) => {
      // A lock stands for slow storage.
      await tx.unsafe(`lock table partition_archiver_quarantine."${String(quarantineName)}"`);
      counted = database.countWhole(id, String(archiveId));
      await untilSomebodyWaits(sql());
      // Seen to fail with claim() in count_whole().
      await tx`select from partition_archiver.partition where id = ${id} for update nowait`;
      expect(await counted).toBe(false);
    });
    expect(await database.countWhole(id, String(archiveId))).toBe(true);
  } finally {
    await connection.end();
  }
  await steps.commit(id, await steps.preflight({}));
  expect(await line()).toMatchObject({ state: 'verified' });
  expect(await sql()`select counted_whole from partition_archiver.partition where id = ${id}`).toEqual([
    { counted_whole: true },
  ]);
});

// Seen to fail with Interrupted for isStatementTimeout() in withinTime(): the count was taken for one that is too slow.
test('a count that somebody cancels is tried again', async () => {
  const { id, line } = await verifiedSegments('cancelled');
  const { archiveId, quarantineName } = await line();
  const connection = archiver().open('archiver_read');
  try {
    await sql().begin(async (tx) => {
      await tx.unsafe(`lock table partition_archiver_quarantine."${String(quarantineName)}"`);
      const failure = failureOf(commitDatabase(connection).countWhole(id, String(archiveId)));
      await tx`select pg_cancel_backend(${await untilSomebodyWaits(sql())}::integer)`;
      expect(await failure).toMatchObject({ code: 'Interrupted', retryable: true });
    });
  } finally {
    await connection.end();
  }
});
