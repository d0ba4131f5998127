/** A conversion that waits between its comparison and the swap, while time passes and the table is maintained. */
import { beforeAll, expect, test } from '@jest/globals';
import type postgres from 'postgres';
import { ArchiverError } from '../../../core/errors.ts';
import { rollBackPartitionTable } from '../../../core/partition-table/local.ts';
import { useArchiver } from '../../support/archiver.ts';
import { makePartitioner } from '../../support/partition-table.ts';
import { makeShop } from '../../support/plain-table.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
const { withPorts, run, beforeSwap } = makePartitioner(archiver);

beforeAll(() => makeShop(archiver().database.sql));

/** 300 rows of a month and a half, numbered by tens. */
async function make(table: string): Promise<void> {
  await archiver().database.sql.unsafe(`
    create table shop.${table} (id bigint primary key, at timestamptz not null, body text);
    insert into shop.${table} select g * 10, now() - interval '45 days' + g * interval '3 hours', 'row' from generate_series(1, 300) g;
    alter table shop.${table} owner to shop_owner`);
}

/** How many rows the default partition has, null where there is none. */
const outside = async (table: string): Promise<unknown> => {
  const { sql } = archiver().database;
  const [{ name }] = await sql<[{ name: string | null }]>`
    select nullif(partdefid, 0)::regclass::text as name from pg_partitioned_table where partrelid = ${`shop.${table}`}::regclass`;
  return name === null ? null : (await sql.unsafe(`select from ${name}`)).length;
};

// Seen to fail without extend_shadow(): the rows lay in the default partition, with which pg_partman's maintenance fails; without
// a default partition, days of copying were rolled back.
test.each([
  ['later', { interval: '1 month', premake: 1 }, `now() + interval '4 months'`, 0],
  ['earlier', { interval: '1 week', premake: 1 }, `now() - interval '3 months'`, 0],
  ['numbers', { control: 'id', interval: '1000', premake: 1, retention: null }, 'now()', 0],
  [
    'no_default',
    { interval: '1 month', premake: 1, defaultPartition: false },
    `now() + interval '4 months'`,
    null,
  ],
] as const)('rows that come meanwhile have a partition: %s', async (table, plan, at, left) => {
  const { sql } = archiver().database;
  await make(table);
  await run({ table, ...plan }, undefined, 'check');
  await sql.unsafe(`insert into shop.${table} values (50000, ${at}, 'new')`);
  // Once by a catch-up, once by the swap itself.
  await run({ table, ...plan }, beforeSwap(`insert into shop.${table} values (70000, ${at}, 'new')`));
  expect(await outside(table)).toBe(left);
  const [{ rows }] = await sql<
    [{ rows: number }]
  >`select count(*)::integer as rows from ${sql(`shop.${table}`)}`;
  expect(rows).toBe(302);
  await sql`select partman.run_maintenance(${`shop.${table}`})`;
});

// Seen to fail without the times above now in missing_partitions().
test('partitions are made ahead of now while the job waits', async () => {
  const { sql } = archiver().database;
  await make('weeks');
  await run({ table: 'weeks' }, undefined, 'check');
  const ahead = (schema: string): Promise<{ count: number }[]> => sql`
    select count(*)::integer from pg_class where relnamespace = ${schema}::regnamespace and relkind = 'r' and relname like 'weeks_p%'`;
  const before = await ahead('partition_archiver_shadow');
  // As if it had begun months ago.
  await sql.unsafe(`do $$ begin execute (select 'drop table ' || string_agg(oid::regclass::text, ', ') from (
    select oid from pg_class where relnamespace = 'partition_archiver_shadow'::regnamespace and relname like 'weeks_p%' and relkind = 'r'
     order by relname desc limit 3) x); end $$`);
  await run({ table: 'weeks' });
  expect(await ahead('shop')).toEqual(before);
});

// Seen to fail with TRUNCATE in extend_shadow(): the snapshot had 300 rows, and the comparison would have found a difference.
test('rows that move to further partitions stay visible to a comparison in another session', async () => {
  const { sql } = archiver().database;
  await make('seen');
  await run({ table: 'seen' }, undefined, 'check');
  await sql`insert into shop.seen values (50000, now() + interval '9 months', 'new')`;
  const [{ id }] = await sql<[{ id: string }]>`select max(id) as id from partition_archiver.partition_job`;
  await sql`select partition_archiver.apply_changes(${id}::bigint)`;
  const count = await sql.begin('isolation level repeatable read', async (tx) => {
    await tx`select from shop.seen limit 1`;
    await sql`select partition_archiver.extend_partition_job(${id}::bigint)`;
    return tx`select count(*)::integer as rows from partition_archiver_shadow.seen`;
  });
  expect([...count]).toEqual([{ rows: 301 }]);
  expect((await run({ table: 'seen' })).state).toBe('swapped');
});

// Seen to fail without refuse_taken_names() in the swap: DatabaseRejected.
test('a name that is taken stops the job before the swap, and it continues once the name is free', async () => {
  const { sql } = archiver().database;
  await make('named');
  await run({ table: 'named' }, undefined, 'check');
  const names = (tx: postgres.ISql): Promise<{ name: string }[]> => tx`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'partition_archiver_shadow.named'::regclass order by c.oid desc`;
  const [{ id }] = await sql<[{ id: string }]>`select max(id) as id from partition_archiver.partition_job`;
  await sql`insert into shop.named values (50000, now() + interval '9 months', 'new')`;
  let later: { name: string }[] = [];
  await sql
    .begin(async (tx) => {
      await tx`select partition_archiver.apply_changes(${id}::bigint), partition_archiver.extend_partition_job(${id}::bigint)`;
      later = await names(tx);
      throw new Error('rolled back');
    })
    .catch(() => undefined);
  const refused = async (
    name: string,
    changes?: Parameters<typeof run>[1],
    upTo?: 'check',
  ): Promise<void> => {
    const failure = await failureOf(run({ table: 'named' }, changes, upTo));
    expect([failure.code, failure.message]).toEqual([
      'PreflightFailed',
      expect.stringContaining(`: the names of these partitions or indexes are taken: shop.${name} (`),
    ]);
    await sql.unsafe(`drop table shop.${name}`);
  };
  await sql.unsafe(`create table shop.${later[0]!.name} ()`);
  await refused(later[0]!.name, undefined, 'check');
  const [{ index }] = await sql<[{ index: string }]>`
    select indexrelid::regclass::text as index from pg_index where indrelid = ${`partition_archiver_shadow.${(await names(sql))[0]!.name}`}::regclass`;
  const taken = index.replace('partition_archiver_shadow.', '');
  await refused(taken, beforeSwap(`create table shop.${taken} ()`));
  expect((await run({ table: 'named' })).state).toBe('swapped');
});

// Seen to fail without empty_default(): the swap took it along.
test('a row that is far from all others stops the swap until it is corrected', async () => {
  const { sql } = archiver().database;
  await make('wrong');
  const failure = await failureOf(
    run(
      { table: 'wrong' },
      beforeSwap(`insert into shop.wrong values (1, '9024-01-01', 'typo'), (2, 'infinity', 'typo')`),
    ),
  );
  expect([failure.code, failure.message]).toEqual([
    'PreflightFailed',
    expect.stringContaining(
      'select * from partition_archiver_shadow.wrong_default; correct them in shop.wrong',
    ),
  ]);
  await sql`delete from shop.wrong where id < 10`;
  expect((await run({ table: 'wrong' })).state).toBe('swapped');
});

// Seen to fail without the file of the table in the swap: the new table had the old values.
test('a column that is rewritten after the comparison is not replaced by what it was', async () => {
  const { sql } = archiver().database;
  await make('rewritten');
  const failure = await failureOf(
    run(
      { table: 'rewritten' },
      beforeSwap('alter table shop.rewritten alter body type text using upper(body)'),
    ),
  );
  expect([failure.code, failure.message]).toEqual([
    'StateConflict',
    expect.stringContaining('compare again'),
  ]);
  expect((await failureOf(run({ table: 'rewritten' }, undefined, 'check'))).code).toBe('ShadowDiffers');
  await withPorts((ports) => rollBackPartitionTable({ schema: 'shop', table: 'rewritten' }, ports));
  // One that left the rows as they are.
  await run({ table: 'rewritten' }, undefined, 'check');
  await sql`vacuum full shop.rewritten`;
  expect((await failureOf(run({ table: 'rewritten' }))).code).toBe('StateConflict');
  await run({ table: 'rewritten' }, undefined, 'check');
  expect((await run({ table: 'rewritten' })).state).toBe('swapped');
});

// Seen to fail with ddl_objects() in partition_job_objects(): IdentityChanged, after which only a roll back was left.
test('maintenance of the table meanwhile does not end the job', async () => {
  const { sql } = archiver().database;
  await make('kept');
  await sql`create index by_body on shop.kept (body)`;
  await run({ table: 'kept' }, undefined, 'check');
  await sql`reindex table concurrently shop.kept`;
  await sql.unsafe(`alter table shop.kept set (autovacuum_vacuum_scale_factor = 0.01), cluster on by_body;
    create policy rows on shop.kept using (true)`);
  await sql`create index concurrently newer on shop.kept (body, at)`;
  const failure = await failureOf(run({ table: 'kept' }));
  expect([failure.code, failure.message]).toEqual([
    'StateConflict',
    expect.stringContaining('index shop.newer'),
  ]);
  await sql`drop index shop.newer`;
  expect((await run({ table: 'kept' })).state).toBe('swapped');
});

// Seen to fail without withLockTries() in core/partition-table/cancel.ts: "rolling it back failed too".
test('a roll back after an error waits for those who write', async () => {
  await make('busy');
  let tries = 0;
  const failure = await failureOf(
    run({ table: 'busy' }, (real) => ({
      copyBlocks: () => Promise.reject(new ArchiverError('RowTooLarge', 'too large')),
      rollBack: (job) => {
        tries += 1;
        return tries < 3 ? Promise.reject(new ArchiverError('LockNotAvailable', 'busy')) : real.rollBack(job);
      },
    })),
  );
  expect([failure.code, failure.message]).toEqual([
    'RowTooLarge',
    expect.stringContaining('rolled back, the table is as it was'),
  ]);
});

// Seen to fail with the words of the archive's fence.
test('what refuses TRUNCATE names the conversion', async () => {
  const { sql } = archiver().database;
  await make('truncated');
  await run({ table: 'truncated' }, undefined, 'check');
  await expect(sql.unsafe('truncate shop.truncated')).rejects.toMatchObject({
    message: 'table "truncated" is being partitioned and takes no TRUNCATE meanwhile',
    hint: expect.stringContaining('PartitionTable'),
  });
});

// Seen to fail with ALTER TABLE ONLY for the new table alone.
test('statistics targets and options of columns reach the partitions', async () => {
  const { sql } = archiver().database;
  await make('measured');
  await sql`alter table shop.measured alter column body set statistics 500, alter column body set (n_distinct = -0.5)`;
  await run({ table: 'measured' });
  expect(
    await sql`select distinct attstattarget::integer, array(select o from unnest(attoptions) o where o not like 'pg_attver=%') as attoptions
                from pg_attribute a join pg_class c on c.oid = a.attrelid
               where c.relnamespace = 'shop'::regnamespace and c.relname ~ '^measured(_|$)' and c.relkind in ('r', 'p') and attname = 'body'`,
  ).toEqual([{ attstattarget: 500, attoptions: ['n_distinct=-0.5'] }]);
});
