import { expect, test } from '@jest/globals';
import { hurriedClock, useArchiver } from '../../support/archiver.ts';
import { inState, nth, readLedger } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { createVerifiedPartitions, failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
const settingsOf = (
  table: string,
  more: Record<string, unknown> = { drop: true, graceDays: 0 },
): ReturnType<ReturnType<typeof archiver>['config']> =>
  archiver().config([{ schema: 'app', table, ...more }]);

test('an inventory only looks: nothing is detached, made or moved', async () => {
  const { database, run } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'looked_at', rowsPerMonth: 10 });
  const children = (): Promise<unknown> =>
    sql`select inhrelid::regclass::text from pg_inherits where inhparent = 'app.looked_at'::regclass order by 1`;
  const before = await children();

  const report = await run(settingsOf('looked_at'), { only: 'inventory' });

  expect(report).toMatchObject({ archived: 0, dropped: 0, failed: 0 });
  expect(await children()).toEqual(before);
  const lines = await readLedger(sql, 'looked_at');
  expect(lines.length).toBeGreaterThan(4);
  expect(new Set(lines.map(({ state }) => state))).toEqual(new Set(['attached']));
});

test('archived without dropping; dropped only after the configuration says so and the grace period is over', async () => {
  const { database, run, steps } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'kept', months: 3, rowsPerMonth: 10 });
  expect(await run(settingsOf('kept', {}))).toMatchObject({ archived: 1, dropped: 0, failed: 0 });
  const { id } = nth(await inState(sql, 'verified', 'kept'), 0);
  const dropAfter = async (): Promise<Date | null> => {
    const [row] = await sql<
      [{ due: Date | null }]
    >`select drop_after as due from partition_archiver.partition where id = ${id}`;
    return row.due;
  };
  expect(await dropAfter()).toBeNull();
  expect(await failureOf(steps(settingsOf('kept')).drop(id))).toMatchObject({ code: 'NotDue' });

  // Dropping is allowed from now on, after three days from the verification; a run only to archive says nothing of it.
  const later = settingsOf('kept', { drop: true, graceDays: 3 });
  expect(await run(later, { archiveOnly: true })).toMatchObject({ dropped: 0 });
  expect(await dropAfter()).toBeNull();
  // Seen to fail while quarantine() returned `done` for it: no drop was ever scheduled.
  expect(await run(later)).toMatchObject({ archived: 0, dropped: 0, failed: 0 });
  const [{ days }] = await sql<[{ days: number }]>`
    select extract(day from drop_after - verified_at)::integer as days from partition_archiver.partition where id = ${id}`;
  expect(days).toBe(3);

  // Ours is not the clock that counts.
  const tomorrow = { ...hurriedClock, now: () => new Date(Date.now() + 400 * 86_400_000) };
  const ahead = steps(later, { clock: tomorrow });
  expect(await failureOf(ahead.drop(id))).toMatchObject({ code: 'NotDue' });
  expect(await run(later, { only: 'drop' }, ahead)).toMatchObject({ dropped: 0, failed: 0 });
  expect(await inState(sql, 'verified', 'kept')).toHaveLength(1);

  await sql`update partition_archiver.partition set drop_after = now() - interval '1 second' where id = ${id}`;
  expect(await run(later, { archiveOnly: true })).toMatchObject({ dropped: 0 });
  // Nor is anything dropped once the configuration takes it back.
  expect(await run(settingsOf('kept', {}), { only: 'drop' })).toMatchObject({ dropped: 0 });
  expect(await run(later, { only: 'drop' })).toMatchObject({ archived: 0, dropped: 1, failed: 0 });
});

test('a run that only drops neither maintains nor archives', async () => {
  const { database, run } = archiver();
  const { sql } = database;
  await createVerifiedPartitions(archiver(), { table: 'due', cold: 2 });
  await sql`update partman.part_config set retention = '1 day', premake = 5 where parent_table = 'app.due'`;
  const attached = await inState(sql, 'attached', 'due');

  expect(await run(settingsOf('due'), { only: 'drop' })).toMatchObject({
    archived: 0,
    dropped: 2,
    failed: 0,
  });

  expect(await inState(sql, 'attached', 'due')).toEqual(attached);
  const children = await sql`select from pg_inherits where inhparent = 'app.due'::regclass`;
  expect(children).toHaveLength(attached.length + 1);
});

test('an input narrows a run to some of the sets', async () => {
  const { database, run, config } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'one', months: 3, rowsPerMonth: 10 });
  await createPartitionSet(sql, { table: 'two', months: 3, rowsPerMonth: 10 });
  const both = config(['one', 'two'].map((table) => ({ schema: 'app', table, drop: true, graceDays: 0 })));

  expect(await run(both, { partitionSets: ['app.two'] })).toMatchObject({ archived: 1, dropped: 1 });

  expect(await readLedger(sql, 'one')).toEqual([]);
  expect(await inState(sql, 'dropped', 'two')).toHaveLength(1);
});

test('a view on a verified partition blocks its drop until the view is gone', async () => {
  const { database, run } = archiver();
  const { sql } = database;
  const line = nth(await createVerifiedPartitions(archiver(), { table: 'seen', cold: 1 }), 0);
  await sql.unsafe(
    `create view app.still_used as select * from partition_archiver_quarantine."${String(line.quarantineName)}"`,
  );

  // Seen to fail without dependents_of() in drop_verified(): the same code, but no name of what is in the way.
  expect(await failureOf(run(settingsOf('seen')))).toMatchObject({
    code: 'PartitionsFailed',
    message: expect.stringMatching(
      /HasDependents, .*is depended upon by view app\.still_used.*never dropped with CASCADE/,
    ),
  });
  expect(nth(await inState(sql, 'blocked', 'seen'), 0)).toMatchObject({
    id: line.id,
    blockedCode: 'HasDependents',
  });
  expect(await sql`select from app.still_used`).toHaveLength(50);

  await sql`drop view app.still_used`;
  expect(await run(settingsOf('seen'))).toMatchObject({ dropped: 0 });
  await sql`select partition_archiver.unblock(${line.id}::bigint)`;
  expect(await run(settingsOf('seen'))).toMatchObject({ archived: 0, dropped: 1, failed: 0 });
});
