import { expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { listKeys, readArchives, restoreByPsql, rowsOf } from '../../support/archives.ts';
import { nth, readLedger } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';

const archiver = useArchiver();
const settingsOf = (table: string): ReturnType<ReturnType<typeof archiver>['config']> =>
  archiver().config([{ schema: 'app', table, drop: true, graceDays: 0 }]);

test('an empty partition is archived as DDL and manifest, without a data object', async () => {
  const { database, s3, bucket, run } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'empty', months: 4, rowsPerMonth: 0 });
  // One that was never written to, and one whose rows were deleted and that still has blocks.
  await sql`insert into app.empty (id, ts) select g, now() - interval '4 months' from generate_series(1, 1000) g`;
  await sql`delete from app.empty`;

  expect(await run(settingsOf('empty'))).toMatchObject({
    archived: 2,
    dropped: 2,
    failed: 0,
    rows: 0,
    bytes: 0,
  });

  const keys = (await listKeys(s3, bucket)).filter((key) => key.includes('/empty/'));
  expect(keys.filter((key) => key.includes('/data/'))).toEqual([]);
  expect(keys).toHaveLength(4);
  for (const archive of await readArchives(s3, bucket)) {
    await restoreByPsql(database, archive);
    expect(await rowsOf(sql, `app.${archive.manifest.partition.name}`)).toEqual([]);
  }
});

test('a partition made again under the same name is an archive of its own, beside the first (hazard 4)', async () => {
  const { database, s3, bucket, run } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'again', months: 3, rowsPerMonth: 100 });
  expect(await run(settingsOf('again'))).toMatchObject({ archived: 1, dropped: 1, rows: 100 });
  const first = nth(await readLedger(sql, 'again'), 0);
  expect(first.state).toBe('dropped');

  // A late row: pg_partman's cure for the default partition makes the old partition again.
  await sql`insert into app.again (id, ts) select 4711, lower_time + interval '1 day'
              from partition_archiver.partition where id = ${first.id}`;
  await sql.begin(async (tx) => {
    await tx`set local timezone = 'UTC'`;
    await tx`select partman.partition_data_time('app.again', p_batch_count => 10)`;
    await tx.unsafe(`alter table app."${first.table}" owner to app_owner`);
  });

  expect(await run(settingsOf('again'))).toMatchObject({ archived: 1, dropped: 1, failed: 0, rows: 1 });

  const [one, two] = (await readLedger(sql, 'again')).filter(({ table }) => table === first.table);
  expect(two).toMatchObject({ state: 'dropped', rows: 1, period: one?.period });
  expect(two?.oid).not.toBe(one?.oid);
  const archives = (await readArchives(s3, bucket)).filter(
    ({ manifest }) => manifest.partition.name === first.table,
  );
  expect(archives.map(({ manifest }) => manifest.contents.rows).sort()).toEqual([1, 100].sort());
  expect(new Set(archives.map(({ manifest }) => manifest.partition.period)).size).toBe(1);
  // Nothing was overwritten: each has an object of its own.
  expect(
    new Set(
      archives.flatMap(({ manifest }) =>
        manifest.segments.flatMap(({ objects }) => objects.map(({ key }) => key)),
      ),
    ).size,
  ).toBe(2);
});

// By the parent that they had, no run would come by them, and no report would name them.
// Seen to fail without the update of parent_oid in record_inventory().
test('partitions in quarantine continue when their parent was dropped and made again', async () => {
  const { database, run, config } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'reborn', months: 3, rowsPerMonth: 5 });
  await run(config([{ schema: 'app', table: 'reborn', drop: true, graceDays: 30 }]));
  const waiting = nth(await readLedger(sql, 'reborn'), 0);
  expect(waiting.state).toBe('verified');
  await sql.unsafe(`drop table app.reborn; drop table if exists partman.template_app_reborn;
    delete from partman.part_config where parent_table = 'app.reborn'`);
  await createPartitionSet(sql, { table: 'reborn', months: 2, rowsPerMonth: 5 });
  await sql`update partition_archiver.partition set drop_after = now() where id = ${waiting.id}`;

  expect(await run(settingsOf('reborn'))).toMatchObject({ archived: 0, dropped: 1, failed: 0 });

  const lines = await readLedger(sql, 'reborn');
  expect(lines.find(({ id }) => id === waiting.id)?.state).toBe('dropped');
  // What went with the old parent is said to be gone.
  expect(lines.filter(({ state }) => state === 'missing')).not.toHaveLength(0);
});

test('pg_partman cannot write into a detached table once it is in quarantine (hazard 13)', async () => {
  const { database, run, config } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'late', months: 3, rowsPerMonth: 100 });
  await run(config([{ schema: 'app', table: 'late' }]));
  const quarantined = nth(await readLedger(sql, 'late'), 0);
  expect(quarantined.state).toBe('verified');

  await sql`insert into app.late (id, ts) select 4711, lower_time + interval '1 day'
              from partition_archiver.partition where id = ${quarantined.id}`;
  await sql.begin(async (tx) => {
    await tx`set local timezone = 'UTC'`;
    await tx`select partman.partition_data_time('app.late', p_batch_count => 10)`;
  });

  // It made a new, attached partition: the row is visible through the parent, and not in the quarantined table.
  expect(await sql`select from app.late where id = 4711`).toHaveLength(1);
  expect(
    await sql.unsafe(`select from partition_archiver_quarantine."${String(quarantined.quarantineName)}"`),
  ).toHaveLength(100);
});
