import { expect, test } from '@jest/globals';
import type postgres from 'postgres';
import { useArchiver } from '../../support/archiver.ts';
import { inState, readLedger } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { partmanMajor } from '../../support/partman.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
const settingsOf = (...tables: string[]): ReturnType<ReturnType<typeof archiver>['config']> =>
  archiver().config(tables.map((table) => ({ schema: 'app', table, drop: true, graceDays: 0 })));

/** Attached partitions of a set, by name. */
async function attached(sql: postgres.Sql, table: string): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = ${`app.${table}`}::regclass order by 1`;
  return rows.map(({ name }) => name);
}

const retentionOf = async (sql: postgres.Sql, table: string): Promise<unknown> =>
  (await sql`select retention from partman.part_config where parent_table = ${`app.${table}`}`)[0]?.[
    'retention'
  ];

// Seen to fail without makePartitions() and detach_partition(), by run_maintenance with the retention as it is: no partition was
// made and none detached, at every run, and the error did not name the referring table.
test('a row elsewhere that refers to an old partition keeps that one only, and no future partition', async () => {
  const { sql } = archiver().database;
  await createPartitionSet(sql, { table: 'orders', months: 5, rowsPerMonth: 10, retention: '2 months' });
  await sql`create table app.complaint (id integer, order_id bigint, order_ts timestamptz,
              constraint complaint_order foreign key (order_id, order_ts) references app.orders (id, ts))`;
  await sql`alter table app.complaint owner to app_owner`;
  await sql`insert into app.complaint select 1, id, ts from app.orders order by ts offset 12 limit 2`;
  await sql`update partman.part_config set premake = 6 where parent_table = 'app.orders'`;
  const before = await attached(sql, 'orders');

  const failure = await failureOf(archiver().run(settingsOf('orders')));

  expect(failure.code).toBe('PartitionsFailed');
  expect(failure.message).toMatch(
    /app\.orders: PartitionReferenced, detach of app\.orders_p\w+: app\.orders_p\w+ cannot be detached: 2 rows of app\.complaint refer to it by foreign key complaint_order .*drop the foreign key/,
  );
  expect(await inState(sql, 'dropped', 'orders')).toHaveLength(2);
  // Two left, and four at least came.
  expect((await attached(sql, 'orders')).length).toBeGreaterThan(before.length);
  expect(await retentionOf(sql, 'orders')).toBe('2 months');

  await sql`delete from app.complaint`;
  expect(await archiver().run(settingsOf('orders'))).toMatchObject({ archived: 1, dropped: 1, failed: 0 });
});

// Seen to fail without the two transactions: a deadlock timeout's worth of tries, then nothing was made.
test('a partition whose lock is not to be had stays, and the future is made before', async () => {
  const { sql } = archiver().database;
  await createPartitionSet(sql, { table: 'read', months: 4, rowsPerMonth: 10 });
  await sql`update partman.part_config set premake = 4 where parent_table = 'app.read'`;
  const before = await attached(sql, 'read');
  const [oldest] = await sql<[{ name: string }]>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'app.read'::regclass
     order by (select min(ts) from app.read where tableoid = inhrelid) limit 1`;
  const reader = await sql.reserve();
  try {
    await reader`begin`;
    await reader.unsafe(`select from ${oldest.name} limit 1`);
    const failure = await failureOf(archiver().run(settingsOf('read')));
    expect(failure.message).toMatch(/app\.read: LockNotAvailable, detach of /);
  } finally {
    await reader`rollback`;
    reader.release();
  }
  expect((await attached(sql, 'read')).length).toBeGreaterThan(before.length);
  expect(await archiver().run(settingsOf('read'))).toMatchObject({ archived: 1, failed: 0 });
});

test('retention_schema, and from pg_partman 5 on the switches for indexes and publications, are heeded', async () => {
  const { sql } = archiver().database;
  const isFive = (await partmanMajor(sql)) >= 5;
  await createPartitionSet(sql, { table: 'moved', months: 3, rowsPerMonth: 10, retention: '2 months' });
  await sql`create schema attic authorization app_owner`;
  await sql`create publication of_moved`;
  const [oldest] = await sql<[{ name: string }]>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'app.moved'::regclass
     order by (select min(ts) from app.moved where tableoid = inhrelid) limit 1`;
  await sql`alter publication of_moved owner to app_owner`;
  await sql.unsafe(`alter publication of_moved add table ${oldest.name}`);
  await sql`update partman.part_config set retention_schema = 'attic', retention_keep_index = false where parent_table = 'app.moved'`;
  if (isFive)
    await sql`update partman.part_config set retention_keep_publication = false where parent_table = 'app.moved'`;

  const settings = { ...settingsOf('moved'), acceptedPublications: ['of_moved'] };
  const report = await archiver()
    .steps(settings)
    .maintain({
      ...(await archiver().steps(settings).preflight({ archiveOnly: true })),
    });

  expect(report).toMatchObject([{ detached: 1 }]);
  const moved = `attic.${oldest.name.replace('app.', '')}`;
  expect((await readLedger(sql, 'moved')).map(({ state }) => state)).toContain('detached');
  const [there] = await sql<[{ indexes: number; publications: number }]>`
    select (select count(*)::integer from pg_index where indrelid = ${moved}::regclass) as indexes,
           (select count(*)::integer from pg_publication_rel where prrelid = ${moved}::regclass) as publications`;
  expect(there).toEqual(isFive ? { indexes: 0, publications: 0 } : { indexes: 2, publications: 1 });
});

// Seen to fail without grant_part_config(), by the right to write all columns of all sets.
test('the role that maintains may write the retention, and nothing that has pg_partman drop or move tables', async () => {
  const { sql } = archiver().database;
  const maintain = archiver().open('archiver_maintain');
  try {
    for (const change of [
      `update partman.part_config set retention_keep_table = false`,
      `update partman.part_config set retention_schema = 'public'`,
      `update partman.part_config set parent_table = 'app.other'`,
      `insert into partman.part_config (parent_table, control, partition_interval) values ('a.b', 'c', '1 day')`,
      `delete from partman.part_config`,
    ])
      await expect(maintain.unsafe(change)).rejects.toMatchObject({ code: '42501' });
    await maintain`update partman.part_config set retention = retention`;
  } finally {
    await maintain.end();
  }
  expect(
    await sql`select from partman.part_config where retention is null and retention_schema = 'public'`,
  ).toEqual([]);
});
