/** What PostgreSQL 19 does otherwise than 18, as far as the archiver meets it. */
import { expect, test } from '@jest/globals';
import { useArchiver } from '../support/archiver.ts';
import { nth, readLedger } from '../support/ledger.ts';
import { createPartitionSet } from '../support/partition-sets.ts';
import { useSmallDisk } from '../support/small-disk.ts';
import { serverMajor } from '../support/stack.ts';
import { failureOf } from '../support/verified.ts';

const archiver = useArchiver();
const { onSmallDisk, whileFull } = useSmallDisk(archiver);
const is19 = serverMajor() >= 19;

// Up to 18, DETACH CONCURRENTLY leaves a CHECK of the bounds, which belongs to the table that is archived.
test('a partition that was detached CONCURRENTLY is archived, and comes back with the constraints that it had', async () => {
  const { database, run, config, operations } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'parted', months: 4, rowsPerMonth: 20 });
  const set = config([{ schema: 'app', table: 'parted', drop: true, graceDays: 0 }]);
  await run(set, { only: 'inventory' });
  const name = `app.${nth(await readLedger(sql, 'parted'), 0).table}`;
  await sql`drop table app.parted_default`;
  await sql.unsafe(`alter table app.parted detach partition ${name} concurrently`);
  const checks = async (): Promise<unknown> =>
    (
      await sql`select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = ${name}::regclass and contype = 'c'`
    ).slice();
  const before = await checks();
  expect(before).toHaveLength(is19 ? 0 : 1);

  expect(await run(set)).toMatchObject({ failed: 0 });
  const { archives } = await operations().find({ schema: 'app', table: 'parted' });
  await operations().restore({ manifestKey: archives[0]!.manifestKey });
  expect(await checks()).toEqual(before);
});

test('a database may have standard_conforming_strings = off until 19, which refuses it', async () => {
  const { sql, name } = archiver().database;
  const setting = sql.unsafe(`alter database "${name}" set standard_conforming_strings = off`);
  if (is19) await expect(setting).rejects.toThrow(/standard_conforming_strings|non-standard string literals/);
  else await setting;
  await sql.unsafe(`alter database "${name}" reset standard_conforming_strings`);
});

test('a column of type pg_ndistinct is archived where it can be read back, and refused where it cannot', async () => {
  const { database, run, config, operations } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, {
    table: 'counted',
    columns: 'estimate pg_ndistinct',
    values: 'null',
    months: 3,
    rowsPerMonth: 20,
  });
  if (is19) await sql.unsafe(`update app.counted set estimate = '[{"attributes": [1, 2], "ndistinct": 7}]'`);
  const set = config([{ schema: 'app', table: 'counted', drop: true, graceDays: 0 }]);
  if (!is19) {
    expect((await failureOf(run(set))).message).toContain('type pg_ndistinct cannot be read back from text');
    return;
  }
  expect(await run(set)).toMatchObject({ dropped: 1, failed: 0 });
  const { archives } = await operations().find({ schema: 'app', table: 'counted' });
  const { manifestKey, partition } = archives[0]!;
  expect(await operations().restore({ manifestKey })).toMatchObject({ rows: 20, unmade: [] });
  expect(await sql.unsafe(`select distinct estimate::text from app.${partition.table}`)).toEqual([
    { estimate: '[{"attributes": [1, 2], "ndistinct": 7}]' },
  ]);
});

onSmallDisk(
  'a SELECT may write to the visibility map since 19, and fail on a full disk: StorageFull, and the next run ends',
  async () => {
    const { database, run, config } = archiver();
    const { sql } = database;
    await createPartitionSet(sql, { table: 'pruned', months: 3, rowsPerMonth: 20 });
    await sql.unsafe(`
    create table app.versions (id integer, n integer) with (fillfactor = 50, autovacuum_enabled = false);
    insert into app.versions select g, 0 from generate_series(1, 20000) g;
    update app.versions set n = 1`);
    const set = config([{ schema: 'app', table: 'pruned', drop: true, graceDays: 0 }]);
    await run(set, { only: 'inventory' });
    await sql.unsafe('vacuum full partition_archiver.partition');
    const [reading, failure] = await whileFull(0, async () => [
      await sql`select count(*) from app.versions`.then(
        () => 'it reads',
        (error: unknown) => (error as Error).message,
      ),
      await failureOf(run(set)),
    ]);
    expect(reading).toMatch(is19 ? /_vm": No space left on device/ : 'it reads');
    expect(`${failure.code}: ${failure.message}`).toContain('StorageFull');
    expect(await run(set)).toMatchObject({ failed: 0, dropped: 1 });
  },
);
