/** What prepare grants, and what it must not: tables that are not pg_partman's, and a login that is a superuser's. */
import { expect, test } from '@jest/globals';
import { registerOwner } from '../../../adapters/postgres/install.ts';
import { useAdministrator } from '../../support/administrator.ts';
import { useDatabase } from '../../support/database.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { prepared } from '../../support/prepare.ts';
import { withRoleRetries } from '../../support/roles.ts';

const administrator = useAdministrator();
const inPublic = useDatabase();
const ofSuperuser = useDatabase({ template: 'archiver' });

const OUR_ROLES = [
  'archiver_owner',
  'archiver_trial',
  'archiver_maintain',
  'archiver_read',
  'archiver_drop',
  'archiver_restore',
];

// Seen to fail without: missing_partman_grants() and excess_partman_grants(); archiver_maintain had every right on
// public.customer.
test('pg_partman in schema public: only its own tables and routines are granted, and what was granted before is taken back', async () => {
  const { name, sql } = inPublic();
  await sql.unsafe(`
    create extension pg_partman schema public;
    create table public.customer (id integer primary key, card text);
    create function public.secret() returns text language sql as $$ select 'x' $$;
    revoke execute on function public.secret() from public`);
  const connection = administrator(name);
  const { problems } = await prepared(connection, []);
  expect(problems).toEqual([]);
  // As a version before this one granted it.
  await sql.unsafe(`
    grant select, insert, update, delete on all tables in schema public to archiver_maintain;
    grant select on all tables in schema public to archiver_owner;
    grant execute on all routines in schema public to archiver_maintain`);
  await prepared(connection, []);
  expect(
    await sql`
      select rolname, privilege from unnest(${sql.array(OUR_ROLES)}::text[]) as r (rolname),
             unnest('{select,insert,update,delete,truncate,references,trigger}'::text[]) as p (privilege)
       where has_table_privilege(rolname, 'public.customer', privilege)
      union all
      select rolname, 'execute' from unnest(${sql.array(OUR_ROLES)}::text[]) as r (rolname)
       where has_function_privilege(rolname, 'public.secret()', 'execute')`,
  ).toEqual([]);
  // And what maintenance needs, it has.
  const [{ enough }] = await sql<[{ enough: boolean }]>`
    select has_table_privilege('archiver_maintain', 'public.part_config', 'select, insert') and
           has_function_privilege('archiver_maintain', 'public.run_maintenance(text, boolean, boolean)', 'execute') as enough`;
  expect(enough).toBe(true);
});

// Seen to fail without: the look at rights_beyond_tables() in register_owner() and preflight(); archiver_maintain could SET ROLE to
// the superuser.
test.each([
  ['a superuser', 'superuser', 'has the attributes superuser'],
  ['one who may create roles', 'createrole', 'has the attributes createrole'],
  ['one who row security does not hold', 'bypassrls', 'has the attributes bypassrls'],
  [
    'a member of a superuser',
    'nosuperuser',
    'is a member of boss_of_tables, which has the attributes superuser',
  ],
])('the archiver does not become a member of %s, and the way out works', async (_, attribute, words) => {
  const { name, sql } = ofSuperuser();
  const superuser = administrator(name);
  const schema = attribute === 'nosuperuser' ? 'shop_of_member' : `shop_${attribute}`;
  const owner = `mighty_${schema}`;
  const table = `${schema}.sale`;
  await createPartitionSet(sql, { schema, table: 'sale', owner, months: 2, rowsPerMonth: 2 });
  await withRoleRetries(() => sql.unsafe(`revoke ${owner} from archiver_owner, archiver_maintain`));
  await sql.unsafe(`alter role ${owner} ${attribute}`);
  if (attribute === 'nosuperuser') {
    await sql.unsafe(`create role boss_of_tables superuser; grant boss_of_tables to ${owner}`);
  }
  await expect(registerOwner(superuser, owner, [schema])).rejects.toThrow(words);

  const { problems, done } = await prepared(superuser, [table]);
  expect(done).not.toContain(`owner ${owner} of ${schema}`);
  expect(problems).toEqual([
    {
      subject: table,
      problem: `its owner ${owner} ${words}: archiver_maintain, which logs in, would become a member of it`,
      remedy: expect.stringContaining('Give it to a role of its own: create role '),
    },
  ]);
  expect(
    await sql`
      select rolname from unnest(${sql.array(OUR_ROLES)}::text[]) as r (rolname) where pg_has_role(rolname, ${owner}, 'member')`,
  ).toEqual([]);

  await sql.unsafe(problems[0]!.remedy.slice('Give it to a role of its own: '.length));
  // From pg_partman 5.5 on its template table has to follow, which is told next.
  for (const { problem, remedy } of (await prepared(superuser, [table])).problems) {
    expect(problem).toContain('template table for it belongs to');
    await sql.unsafe(remedy);
  }
  expect((await prepared(superuser, [table])).problems).toEqual([]);
});
