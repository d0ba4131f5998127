/** A restored table that an operator returns to the pipeline is archived again. */
import { expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();

/** A set with one archive. */
async function archived(table: string) {
  const { database, run, config, operations } = archiver();
  await createPartitionSet(database.sql, { table, months: 3, rowsPerMonth: 20 });
  const set = config([{ schema: 'app', table, drop: true, graceDays: 0 }]);
  expect(await run(set)).toMatchObject({ archived: 1, dropped: 1 });
  const { archives } = await operations().find({ schema: 'app', table });
  return { set, manifestKey: archives[0]!.manifestKey };
}

// Seen to fail without the times in resume(): it was `detached`, and no run archived it.
test('though its parent was no partition set when it was restored', async () => {
  const { database, run, operations } = archiver();
  const { sql } = database;
  const { set, manifestKey } = await archived('forgotten');
  await sql`create temporary table kept as select * from partman.part_config where parent_table = 'app.forgotten'`;
  await sql`delete from partman.part_config where parent_table = 'app.forgotten'`;
  // And the ledger of this database knows nothing of its bounds.
  await sql`update partition_archiver.partition set lower_time = null, upper_time = null, time_zone = null
             where manifest_key = ${manifestKey}`;
  const { partitionId } = await operations().restore({ manifestKey });
  expect(await failureOf(operations().resume(partitionId))).toMatchObject({
    code: 'PartitionRefused',
    message: expect.stringMatching(/app\.forgotten is no partition set in this database/),
  });
  await sql`insert into partman.part_config select * from kept`;
  expect(await operations().resume(partitionId)).toMatchObject({ state: 'detached' });
  expect(await run(set)).toMatchObject({ archived: 1, dropped: 1, failed: 0, rows: 20 });
});

// Seen to fail (IdentityChanged) without retention_schema in resume().
test('though the maintenance of its set has detached it into retention_schema', async () => {
  const { database, run, operations } = archiver();
  const { sql } = database;
  const { set, manifestKey } = await archived('moved');
  await sql`create schema attic authorization app_owner`;
  await sql`update partman.part_config set retention = '100 years', retention_schema = 'attic' where parent_table = 'app.moved'`;
  const { partitionId } = await operations().restore({ manifestKey, attach: 'parent' });
  await sql`update partman.part_config set retention = '2 months' where parent_table = 'app.moved'`;
  await run(set);
  expect(
    await sql`select from pg_class where relnamespace = 'attic'::regnamespace and relkind = 'r'`,
  ).toHaveLength(1);
  expect(await operations().resume(partitionId)).toMatchObject({ state: 'detached' });
  expect(await run(set)).toMatchObject({ archived: 1, dropped: 1, failed: 0, rows: 20 });
});

// Seen to fail without the parent in resume(): it was `attached` to a set that it is no partition of.
test('not while it is a partition of another table', async () => {
  const { database, operations } = archiver();
  const { sql } = database;
  const { manifestKey } = await archived('elsewhere');
  const { partitionId, table } = await operations().restore({ manifestKey });
  await sql`create table app.others (like app.elsewhere) partition by list (id)`;
  await sql.unsafe(`alter table app.others attach partition ${table} default`);
  expect(await failureOf(operations().resume(partitionId))).toMatchObject({
    code: 'PartitionRefused',
    message: expect.stringMatching(/is attached to app.others/),
  });
});

// Seen to fail without `upper_time` in record_inventory(): a row without it stayed so.
test('an inventory gives an attached partition the times that its ledger row lacks', async () => {
  const { database, run } = archiver();
  const { sql } = database;
  const { set } = await archived('untimed');
  await sql`update partition_archiver.partition set lower_time = null, upper_time = null
             where parent_name = 'untimed' and state = 'attached'`;
  await run(set, { only: 'inventory' });
  expect(
    await sql`select from partition_archiver.partition where parent_name = 'untimed' and state = 'attached' and upper_time is null`,
  ).toEqual([]);
});
