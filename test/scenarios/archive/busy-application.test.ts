/**
 * Beside six sessions that steadily delete from a referenced table and insert into it: every step that needs a lock there
 * gets it at its first try, and kills nobody.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type postgres from 'postgres';
import { maintainDatabase } from '../../../adapters/postgres/archive/maintain.ts';
import { quarantineDatabase } from '../../../adapters/postgres/archive/quarantine.ts';
import { useArchiver } from '../../support/archiver.ts';
import { inState, nth } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { makePartitioner } from '../../support/partition-table.ts';
import { makePlainTable } from '../../support/plain-table.ts';
import { startSteadyWriters } from '../../support/steady-writers.ts';

const archiver = useArchiver();
const { run: partition } = makePartitioner(archiver);

/** A set whose rows refer to a table that `kind` makes, with an index on the referring column as an application has it. */
async function createReferring(table: string, referenced: string): Promise<void> {
  const { sql } = archiver().database;
  await createPartitionSet(sql, {
    table,
    columns: 'kind integer',
    values: '1',
    months: 4,
    rowsPerMonth: 500,
  });
  await sql.unsafe(`
    create table app.${referenced} (id integer primary key, v integer default 0);
    insert into app.${referenced} select g from generate_series(1, 5000) g;
    alter table app.${referenced} owner to app_owner;
    create index on app.${table} (kind);
    alter table app.${table} add constraint ${table}_kind foreign key (kind) references app.${referenced};`);
}

/** Whether a session waits for a lock on a table. */
async function isWaitedFor(sql: postgres.ReservedSql, table: string): Promise<boolean> {
  const waiting = await sql`select from pg_locks where relation = ${table}::regclass and not granted`;
  return waiting.length > 0;
}

/**
 * Works while other sessions have locks on nine partitions of `app.part`. Each is free a little after somebody waits for it:
 * less than a lock_timeout, and all of them far more than one. Returns how many were waited for.
 */
async function besideSlowPartitions(sql: postgres.Sql, work: () => Promise<unknown>): Promise<number> {
  const holders = await Promise.all(
    Array.from({ length: 9 }, async (_, n) => {
      const holder = await sql.reserve();
      await holder`begin`;
      await holder.unsafe(`lock table app.part_${String(n)} in access exclusive mode`);
      return holder;
    }),
  );
  let ended = false;
  let waitedFor = 0;
  const release = holders.map(async (holder, n) => {
    while (!ended && !(await isWaitedFor(holder, `app.part_${String(n)}`))) await sleep(20);
    if (!ended) {
      waitedFor++;
      await sleep(200);
    }
    await holder`rollback`;
    holder.release();
  });
  try {
    await work();
  } finally {
    ended = true;
    await Promise.all(release);
  }
  return waitedFor;
}

// Seen to fail without lock_referenced() in makePartitions(), detach_partition() and attach_restored(): each of them ended in
// 55P03 at 20 tries of 20.
test('maintenance, detach, quarantine and attach', async () => {
  const { database, config, open, operations, run } = archiver();
  const { sql } = database;
  await createReferring('busy', 'kind');
  const settings = config([{ schema: 'app', table: 'busy', drop: true, graceDays: 0 }]);
  const set = nth(settings.partitionSets, 0);
  await run(settings, { only: 'inventory' });
  await sql`update partman.part_config set premake = 6 where parent_table = 'app.busy'`;
  const maintain = open('archiver_maintain');
  let stop = await startSteadyWriters(database.url, 'app.kind');
  try {
    const steps = maintainDatabase(maintain, []);
    await steps.runMaintenance(set);
    const expiring = await steps.expiring(set);
    expect(expiring).toHaveLength(2);
    for (const partition of expiring) expect(await steps.detach(set, partition)).toBe('detached');
    await steps.inventory(set);
    for (const { id } of await inState(sql, 'detached', 'busy'))
      await quarantineDatabase(maintain).quarantine(id, 2 ** 30);
  } finally {
    const { killed, done } = await stop();
    await maintain.end();
    expect(killed).toEqual([]);
    expect(done).toBeGreaterThan(20);
  }
  expect(await run(settings)).toMatchObject({ archived: 2, dropped: 2 });

  await sql`update partman.part_config set retention = '99 months' where parent_table = 'app.busy'`;
  const { archives } = await operations().find({ schema: 'app', table: 'busy' });
  const restored = await operations().restore({ manifestKey: nth(archives, 1).manifestKey });
  const tries = open('archiver_restore');
  stop = await startSteadyWriters(database.url, 'app.kind');
  try {
    const id = String(restored.partitionId);
    for (const step of [
      'bound_restored($)',
      `index_restored($, 'app', 'busy')`,
      `attach_restored($, 'app', 'busy')`,
    ])
      await tries.begin((tx) => tx.unsafe(`select partition_archiver.${step.replace('$', id)}`));
  } finally {
    const { killed } = await stop();
    await tries.end();
    expect(killed).toEqual([]);
  }
});

// Seen to fail without the one deadline of lock_tree(), without lock_tree() in return_to_owner(), and without lock_referenced() in
// begin_partition_job(): each of the children waited for lock_timeout, all together for longer than deadlock_timeout, and one of
// the application's sessions was killed (40P01). Nor with pg_partition_tree() in lock_tree(), or in return_to_owner() where all indexes
// of the database are asked for their definitions: both wait for each partition.
test('a referenced table with many slow partitions: all waits together stay below deadlock_timeout', async () => {
  const { database, config, open, run } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, {
    table: 'slow',
    columns: 'kind integer',
    values: '1',
    months: 3,
    rowsPerMonth: 10,
  });
  await sql.unsafe(`
    create table app.part (id integer primary key) partition by range (id);
    ${Array.from({ length: 20 }, (_, n) => `create table app.part_${String(n)} partition of app.part for values from (${String(n * 10)}) to (${String(n * 10 + 10)})`).join(';')};
    insert into app.part select generate_series(0, 199);
    do $$ declare r record; begin for r in select relid from pg_partition_tree('app.part') loop
      execute format('alter table %s owner to app_owner', r.relid); end loop; end $$;
    alter table app.slow add constraint slow_part foreign key (kind) references app.part;`);
  const settings = config([{ schema: 'app', table: 'slow', drop: true, graceDays: 0 }]);
  const set = nth(settings.partitionSets, 0);
  await run(settings, { only: 'inventory' });
  const maintain = open('archiver_maintain');
  const { runMaintenance } = maintainDatabase(maintain, []);
  const tried = await besideSlowPartitions(sql, () =>
    expect(runMaintenance(set)).rejects.toMatchObject({ code: 'LockNotAvailable' }),
  );
  // Three quarters of deadlock_timeout, of which each wait takes one fifth at least.
  expect(tried).toBeLessThan(5);
  await runMaintenance(set);
  await maintain.end();

  await run(config([{ schema: 'app', table: 'slow' }]));
  const [verified] = await inState(sql, 'verified', 'slow');
  const returnIt = (): Promise<unknown> =>
    sql`select partition_archiver.release(${verified?.id ?? 0}::bigint)`.execute();
  const returned = await besideSlowPartitions(sql, () =>
    expect(returnIt()).rejects.toMatchObject({ code: '55P03' }),
  );
  expect(returned).toBeLessThan(5);
  await returnIt();

  await makePlainTable(sql, 'parted', 10);
  await sql.unsafe(`
    grant usage on schema app to shop_owner; grant references on app.part to shop_owner;
    alter table shop.parted add column kind integer default 1 references app.part`);
  await partition({ table: 'parted', mode: 'offline' }, (real) => ({
    begin: async (plan, limits) => {
      const begun = await besideSlowPartitions(sql, () =>
        expect(real.begin(plan, limits)).rejects.toMatchObject({ code: 'LockNotAvailable' }),
      );
      expect(begun).toBeLessThan(5);
      return real.begin(plan, limits);
    },
  }));
});

// Seen to fail without lock_referenced() in makePartitions() of partition-table: all six were killed (40P01); and without it in
// swap_partition_job(): 55P03 at every try.
test('a partition returns to its owner, and a table becomes a partition set', async () => {
  const { database, config, operations, run } = archiver();
  const { sql } = database;
  await createReferring('given', 'sort');
  await makePlainTable(sql, 'sold', 400);
  await sql.unsafe(`
    grant usage on schema app to shop_owner; grant references on app.sort to shop_owner;
    alter table shop.sold add column sort integer default 1, add constraint sold_sort foreign key (sort) references app.sort;
    create index on shop.sold (sort)`);
  await run(config([{ schema: 'app', table: 'given' }]));
  const [verified] = await inState(sql, 'verified', 'given');
  const stop = await startSteadyWriters(database.url, 'app.sort');
  try {
    await operations().release(verified!.id);
    await partition({ table: 'sold', mode: 'offline' });
  } finally {
    const { killed } = await stop();
    expect(killed).toEqual([]);
  }
  const keys = await sql`
    select conrelid::regclass::text as table from pg_constraint
     where contype = 'f' and confrelid = 'app.sort'::regclass and conparentid = 0
       and conrelid in (${verified!.oid}::oid, 'shop.sold'::regclass)`;
  expect(keys).toHaveLength(2);
});

// Seen to fail without index_restored(): the index was built by ATTACH, under the lock of the default partition.
test('attach builds no index under its lock', async () => {
  const { database, config, operations, run } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'indexed', months: 3, rowsPerMonth: 10 });
  const settings = config([{ schema: 'app', table: 'indexed', drop: true, graceDays: 0 }]);
  await run(settings);
  await sql`update partman.part_config set retention = '99 months' where parent_table = 'app.indexed'`;
  // Made since, so that the archived DDL has none of them.
  await sql`create index on app.indexed (payload, id desc) where id > 3`;
  await sql`create index on app.indexed using hash (payload)`;
  await sql`alter table app.indexed add unique (ts, id)`;
  const { archives } = await operations().find({ schema: 'app', table: 'indexed' });
  const restored = await operations().restore({ manifestKey: nth(archives, 0).manifestKey });
  const id = String(restored.partitionId);
  await sql.unsafe(`select partition_archiver.index_restored(${id}, 'app', 'indexed')`);
  const count = async (): Promise<unknown> =>
    (
      await sql`select count(*)::integer as indexes from pg_index where indrelid = ${restored.table}::regclass`
    )[0]?.['indexes'];
  expect(await count()).toBe(5);
  // Once more, nothing is made.
  await sql.unsafe(`select partition_archiver.index_restored(${id}, 'app', 'indexed')`);
  await sql.unsafe(`select partition_archiver.attach_restored(${id}, 'app', 'indexed')`);
  expect(await count()).toBe(5);
  const unattached = await sql`
    select from pg_index x where x.indrelid = ${restored.table}::regclass
       and not exists (select from pg_inherits i where i.inhrelid = x.indexrelid)`;
  expect(unattached).toHaveLength(0);
});
