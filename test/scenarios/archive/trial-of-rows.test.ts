/**
 * What a restore would lack is told before the drop: some of the rows are tried with the rights of a restore. Each of these
 * partitions was archived, proven, dropped, and then could not be restored.
 */
import { expect, test } from '@jest/globals';
import type postgres from 'postgres';
import { useArchiver } from '../../support/archiver.ts';
import { nth, readLedger, type LedgerLine } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
const sql = (): postgres.Sql => archiver().database.sql;
const setOf = (table: string, more = {}): ReturnType<ReturnType<typeof archiver>['config']> =>
  archiver().config([{ schema: 'app', table, drop: true, graceDays: 0, ...more }]);
const first = async (table: string): Promise<LedgerLine> => nth(await readLedger(sql(), table), 0);

async function make(table: string, columns: string, values: string, then = ''): Promise<void> {
  await createPartitionSet(sql(), { table, months: 3, rowsPerMonth: 300, columns, values });
  await sql().unsafe(then);
}

/**
 * A run ends with the oldest partition blocked for this reason, in quarantine, and without an archive. Somebody else
 * detached it: a run leaves it attached where that can be told (stays-attached.test.ts).
 */
async function blockedFor(table: string, code: string, reason: RegExp): Promise<LedgerLine> {
  await archiver().run(setOf(table), { only: 'inventory' });
  const { table: partition, state } = await first(table);
  if (state === 'attached') await sql().unsafe(`alter table app.${table} detach partition app.${partition}`);
  expect(await failureOf(archiver().run(setOf(table)))).toMatchObject({ code: 'PartitionsFailed' });
  const line = await first(table);
  expect(line).toMatchObject({ state: 'blocked', blockedCode: code });
  expect(line.blockedReason).toMatch(reason);
  return line;
}

/** The statement that the reason gives, run; then the partition is archived, dropped and restored as it was. */
async function fixed({ id, blockedReason }: LedgerLine, table: string): Promise<void> {
  const [, statement] = /\(((?:alter|grant) [^;]+;)\)/.exec(String(blockedReason)) ?? [];
  await sql().unsafe(String(statement));
  const { operations, run } = archiver();
  expect(await operations().resume(id)).toMatchObject({ state: 'exported' });
  expect(await run(setOf(table))).toMatchObject({ archived: 1, dropped: 1 });
  const archives = (await operations().find({ schema: 'app', table })).archives;
  const restored = await operations().restore({
    manifestKey: nth(archives, 0).manifestKey,
    table: `${table}_back`,
  });
  expect(restored).toMatchObject({ rows: 300, unmade: [] });
}

// Seen to fail on a9b8896: archived, proven and dropped; then "function helper(text) does not exist" at each restore.
test('an index over a function that relies on search_path keeps the table, and the way out works', async () => {
  await sql().unsafe(`
    create function public.helper(v text) returns text language sql immutable as 'select lower(v)';
    create function public.fold(v text) returns text language plpgsql immutable as $$ begin return public.helper(v); end $$`);
  // From 17 on no index is made with such a function; it becomes one afterwards.
  await make(
    'folded',
    'payload text',
    `'Row ' || g`,
    `create index on app.folded (public.fold(payload));
     create or replace function public.fold(v text) returns text language plpgsql immutable as $$ begin return helper(v); end $$`,
  );
  const line = await blockedFor(
    'folded',
    'RestoreIncomplete',
    /^tried with \d+ of its rows, a restore lacks index \S+: SQLSTATE 42883 in function public\.fold\(text\): function helper\(text\) does not exist \(alter function public\.fold\(text\) set search_path = public, pg_temp;\)$/,
  );
  await fixed(line, 'folded');
});

// Seen to fail on a9b8896: archived, proven and dropped; then "permission denied for table currency" at each restore.
test('a check constraint that reads another table keeps the table, and the way out works', async () => {
  await sql().unsafe(`
    create table public.currency (code text primary key);
    insert into public.currency values ('EUR');
    create function public.is_currency(c text) returns boolean language sql stable as
      'select exists (select from public.currency where code = c)'`);
  await make(
    'paid',
    'currency text',
    `'EUR'`,
    'alter table app.paid add constraint known check (public.is_currency(currency))',
  );
  const line = await blockedFor(
    'paid',
    'RestoreIncomplete',
    /check constraint known: SQLSTATE 42501 in function public\.is_currency\(text\): permission denied for table currency \(grant select on public\.currency to archiver_trial, archiver_restore;\)$/,
  );
  await fixed(line, 'paid');
});

// Seen to fail on a9b8896: "function helper(text) does not exist" with a hint about privileges, in quarantine for ever.
test('a generated column over such a function blocks the partition with its name', async () => {
  await sql().unsafe(`
    create function public.slug(v text) returns text language plpgsql immutable as $$ begin return public.helper(v); end $$`);
  await make(
    'slugged',
    'payload text, slug text generated always as (public.slug(payload)) stored',
    `'Row ' || g`,
  );
  await sql().unsafe(`
    create or replace function public.slug(v text) returns text language plpgsql immutable as $$ begin return helper(v); end $$`);
  const line = await blockedFor(
    'slugged',
    'PartitionRefused',
    /generated column slug fails as archiver_trial.*42883 in function public\.slug\(text\).*\(alter function public\.slug\(text\) set search_path = public, pg_temp;\)/,
  );
  await sql().unsafe('alter function public.slug(text) set search_path = public, pg_temp');
  await sql()`select partition_archiver.unblock(${line.id}::bigint)`;
  expect(await archiver().run(setOf('slugged'))).toMatchObject({ archived: 1, dropped: 1 });
});

// Seen to fail without acceptIncompleteRestore in judgeTrial() of core/archive/commit.ts.
test('where the configuration accepts it, the partition is archived, and a restore lists what it lacks', async () => {
  const { run, operations } = archiver();
  await sql().unsafe(
    `create function public.odd(v bigint) returns bigint language plpgsql immutable as $$ begin return v; end $$`,
  );
  await make('odd', 'payload text', `'Row ' || g`, 'create index odd_idx on app.odd (public.odd(id))');
  // The greatest value of a column is among those that are tried.
  await sql().unsafe(`
    create or replace function public.odd(v bigint) returns bigint language plpgsql immutable as $$
      begin if v = 300 then raise 'not %', v; end if; return v; end $$`);
  await blockedFor(
    'odd',
    'RestoreIncomplete',
    /index odd_\S+: SQLSTATE P0001 in function public\.odd\(bigint\)$/,
  );
  await sql()`select partition_archiver.unblock(${(await first('odd')).id}::bigint)`;
  expect(await run(setOf('odd', { acceptIncompleteRestore: true }))).toMatchObject({
    archived: 1,
    dropped: 1,
  });
  const { archives } = await operations().find({ schema: 'app', table: 'odd' });
  expect(
    await operations().restore({ manifestKey: nth(archives, 0).manifestKey, table: 'odd_back' }),
  ).toMatchObject({
    rows: 300,
    unmade: [{ code: 'P0001', statement: expect.stringMatching(/^CREATE INDEX odd_/) }],
  });
});

// Seen to fail without the constraints that make_for_rows() of db/archive/trial-rows-as-trial.sql takes away, each.
test('what rows need not fulfil, and what may have effects, is not tried', async () => {
  await sql().unsafe(`
    create sequence public.counted;
    create function public.counting(v text) returns boolean language sql as $$ select nextval('public.counted') > 0 $$`);
  await make('untried', 'payload text', `'Row ' || g`);
  await archiver().run(setOf('untried'), { only: 'inventory' });
  const { table } = await first('untried');
  await sql().unsafe(`
    alter table app.${table} add constraint not_so check (payload = 'never') not valid;
    alter table app.${table} add constraint counting check (public.counting(payload));
    create function public.never() returns trigger language plpgsql as $$ begin raise 'never'; end $$;
    create trigger never before insert on app.${table} for each row execute function public.never();
    alter table app.${table} enable always trigger never;
    create rule never as on insert to app.${table} do instead nothing`);
  const [{ before }] = await sql()<
    [{ before: number }]
  >`select last_value::integer as before from public.counted`;
  expect(await archiver().run(setOf('untried'))).toMatchObject({ archived: 1, dropped: 1 });
  const [{ after }] = await sql()<
    [{ after: number }]
  >`select last_value::integer as after from public.counted`;
  expect(after).toBe(before);
});
