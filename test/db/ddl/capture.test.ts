/** The DDL archive makes the same table again; `pg_dump -s` is the oracle. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { quote } from '../../support/archives.ts';
import { useDatabase } from '../../support/database.ts';
import { capture, createRoles, execute, oidOf, qualified, render, roundTrip, tryDdl } from './support.ts';
import type { Capture } from './support.ts';

const database = useDatabase({ template: 'archiver' });
const torture = { schema: 'Ar ch', name: 'p_P2021_01' };

beforeAll(async () => {
  const { sql } = database();
  await createRoles(sql);
  await sql.unsafe(await readFile(new URL('fixtures/ddl-torture.sql', import.meta.url), 'utf8'));
  const [row] = await sql<
    { version: number }[]
  >`select current_setting('server_version_num')::int as version`;
  const version = row?.version ?? 0;
  for (const [since, file] of [
    [150_000, 'fixtures/ddl-torture-15.sql'],
    [170_000, 'fixtures/ddl-torture-17.sql'],
    [180_000, 'fixtures/ddl-torture-18.sql'],
  ] as const) {
    if (version >= since) {
      await sql.unsafe(await readFile(new URL(file, import.meta.url), 'utf8'));
    }
  }
  // As an administrator lets the archiver in: member of the owner, use of the schemas of its types and functions.
  await sql`grant usage on schema public to archiver_owner`;
});

describe('a table with everything that a table can have', () => {
  let ddl: Capture;

  test('is made again exactly', async () => {
    const result = await roundTrip(database(), torture);
    ddl = result.ddl;
    expect(ddl.refused).toEqual([]);
    expect(result.after).toBe(result.before);
    expect(result.before).toContain('CREATE POLICY "p 3"');
  });

  test('is made under another name beside the first, and refers to itself there', async () => {
    const { sql } = database();
    const target = { schema: `it's "%I" \\ ünï`, name: `T'"\\%s\n{x:table}` };
    await sql.unsafe(
      `create schema ${quote(target.schema)}; grant all on schema ${quote(target.schema)} to public`,
    );
    // Statistics that have a schema of their own stay in it, where the first table's are.
    await sql`drop statistics public."st 2"`;
    await execute(sql, await render(sql, ddl, target));
    const copy = await capture(sql, target);
    expect(copy.refused).toEqual([]);
    expect(copy.structure.length).toBe(ddl.structure.length);
    expect(copy.foreign_keys.length).toBe(ddl.foreign_keys.length);
    const dependencies = copy.dependencies
      .filter(({ kind }) => kind === 'table')
      .map(({ identity }) => identity);
    expect(dependencies.sort()).toEqual(['public.log', 'public.ref', 'public.ref_parts']);
    await sql.unsafe(`drop table ${qualified(target)}`);
  });

  test("templates name neither the table nor its schema, but for the user's own text", () => {
    const statements = [...ddl.structure, ...ddl.foreign_keys, ...ddl.row_security, ...ddl.ownership].filter(
      (statement) => !statement.startsWith('COMMENT'),
    );
    expect(statements.filter((statement) => statement.includes('Ar ch'))).toEqual([]);
    // The literal 'p_P2021_01' in a rule, which is the user's text and stays. Since 18, names of NOT NULL constraints begin
    // with the table's name, and are names of their own.
    expect(statements.filter((statement) => /p_P2021_01\b/.test(statement)).length).toBe(1);
  });

  test('lists what it depends on, with the definitions of types', () => {
    const by = (kind: string): string[] =>
      ddl.dependencies.filter((dependency) => dependency.kind === kind).map(({ identity }) => identity);
    const definition = (identity: string): string | undefined =>
      ddl.dependencies.find((dependency) => dependency.identity === identity)?.definition;
    expect(definition('public.mood')).toBe(`CREATE TYPE public.mood AS ENUM ('a', 'b''c', E'd\\\\e')`);
    expect(definition('public.cmp')).toBe(
      'CREATE TYPE public.cmp AS (x integer, y text COLLATE pg_catalog."C", m public.mood)',
    );
    expect(definition('public.pos')).toBe(
      'CREATE DOMAIN public.pos AS integer DEFAULT 7 CONSTRAINT pos_check CHECK ((VALUE > 0))',
    );
    expect(definition('public.label')).toContain(
      `NOT NULL CONSTRAINT "not %s" CHECK ((VALUE <> '%s'::text))`,
    );
    expect(by('table')).toEqual(['public.log', 'public.ref', 'public.ref_parts']);
    expect(by('sequence')).toEqual(['public.p_id2_seq', 'public.shared_seq']);
    expect(by('collation')).toEqual(['public.ci']);
    expect(by('function')).toEqual(expect.arrayContaining(['public.defv()', 'public.trg()']));
    expect(by('extension')).toEqual(['btree_gist', 'citext', 'hstore']);
    expect(by('role')).toEqual(
      expect.arrayContaining(['ddl_owner', 'ddl_grantee', 'ddl_second', '"ddl Weird""x"']),
    );
    expect(by('publication')).toEqual(['pub']);
  });

  test('keeps where its sequences stand', async () => {
    const { sql } = database();
    await sql`create table public.counted (id serial, other int generated always as identity)`;
    await sql`insert into public.counted default values`;
    await sql`insert into public.counted default values`;
    const table = { schema: 'public', name: 'counted' };
    const counted = await capture(sql, table);
    await sql`drop table public.counted`;
    await execute(sql, await render(sql, counted, table));
    const rows = await sql`insert into public.counted default values returning id, other`;
    expect([...rows]).toEqual([{ id: 3, other: 3 }]);
  });
});

test('a child that pg_partman made and detached is made again exactly', async () => {
  const { sql } = database();
  await sql`create table public.flights (id bigserial, at timestamptz not null, fare numeric(8, 2), primary key (id, at)) partition by range (at)`;
  await sql`create index on public.flights (at)`;
  await sql`alter table public.flights owner to ddl_owner`;
  const [extension] = await sql<{ major: number }[]>`
    select split_part(extversion, '.', 1)::int as major from pg_extension where extname = 'pg_partman'`;
  await sql.unsafe(
    extension?.major === 4
      ? `select partman.create_parent('public.flights', 'at', 'native', 'monthly')`
      : `select partman.create_parent('public.flights', 'at', '1 month')`,
  );
  const [child] = await sql<{ name: string; bound: string }[]>`
    select relname as name, pg_get_expr(relpartbound, oid) as bound from pg_class
     where oid in (select inhrelid from pg_inherits where inhparent = 'public.flights'::regclass)
       and pg_get_expr(relpartbound, oid) <> 'DEFAULT' order by relname limit 1`;
  const table = { schema: 'public', name: child?.name ?? '' };
  await sql.unsafe(`alter table ${qualified(table)} owner to ddl_owner`);
  await sql.unsafe(`alter table public.flights detach partition ${qualified(table)}`);

  const result = await roundTrip(database(), table);
  expect(result.after).toBe(result.before);
  // The default takes numbers from the parent's sequence, which is not the child's.
  expect(result.ddl.dependencies).toContainEqual({ kind: 'sequence', identity: 'public.flights_id_seq' });
});

test('the fence is not part of the DDL', async () => {
  const { sql } = database();
  await sql`create table public.fenced (a int)`;
  await sql`create trigger partition_archiver_fence_row before insert on public.fenced for each row execute function public.trg()`;
  const ddl = await capture(sql, { schema: 'public', name: 'fenced' });
  expect(ddl.structure.filter((statement) => statement.includes('TRIGGER'))).toEqual([]);
  await tryDdl(sql, ddl);
});

test('capturing leaves the table, its sequences and its lock as they were', async () => {
  const { sql } = database();
  const oid = await oidOf(sql, torture);
  const state = async () => [
    ...(await sql`select c.xmin::text, c.relname, c.relnamespace::text from pg_class c
      where oid = ${oid} or oid in (select objid from pg_depend where refobjid = ${oid}) order by oid`),
  ];
  const before = await state();
  const { marker } = await capture(sql, torture);
  expect(await state()).toEqual(before);
  expect((await capture(sql, torture)).marker).not.toBe(marker);
});

test('nobody may call the functions unless granted', async () => {
  const { sql } = database();
  const rows = await sql`
    select proname from pg_proc where pronamespace = 'partition_archiver'::regnamespace
       and (proname like 'ddl%' or proname like '%\_ddl')
       and has_function_privilege('ddl_second', oid, 'execute')`;
  expect([...rows]).toEqual([]);
});
