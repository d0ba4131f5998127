/**
 * What would stop the drop of a table is found before it is touched, and what belongs to the table itself is no obstacle;
 * asked directly. Seen to fail without each branch of dependents_of().
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type postgres from 'postgres';
import { useDatabase } from '../../support/database.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';

const database = useDatabase({ template: 'archiver' });
const sql = (): postgres.Sql => database().sql;

async function dependentsOf(table: string): Promise<string[] | null> {
  const [row] = await sql()<[{ found: string[] | null }]>`
    select partition_archiver.dependents_of(${table}::regclass) as found`;
  return row.found;
}

async function refusalsOf(table: string): Promise<string[]> {
  const [row] = await sql()<[{ found: string[] }]>`
    select partition_archiver.refusals(${table}::regclass) as found`;
  return row.found;
}

beforeAll(async () => {
  await sql().unsafe(`
    create schema ref;
    create sequence ref.counter;
    create function ref.nothing() returns trigger language plpgsql as 'begin return new; end';
    create table ref.own (
      id bigint primary key default nextval('ref.counter'), above bigint references ref.own,
      twice bigint generated always as (id * 2) stored, at timestamptz not null default now(), check (id > 0));
    create index on ref.own ((id % 2)) where above is not null;
    create policy mine on ref.own using (id % 2 = 0);
    create trigger mine before insert on ref.own for each row when (new.id > 0) execute function ref.nothing();
    create statistics ref.mine on ((null::ref.own) is null), at from ref.own;
    create rule mine as on insert to ref.own where new.id < 0 do instead nothing;
    create table ref.other (id bigint primary key)`);
});

test('what belongs to the table is no dependent of it', async () => {
  expect(await dependentsOf('ref.own')).toBeNull();
});

describe('a dependent is', () => {
  test.each([
    ['create view ref.v as select * from ref.own', 'view ref.v', 'drop view ref.v'],
    [
      'create rule r as on insert to ref.other do also update ref.own set at = now()',
      'table ref.other',
      'drop rule r on ref.other',
    ],
    [
      'alter table ref.other add constraint f foreign key (id) references ref.own',
      'constraint f on table ref.other',
      'alter table ref.other drop constraint f',
    ],
    [
      `create function ref.f() returns setof ref.own language sql as 'table ref.own'`,
      'function ref.f()',
      'drop function ref.f()',
    ],
    ['alter table ref.other add c ref.own', 'column c of table ref.other', 'alter table ref.other drop c'],
    ['alter table ref.other add c ref.own[]', 'column c of table ref.other', 'alter table ref.other drop c'],
    [
      'alter table ref.other add c boolean default ((null::ref.own) is null)',
      'default value for column c of table ref.other',
      'alter table ref.other drop c',
    ],
    [
      'create policy p on ref.other using (exists (select from ref.own))',
      'policy p on table ref.other',
      'drop policy p on ref.other',
    ],
    [
      'create trigger t before insert on ref.other for each row when ((null::ref.own) is null) execute function ref.nothing()',
      'trigger t on table ref.other',
      'drop trigger t on ref.other',
    ],
    // DROP ... RESTRICT would take it along without a word.
    [
      'create constraint trigger t after insert on ref.other from ref.own for each row execute function ref.nothing()',
      'trigger t on table ref.other',
      'drop trigger t on ref.other',
    ],
    [
      'create statistics ref.s on ((null::ref.own) is null), id from ref.other',
      'statistics object ref.s',
      'drop statistics ref.s',
    ],
  ])('%s', async (made, dependent, undone) => {
    await sql().unsafe(made);
    expect(await dependentsOf('ref.own')).toEqual([dependent]);
    await sql().unsafe(undone);
    expect(await dependentsOf('ref.own')).toBeNull();
  });
});

test('a table without data, of somebody else, or attached is refused with the reason', async () => {
  await createPartitionSet(sql(), { months: 3, rowsPerMonth: 0 });
  await sql()`create table app.bare ()`;
  await sql()`alter table app.bare owner to app_owner`;
  expect(await refusalsOf('app.bare')).toEqual(['it has no column with data']);
  expect(await refusalsOf('app.event_default')).toEqual(['it is attached to app.event']);
  expect(await refusalsOf('ref.own')).toEqual([
    'it belongs to postgres, of which archiver_owner is not a member',
  ]);
});
