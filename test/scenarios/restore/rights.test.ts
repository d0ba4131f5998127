/** Rights that a restore needs are told before anything is detached, in a database where PUBLIC has none. */
import { expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { makeRoles } from '../../support/roles.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();

// Seen to fail on a9b8896: preflight says nothing, and each partition is blocked: "permission denied for schema extensions".
test('schemas, types and functions that PUBLIC may not use are listed with their grants, before a partition leaves', async () => {
  const { database, config, steps, run, operations } = archiver();
  const { sql } = database;
  await makeRoles(sql, 'app_owner');
  await sql.unsafe(`
    create schema extensions;
    revoke all on schema extensions from public;
    grant usage on schema extensions to app_owner;
    create extension citext schema extensions;
    create extension hstore schema extensions;
    create extension pg_trgm schema extensions;
    create schema domains;
    create function domains.is_short(v text) returns boolean language sql immutable as 'select length(v) < 100';
    create function domains.fold(v text) returns text language sql immutable as 'select lower(v)';
    create function domains.made_up() returns text language sql as $$ select 'made up' $$;
    create domain domains.short as text check (domains.is_short(value));
    create type domains.mood as enum ('sad');
    revoke all on function domains.is_short(text), domains.fold(text), domains.made_up() from public;
    revoke all on type domains.mood from public;
    grant usage on schema domains to public;
    grant execute on all functions in schema domains to app_owner;
    grant usage on type domains.mood to app_owner`);
  await createPartitionSet(sql, {
    months: 3,
    rowsPerMonth: 100,
    columns: `who extensions.citext, attrs extensions.hstore, name domains.short, mood domains.mood, made text default domains.made_up()`,
    values: `'Who ' || g, extensions.hstore('k', g::text), 'n', 'sad', 'x'`,
  });
  await sql.unsafe(`
    create index on app.event using gin (attrs);
    create index on app.event using gin ((who::text) extensions.gin_trgm_ops);
    create index on app.event (domains.fold(name))`);
  const set = config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]);
  const failure = await failureOf(steps(set).preflight({}));
  const grants = [
    'grant usage on schema extensions to archiver_trial, archiver_restore;',
    'grant execute on function domains.fold(text) to archiver_trial, archiver_restore;',
    'grant execute on function domains.is_short(text) to archiver_trial, archiver_restore;',
    'grant usage on type domains.mood to archiver_trial, archiver_restore;',
  ];
  expect(failure).toMatchObject({ code: 'PreflightFailed' });
  // A default is not called when rows are loaded: its function needs no grant.
  expect(failure.message.split('\n').map((line) => line.replace(/^.*needs\. /, ''))).toEqual(grants);
  expect(failure.message.split('\n')[0]).toBe(
    `app.event: archiver_trial and archiver_restore may not use schema extensions, which restoring a partition needs. ${grants[0]!}`,
  );
  expect(
    await sql`select from pg_class where relnamespace = 'partition_archiver_quarantine'::regnamespace`,
  ).toEqual([]);

  await sql.unsafe(grants.join('\n'));
  expect(await run(set)).toMatchObject({ archived: 1, dropped: 1 });
  const [archive] = (await operations().find({})).archives;
  expect(await operations().restore({ manifestKey: archive!.manifestKey, table: 'back' })).toMatchObject({
    rows: 100,
    unmade: [],
  });
});

// Seen to fail without suggest_fix() in try_ddl() of db/ddl/render.sql: the reason says "report it".
test('a right that is taken away after the detach is named with its grant', async () => {
  const { database, config, run } = archiver();
  const { sql } = database;
  await sql.unsafe(`create schema later; create type later.mood as enum ('sad')`);
  await sql.unsafe('grant usage on schema later to public');
  await createPartitionSet(sql, {
    table: 'later',
    months: 3,
    rowsPerMonth: 10,
    columns: 'mood later.mood',
    values: `'sad'`,
  });
  const set = config([{ schema: 'app', table: 'later', drop: true, graceDays: 0 }]);
  const failure = await failureOf(
    run(
      set,
      {},
      {
        commit: async () => {
          throw new Error('not yet');
        },
      },
    ),
  );
  expect(failure.message).toMatch(/not yet/);
  await sql.unsafe('revoke usage on schema later from public');
  // The preflight tells it by now; a run whose preflight was before does not hear of it.
  const tried = await sql`
    select partition_archiver_trial.try_ddl(ddl) from partition_archiver.partition where table_name like 'later%' and ddl is not null`.catch(
    (error: unknown) => error,
  );
  expect(String(tried)).toMatch(
    /permission denied for schema later \(grant usage on schema later to archiver_trial, archiver_restore;\)/,
  );
});
