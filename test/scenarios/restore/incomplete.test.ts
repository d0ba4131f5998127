/**
 * What was dropped comes back, whatever its functions do by now: the rows are loaded and proven, and what cannot be made
 * is listed with its statement.
 */
import { beforeAll, expect, test } from '@jest/globals';
import type { Restored } from '../../../core/restore/publish.ts';
import { useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
let manifestKey = '';

beforeAll(async () => {
  const { database, run, config, operations } = archiver();
  const { sql } = database;
  await sql.unsafe(`
    create table public.currency (code text primary key);
    insert into public.currency values ('EUR');
    create function public.fold(v text) returns text language plpgsql immutable as $$ begin return lower(v); end $$;
    create function public.slug(v text) returns text language plpgsql immutable as $$ begin return upper(v); end $$;
    create function public.is_currency(c text) returns boolean language sql stable as 'select true';
    create function public.fresh() returns text language sql stable as $$ select 'fresh' $$`);
  await createPartitionSet(sql, {
    months: 3,
    rowsPerMonth: 500,
    values: `'Row ' || g, 'EUR', 'label'`,
    columns: `payload text, currency text, label text default public.fresh()`,
  });
  await sql.unsafe(`
    alter table app.event add column slug text generated always as (public.slug(payload)) stored;
    alter table app.event add constraint known_currency check (public.is_currency(currency));
    create index event_folded on app.event (public.fold(payload));
    create index event_payload on app.event (payload)`);
  await run(config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]));
  manifestKey = (await operations().find({})).archives[0]!.manifestKey;
  // From now on the functions rely on what archiver_restore does not see or may not read, or fail.
  await sql.unsafe(`
    create function public.helper(v text) returns text language sql immutable as 'select lower(v)';
    create or replace function public.fold(v text) returns text language plpgsql immutable as $$ begin return helper(v); end $$;
    create or replace function public.is_currency(c text) returns boolean language sql stable as
      'select exists (select from public.currency where code = c)'`);
  await define(FAILING);
});

const FAILING = 'upper(public.fail(v))';

/** Gives the function of the generated column another body. */
async function define(body: string): Promise<void> {
  await archiver().database.sql.unsafe(`
    create or replace function public.fail(v text) returns text language plpgsql immutable as $$ begin raise 'no slug of %', v; end $$;
    create or replace function public.slug(v text) returns text language plpgsql immutable as $$ begin return ${body}; end $$`);
}

const indexes = async (table: string): Promise<unknown> =>
  (
    await archiver().database.sql<{ name: string }[]>`
      select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
       where i.indrelid = ${table}::regclass order by 1`
  ).map(({ name }) => name.replace(/_p\d+(_\d+)?/, '_p'));

// Seen to fail on a9b8896: DatabaseRejected, "no slug of …" at the import; without that column "permission denied for table
// currency" at the import; without that constraint "function helper(text) does not exist" at the index.
test('a partition whose functions fail is restored: the rows are proven, and what is missing is listed', async () => {
  const { database, operations } = archiver();
  const restored = await operations().restore({ manifestKey, table: 'back' });
  expect(restored).toMatchObject({ table: 'app.back', rows: 500, attachedTo: null });
  expect(restored.unmade).toEqual([
    {
      statement:
        'ALTER TABLE ONLY app.back ADD COLUMN slug text GENERATED ALWAYS AS (public.slug(payload)) STORED',
      code: 'P0001',
      // The message is left out: it quotes a row.
      reason: 'SQLSTATE P0001 in function public.fail(text)',
    },
    {
      statement: 'ALTER TABLE ONLY app.back VALIDATE CONSTRAINT known_currency',
      code: '42501',
      reason:
        'the constraint is there, but not validated: SQLSTATE 42501 in function public.is_currency(text): permission denied for table currency (grant select on public.currency to archiver_trial, archiver_restore;)',
    },
    {
      statement: expect.stringMatching(
        /^CREATE INDEX \S+ ON app.back USING btree \(public.fold\(payload\)\)$/,
      ),
      code: '42883',
      reason:
        'SQLSTATE 42883 in function public.fold(text): function helper(text) does not exist (alter function public.fold(text) set search_path = public, pg_temp;)',
    },
  ]);
  expect(await indexes('app.back')).toEqual(['event_p_payload_idx', 'event_p_pkey', 'event_p_ts_idx']);
  const [row] = await database.sql`
    select (select count(*)::integer from app.back where label = 'label' and payload like 'Row %') as rows,
           (select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 'app.back'::regclass) as "default",
           (select convalidated from pg_constraint where conrelid = 'app.back'::regclass and contype = 'c') as validated,
           (select jsonb_array_length(unmade) from partition_archiver.restore where state = 'done') as unmade`;
  expect(row).toEqual({ rows: 500, default: 'fresh()', validated: false, unmade: 3 });
});

// Seen to fail without the look at contype in validate_restored(): is_currency() was called as archiver_owner, which may read all
// tables, and found what archiver_restore may not read.
test('archiver_restore has no check constraint validated with the rights of another role', async () => {
  const { database, open } = archiver();
  const [{ id }] = await database.sql<[{ id: number }]>`
    select partition_id as id from partition_archiver.restore where state = 'done'`;
  const connection = open('archiver_restore');
  try {
    await expect(
      connection`select partition_archiver.validate_restored(${id}::bigint, 'known_currency')`,
    ).rejects.toMatchObject({ code: 'PA001', message: 'app.back has no foreign key known_currency' });
  } finally {
    await connection.end();
  }
});

test('the statements that are listed can be run by the owner, once the cause is gone', async () => {
  const { sql } = archiver().database;
  const [{ unmade }] = await sql<[{ unmade: Restored['unmade'] }]>`
    select unmade from partition_archiver.restore where state = 'done'`;
  await define('upper(v)');
  // As the reason says; from 17 on no index is created before that, by any role.
  await sql`alter function public.fold(text) set search_path = public, pg_temp`;
  for (const { statement } of unmade) await sql.unsafe(statement);
  await sql`alter function public.fold(text) reset search_path`;
  expect(await sql`select count(*)::integer as rows from app.back where slug like 'ROW %'`).toEqual([
    { rows: 500 },
  ]);
  await define(FAILING);
});

// Seen to fail without the look at acceptIncomplete in attach() of core/restore/publish.ts: attached without its index.
test('an incomplete table is attached only when the request says so', async () => {
  const { database, operations } = archiver();
  const { sql } = database;
  await define('upper(v)');
  await sql.unsafe(`
    create table app.kept (id bigint not null, ts timestamptz not null, payload text, currency text, label text,
      slug text generated always as (public.slug(payload)) stored) partition by range (ts);
    alter table app.kept owner to app_owner`);
  const input = { manifestKey, table: 'incomplete', attach: 'app.kept' };
  expect(await failureOf(operations().restore(input))).toMatchObject({
    code: 'AttachRefused',
    message: expect.stringMatching(
      /app\.incomplete is restored and its rows are proven, but it is incomplete.*acceptIncomplete.*public\.fold\(text\)/,
    ),
  });
  expect(await operations().restore({ ...input, acceptIncomplete: true })).toMatchObject({
    attachedTo: 'app.kept',
    rows: 500,
    unmade: [{ code: '42501' }, { code: '42883' }],
  });
  await define(FAILING);
});

// Seen to fail without 'unmade' in record_restore_outcome(): the report of a range says nothing of it.
test('the report of a range says which tables are incomplete', async () => {
  const { database, operations } = archiver();
  const input = { partitionSet: 'app.event', from: '2000-01-01', schema: 'app', table: 'of_range' };
  expect(await operations().restoreAll(input, database.name)).toMatchObject({
    summary: expect.stringMatching(
      /^1 restored and proven \(500 rows, \d+ bytes\), 1 of them incomplete, 0 failed$/,
    ),
    incomplete: 1,
    archives: [{ unmade: expect.arrayContaining([expect.stringMatching(/^not made: CREATE INDEX.*42883/)]) }],
  });
});

// Seen to fail on a9b8896: DrillFailed.
test('a drill tells what a restore would lack', async () => {
  const { database, operations } = archiver();
  const drilled = await operations().drill({}, database.name);
  expect(drilled).toMatchObject({
    rows: 500,
    unmade: [{ code: 'P0001' }, { code: '42501' }, { code: '42883' }],
    summary: expect.stringMatching(/INCOMPLETE.*public\.fail\(text\)/),
  });
});
