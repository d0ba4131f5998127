/** What the inventory makes of partitions that somebody detached, renamed, moved or dropped; asked directly. */
import { describe, expect, test } from '@jest/globals';
import type postgres from 'postgres';
import { useArchiver } from '../../support/archiver.ts';
import { candidatesOf, detachedPartition, takeInventory } from '../../support/inventory.ts';
import { nth, readLedger, type LedgerLine } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { untilSomebodyWaits } from '../../support/waiting.ts';

const archiver = useArchiver();
const sql = (): postgres.Sql => archiver().database.sql;

const look = (table: string): Promise<void> => takeInventory(sql(), table);
const detached = (table: string): Promise<LedgerLine> => detachedPartition(sql(), table);

async function stateOf({ id }: LedgerLine): Promise<unknown> {
  const [row] = await sql()`
    select state, blocked_code as code, blocked_state as was, table_schema as schema from partition_archiver.partition where id = ${id}`;
  return { ...row };
}

describe('a partition that is attached no more', () => {
  test('is detached where it was, or in the schema that pg_partman puts it into', async () => {
    const there = await detached('stayed');
    await look('stayed');
    expect(await stateOf(there)).toEqual({ state: 'detached', code: null, was: null, schema: 'app' });

    const moved = await detached('moved');
    await sql().unsafe(`create schema kept; alter table app."${moved.table}" set schema kept;
      update partman.part_config set retention_schema = 'kept' where parent_table = 'app.moved'`);
    await look('moved');
    expect(await stateOf(moved)).toEqual({ state: 'detached', code: null, was: null, schema: 'kept' });
  });

  // Seen to fail without `same` in record_inventory(): taken for what it was, and archived under its old name.
  test('is blocked where somebody renamed it or moved it elsewhere', async () => {
    const renamed = await detached('renamed');
    await sql().unsafe(`alter table app."${renamed.table}" rename to event_of_another_kind`);
    await look('renamed');
    expect(await stateOf(renamed)).toEqual({
      state: 'blocked',
      code: 'IdentityChanged',
      was: 'attached',
      schema: 'app',
    });

    const moved = await detached('carried_off');
    await sql().unsafe(`create schema elsewhere; alter table app."${moved.table}" set schema elsewhere`);
    await look('carried_off');
    expect(await stateOf(moved)).toEqual({
      state: 'blocked',
      code: 'IdentityChanged',
      was: 'attached',
      schema: 'app',
    });
  });

  test('is missing where somebody dropped it, whether the ledger knew it as detached or not', async () => {
    const unseen = await detached('dropped_at_once');
    await sql().unsafe(`drop table app."${unseen.table}"`);
    await look('dropped_at_once');
    expect(await stateOf(unseen)).toMatchObject({ state: 'missing' });

    const seen = await detached('dropped_later');
    await look('dropped_later');
    await sql().unsafe(`drop table app."${seen.table}"`);
    await look('dropped_later');
    expect(await stateOf(seen)).toMatchObject({ state: 'missing' });
    // Its row is no candidate and no hindrance.
    expect(await candidatesOf(sql(), 'dropped_later')).toEqual([]);
  });

  // Seen to fail without `f.was = l.state` in record_inventory(): detached in the ledger, in quarantine in the database.
  test('is in quarantine where a run put it there while the inventory waited for its row', async () => {
    const line = await detached('raced');
    const run = await sql().reserve();
    try {
      await run`begin`;
      // As its own inventory does, which would also lock the rows of the other partitions.
      await run`update partition_archiver.partition set state = 'detached' where id = ${line.id}`;
      await run`select partition_archiver.quarantine(${line.id}::bigint, 1048576::bigint)`;
      const looked = look('raced');
      await untilSomebodyWaits(sql());
      await run`commit`;
      await looked;
    } finally {
      await run`rollback`;
      run.release();
    }
    expect(await stateOf(line)).toMatchObject({ state: 'quarantined' });
  });

  // Seen to fail without assert_identity(): a table that was restored or released is recorded again as attached.
  test('is left to the inventory of its own set; with rows of another system there is none', async () => {
    const line = await detached('one_set');
    await createPartitionSet(sql(), { table: 'another_set', months: 3, rowsPerMonth: 5 });
    await look('another_set');
    expect(await stateOf(line)).toMatchObject({ state: 'attached' });

    await sql()`update partition_archiver.partition set system_identifier = system_identifier + 1 where id = ${line.id}`;
    await expect(look('one_set')).rejects.toThrow(
      /the ledger has 1 partition of this database on the system/,
    );
    expect(await stateOf(line)).toMatchObject({ state: 'attached' });
    await sql()`update partition_archiver.partition
                   set system_identifier = system_identifier - 1, database_name = 'elsewhere', database_oid = 1 where id = ${line.id}`;
    await look('one_set');
    expect(await stateOf(line)).toMatchObject({ state: 'attached' });
  });
});

// Seen to fail without the states in ON CONFLICT … WHERE: archived again though nobody released it.
test.each(['restored', 'released', 'blocked'])('an attached partition that is %s stays so', async (state) => {
  const table = `kept_${state}`;
  await createPartitionSet(sql(), { table, months: 3, rowsPerMonth: 5 });
  await look(table);
  const line = nth(await readLedger(sql(), table), 0);
  const reason = state === 'blocked' ? 'an operator is to look' : null;
  await sql()`update partition_archiver.partition set state = ${state}, blocked_reason = ${reason}, bounds = 'other' where id = ${line.id}`;
  await look(table);
  expect(await stateOf(line)).toMatchObject({ state });
});

test('a table that is partitioned otherwise than by one range column is no set', async () => {
  await createPartitionSet(sql(), { table: 'plain', months: 3, rowsPerMonth: 5 });
  await sql()`create table app.two_keys (id bigint, ts timestamptz) partition by range (ts, id)`;
  await sql()`create table app.listed (id bigint, ts timestamptz) partition by list (ts)`;
  for (const name of ['two_keys', 'listed']) {
    await sql().unsafe(`insert into partman.part_config
      select (jsonb_populate_record(null::partman.part_config, to_jsonb(p) || '{"parent_table": "app.${name}"}')).*
        from partman.part_config p where parent_table = 'app.plain'`);
    await expect(look(name)).rejects.toThrow(
      'is not a range partition set of pg_partman with one control column',
    );
  }
});

test('a partition without a lower end has no bounds to go by, and is left alone', async () => {
  await createPartitionSet(sql(), { table: 'endless', months: 3, rowsPerMonth: 5 });
  await sql().unsafe(`create table app.ancient (like app.endless including all);
    alter table app.endless attach partition app.ancient for values from (minvalue) to ('2000-01-01')`);
  await look('endless');
  const tables = (await readLedger(sql(), 'endless')).map(({ table }) => table);
  expect(tables.length).toBeGreaterThan(2);
  expect(tables).not.toContain('ancient');
});

test('a set by a column that is neither a time nor a number is taken for neither', async () => {
  await createPartitionSet(sql(), { table: 'example', months: 3, rowsPerMonth: 5 });
  await sql()`create table app.named (name text) partition by range (name)`;
  await sql()`insert into partman.part_config
    select (jsonb_populate_record(null::partman.part_config,
              to_jsonb(p) || '{"parent_table": "app.named", "control": "name"}')).*
      from partman.part_config p where parent_table = 'app.example'`;
  expect(
    await sql()`select control_kind from partition_archiver.partition_set('app.named'::regclass)`,
  ).toEqual([{ control_kind: null }]);
});

test('where pg_partman is not installed there is no set', async () => {
  await createPartitionSet(sql(), { table: 'unmanaged', months: 3, rowsPerMonth: 5 });
  const found = await sql().begin(async (tx) => {
    await tx`drop extension pg_partman cascade`;
    const sets = await tx`select * from partition_archiver.partition_set('app.unmanaged'::regclass)`;
    await tx`rollback and chain`;
    return sets.length;
  });
  expect(found).toBe(0);
});
