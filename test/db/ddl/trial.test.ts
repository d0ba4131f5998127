/** The trial run of archived DDL, and what the generator refuses to write down. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type postgres from 'postgres';
import { useDatabase } from '../../support/database.ts';
import { capture, createRoles, oidOf, tryDdl } from './support.ts';
import type { Capture } from './support.ts';

const database = useDatabase({ template: 'archiver' });

beforeAll(async () => {
  await createRoles(database().sql);
});

/** A table of its own for each test, and its DDL. */
async function captured(name: string, columns: string, after = ''): Promise<Capture> {
  const { sql } = database();
  await sql.unsafe(`create table public.${name} (${columns}); ${after}`);
  return await capture(sql, { schema: 'public', name });
}

describe('the trial', () => {
  test('leaves nothing behind', async () => {
    const { sql } = database();
    const ddl = await captured(
      'fine',
      'a serial primary key, b int generated always as identity, c text unique',
    );
    await tryDdl(sql, ddl);
    const rows = await sql`
      select relname from pg_class where relnamespace = 'partition_archiver_trial'::regnamespace
      union all select typname from pg_type where typnamespace = 'partition_archiver_trial'::regnamespace`;
    expect([...rows]).toEqual([]);
  });

  test('fails when a type is gone, and says which statement, without leaving anything', async () => {
    const { sql } = database();
    await sql`create type public.gone as enum ('a')`;
    const ddl = await captured('typed_column', 'a int, b public.gone');
    await sql`alter table public.typed_column drop column b`;
    await sql`drop type public.gone`;
    await expect(tryDdl(sql, ddl)).rejects.toMatchObject({
      code: 'PA011',
      message:
        'statement 1 of 1 of the archived DDL (CREATE TABLE) fails with 42704: type "public.gone" does not exist',
    });
    const rows =
      await sql`select from pg_class where relnamespace = 'partition_archiver_trial'::regnamespace`;
    expect(rows.length).toBe(0);
  });

  test('fails when a collation is gone', async () => {
    const { sql } = database();
    await sql`create collation public.gone_collation (provider = icu, locale = 'de')`;
    const ddl = await captured(
      'collated',
      'a text',
      'create index collated_i on public.collated (a collate public.gone_collation)',
    );
    await sql`drop index public.collated_i`;
    await sql`drop collation public.gone_collation`;
    await expect(tryDdl(sql, ddl)).rejects.toThrow(
      /^statement 2 of 2 of the archived DDL \(CREATE INDEX\) fails with 42704: /,
    );
  });

  test('finds a column, a constraint and an index that are not what they were', async () => {
    const { sql } = database();
    const ddl = await captured(
      'drifted',
      'a int not null, b text, check (a > 0)',
      'create index on public.drifted (b)',
    );
    const change = (from: string | RegExp, to: string): Capture => ({
      ...ddl,
      structure: ddl.structure.map((statement) => statement.replace(from, to)),
    });
    await tryDdl(sql, ddl);
    await expect(tryDdl(sql, change('b text', 'b varchar'))).rejects.toThrow(
      /makes another table: columns: .*character varying/,
    );
    // Since PostgreSQL 18 a constraint of its own, before it a part of the column.
    const notNull = /,\s+CONSTRAINT \w+ NOT NULL a|(?<=a integer) NOT NULL/;
    await expect(tryDdl(sql, change(notNull, ''))).rejects.toThrow(/makes another table: columns/);
    await expect(tryDdl(sql, change('a integer', 'a integer DEFAULT 1'))).rejects.toThrow(
      /makes another table: columns/,
    );
    await expect(tryDdl(sql, change('b text', 'b text COLLATE "C"'))).rejects.toThrow(
      /makes another table: columns/,
    );
    await expect(tryDdl(sql, change(/,\s+CONSTRAINT \w+ CHECK.*?(?=,?\n)/, ''))).rejects.toThrow(
      /makes another table: objects/,
    );
    await expect(tryDdl(sql, change('USING btree', 'USING hash'))).rejects.toThrow(
      /makes another table: objects/,
    );
    await expect(tryDdl(sql, { ...ddl, structure: ddl.structure.slice(0, 1) })).rejects.toThrow(
      /makes another table: objects/,
    );
  });

  test("is not taken in by a function of the user's that raises the code of the undo", async () => {
    const { sql } = database();
    await sql.unsafe(`create function public.undo(int) returns int language plpgsql immutable as
      $$ begin if current_setting('test.undo', true) = 'on' then raise exception 'x' using errcode = 'PA000'; end if; return $1; end $$`);
    const ddl = await captured(
      'raising',
      'a int',
      'create index on public.raising (public.undo(a)) where public.undo(1) = a',
    );
    await expect(
      sql.begin(async (transaction) => {
        await transaction`set local test.undo = 'on'`;
        await transaction`select partition_archiver.try_ddl(${sql.json(ddl as never)})`;
      }),
    ).rejects.toThrow(/CREATE INDEX\) fails with PA000/);
  });

  test('keeps no lock, and takes none on a table that is only referenced', async () => {
    const { sql } = database();
    await sql`create table public.live (id int primary key)`;
    await sql`create function public.noop() returns trigger language plpgsql as 'begin return new; end'`;
    const ddl = await captured(
      'child',
      'a int references public.live',
      `create constraint trigger ct after insert on public.child from public.live for each row execute function public.noop();
       create rule r as on delete to public.child do also insert into public.live select old.a`,
    );
    expect(ddl.foreign_keys.length).toBe(1);
    expect(ddl.foreign_triggers.length).toBe(1);
    await sql.begin(async (transaction) => {
      await transaction`select partition_archiver.try_ddl(${sql.json(ddl as never)})`;
      const locks = await transaction`
        select relation::regclass::text as table, mode from pg_locks where pid = pg_backend_pid() and relation >= 16384
           and relation in (select oid from pg_class where relname in ('live', 'child'))`;
      expect([...locks]).toEqual([]);
    });
    // The rule's action is analysed under the lock of a writer: readers and writers are not in the way.
    await sql.begin(async (holder) => {
      await holder`lock table public.live in row exclusive mode`;
      await tryDdl(sql, ddl);
    });
  });

  test('lets a lock timeout pass as it is, to be tried again', async () => {
    const { sql } = database();
    const ddl = await captured(
      'waiting',
      'a int',
      'create rule r as on delete to public.waiting do also insert into public.live select old.a',
    );
    await sql.begin(async (holder) => {
      await holder`lock table public.live in access exclusive mode`;
      await expect(
        sql.begin(async (transaction) => {
          await transaction`set local lock_timeout = '50ms'`;
          await transaction`select partition_archiver.try_ddl(${sql.json(ddl as never)})`;
        }),
      ).rejects.toMatchObject({ code: '55P03' });
    });
  });

  test('and captures run side by side for tables of the same name in several schemas', async () => {
    const { sql } = database();
    const tables = ['tenant_1', 'tenant_2', 'tenant_3'].map((schema) => ({ schema, name: 'events' }));
    for (const { schema } of tables) {
      await sql.unsafe(`create schema ${schema}; create table ${schema}.events (id serial primary key, at date, n int unique);
        create index events_at on ${schema}.events (at); create index events_n_at on ${schema}.events (n, at)`);
    }
    await Promise.all(
      tables.map(async (table) => {
        for (let round = 0; round < 10; round++) {
          const ddl = await sql.begin(async (transaction) => {
            await transaction.unsafe(`lock table only ${table.schema}.events in access exclusive mode`);
            return await capture(transaction as unknown as postgres.Sql, table);
          });
          await tryDdl(sql, ddl);
        }
      }),
    );
  });

  test('refuses what was refused', async () => {
    const { sql } = database();
    const ddl = await captured('refused', 'a int');
    await expect(tryDdl(sql, { ...ddl, refused: ['a reason'] })).rejects.toMatchObject({
      code: 'PA011',
      message: /a reason/,
    });
  });

  test('does not know an unknown section or token', async () => {
    const { sql } = database();
    const ddl = await captured('unknown_token', 'a int');
    const call = (value: unknown, sections: string[]) =>
      sql`select partition_archiver.render_ddl(${sql.json(value as never)}, 's', 't', ${sql.array(sections)})`;
    await expect(call(ddl, ['data'])).rejects.toThrow(/has no section "data"/);
    const broken = { ...ddl, structure: [`SELECT {${ddl.marker}:other thing}`] };
    await expect(call(broken, ['structure'])).rejects.toThrow(/token that nothing is known of/);
  });
});

describe('refused, with the reason', () => {
  const cases: readonly (readonly [string, string, string, RegExp])[] = [
    [
      'a partitioned table',
      'create table public.r1 (a int) partition by range (a)',
      'r1',
      /not an ordinary table \(relkind p\)/,
    ],
    ['a view', 'create view public.r2 as select 1 as a', 'r2', /relkind v/],
    ['a temporary table', 'create temp table r3 (a int)', 'r3', /temporary/],
    [
      'a typed table',
      'create type public.row4 as (a int); create table public.r4 of public.row4',
      'r4',
      /typed table, of type public.row4/,
    ],
    [
      'an attached partition',
      `create table public.r5p (a int) partition by range (a);
       create table public.r5 partition of public.r5p for values from (1) to (2)`,
      'r5',
      /attached to a partitioned table/,
    ],
    [
      'a child by inheritance',
      'create table public.r6p (a int); create table public.r6 () inherits (public.r6p)',
      'r6',
      /inherits from another/,
    ],
    [
      'a parent by inheritance',
      'create table public.r7 (a int); create table public.r7c () inherits (public.r7)',
      'r7',
      /another table inherits/,
    ],
    [
      'another access method',
      `create access method other type table handler heap_tableam_handler;
       create table public.r8 (a int) using other`,
      'r8',
      /access method is other/,
    ],
    [
      'an invalid index',
      `create table public.r9 (a int); create index r9_i on public.r9 (a);
       update pg_index set indisvalid = false where indexrelid = 'public.r9_i'::regclass`,
      'r9',
      /index r9_i is invalid/,
    ],
    [
      'an index that is not ready',
      `create table public.r10 (a int); create index r10_i on public.r10 (a);
       update pg_index set indisready = false where indexrelid = 'public.r10_i'::regclass`,
      'r10',
      /index r10_i is invalid or not ready/,
    ],
    [
      'a table of an extension',
      `create table public.r11 (a int); alter extension plpgsql add table public.r11`,
      'r11',
      /extension plpgsql/,
    ],
    [
      'a foreign key whose triggers are disabled',
      `create table public.r12 (a int primary key, b int references public.r12);
       alter table public.r12 disable trigger all`,
      'r12',
      /internal triggers of constraint r12_b_fkey/,
    ],
    [
      'an unknown constraint',
      `create table public.r13 (a int, constraint k check (a > 0));
       update pg_constraint set contype = 'z' where conname = 'k' and conrelid = 'public.r13'::regclass`,
      'r13',
      /constraint k is of unknown type z/,
    ],
    [
      'an unknown kind of column',
      `create table public.r14 (a int generated always as (1) stored);
       update pg_attribute set attgenerated = 'z' where attrelid = 'public.r14'::regclass and attnum = 1`,
      'r14',
      /column a is of an unknown kind \(generated z/,
    ],
    [
      'an unknown policy',
      `create table public.r15 (a int); create policy p on public.r15;
       update pg_policy set polcmd = 'z' where polrelid = 'public.r15'::regclass`,
      'r15',
      /policy p is for unknown command z/,
    ],
    [
      'a trigger in an unknown state',
      `create table public.r16 (a int); create trigger t before insert on public.r16 for each row
         execute function suppress_redundant_updates_trigger(); update pg_trigger set tgenabled = 'z' where tgrelid = 'public.r16'::regclass`,
      'r16',
      /trigger t is in unknown state z/,
    ],
    [
      'a rule in an unknown state',
      `create table public.r17 (a int); create rule u as on delete to public.r17 do also notify x;
       update pg_rewrite set ev_enabled = 'z' where ev_class = 'public.r17'::regclass`,
      'r17',
      /rule u is ON SELECT or in unknown state z/,
    ],
    [
      'an unknown replica identity',
      `create table public.r18 (a int);
       update pg_class set relreplident = 'z' where oid = 'public.r18'::regclass`,
      'r18',
      /replica identity is unknown \(z\)/,
    ],
    [
      'an identity without its sequence',
      `create table public.r19 (a int not null);
       update pg_attribute set attidentity = 'a' where attrelid = 'public.r19'::regclass and attnum = 1`,
      'r19',
      /column a is of an unknown kind/,
    ],
    [
      'its name inside a longer literal',
      `create table public.r20 (a int);
       alter table public.r20 add column s regclass[] default '{public.r20}'::regclass[]`,
      'r20',
      /cannot be rewritten/,
    ],
    [
      'an index of its own by name',
      `create table public.r21 (a int primary key);
       alter table public.r21 add column b regclass default 'public.r21_pkey'`,
      'r21',
      /cannot be rewritten/,
    ],
  ];

  test.each(cases)('%s', async (_, create, name, reason) => {
    const { sql } = database();
    // In one transaction that is rolled back: some of these catalogs would make the table unusable.
    const refused = await sql
      .begin(async (transaction) => {
        await transaction.unsafe(create);
        const [row] = await transaction<{ ddl: Capture }[]>`
          select partition_archiver.capture_ddl((select oid from pg_class where relname = ${name})) as ddl`;
        throw Object.assign(new Error('rolled back'), { refused: row?.ddl.refused });
      })
      .catch((error: unknown) => {
        if (error instanceof Error && 'refused' in error) {
          return error.refused as string[];
        }
        throw error;
      });
    expect(refused.join('; ')).toMatch(reason);
  });

  test('a table that is not there', async () => {
    const { sql } = database();
    const [row] = await sql<{ ddl: Capture }[]>`select partition_archiver.capture_ddl(1::oid) as ddl`;
    expect(row?.ddl.refused).toEqual(['there is no table with OID 1']);
    await expect(oidOf(sql, { schema: 'public', name: 'none' })).rejects.toThrow();
  });
});
