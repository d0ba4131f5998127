import { describe, expect, test } from '@jest/globals';
import type postgres from 'postgres';
import { useArchiver } from '../support/archiver.ts';
import { useDatabase } from '../support/database.ts';
import { giveTo } from '../support/kinds.ts';
import { createPartitionSet } from '../support/partition-sets.ts';
import { failureOf } from '../support/verified.ts';
import { dump, quote, qualified, type TableName } from '../db/ddl-support.ts';

const archiver = useArchiver();
const elsewhere = useDatabase({ template: 'archiver' });

/** The oldest attached partition of a set. */
async function oldest(
  sql: postgres.Sql,
  { schema, table }: { schema: string; table: string },
): Promise<TableName> {
  const [row] = await sql<TableName[]>`
    select n.nspname as schema, c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
      join pg_namespace n on n.oid = c.relnamespace
     where i.inhparent = ${qualified({ schema, name: table })}::regclass and c.oid <> (select partdefid from pg_partitioned_table where partrelid = i.inhparent)
     order by c.relname limit 1`;
  return row!;
}

/** A digest of a table's rows that depends on no order. */
async function contents(sql: postgres.Sql, table: TableName): Promise<string> {
  const [row] = await sql.unsafe<{ digest: string }[]>(
    `select count(*) || ' ' || md5(coalesce(string_agg(t::text, chr(10) order by t::text collate "C"), '')) as digest from ${qualified(table)} t`,
  );
  return row!.digest;
}

const HOSTILE = { schema: 'Weird "app', table: 'Ev"ent', owner: 'Weird owner' };

/** A set whose oldest partition has all that is easily lost, detached already; archived and dropped by \`archive\`. */
async function hostilePartition(sql: postgres.Sql, inventory: () => Promise<unknown>): Promise<TableName> {
  const s = quote(HOSTILE.schema);
  await sql.unsafe(`
    do $$ begin create role "Weird owner"; exception when duplicate_object or unique_violation then null; end $$;
    do $$ begin create role "a reader"; exception when duplicate_object or unique_violation then null; end $$;
    create schema ${s} authorization "Weird owner";
    set role "Weird owner";
    create type ${s}."Mo'od" as enum ('so so', 'it''s "fine"');
    create domain ${s}.positive as integer check (value > 0);
    create type ${s}.pair as (a ${s}.positive, b text);
    create table ${s}.customer (id integer primary key, name text);
    insert into ${s}.customer values (1, 'one'), (2, 'two');
    create function ${s}.shout() returns trigger language plpgsql as $f$ begin new.payload := upper(new.payload); return new; end $f$;
    reset role;`);
  await createPartitionSet(sql, {
    ...HOSTILE,
    rowsPerMonth: 3000,
    columns: `payload text, "Qu""oted, col" ${s}."Mo'od" not null, n ${s}.positive, p ${s}.pair, bytes bytea, tags text[],
      customer_id integer, doubled bigint generated always as (id * 2) stored`,
    values: `case g % 5 when 0 then null when 1 then '' when 2 then E'tab\\t\\\\N\\nline' else 'row ' || g end,
      (array['so so', 'it''s "fine"'])[1 + g % 2]::${s}."Mo'od", g, row(g, 'b,"' || g)::${s}.pair, decode(md5(g::text), 'hex'),
      array['a', null, '"'], 1 + g % 2`,
  });
  const table = await oldest(sql, HOSTILE);
  const t = qualified(table);
  await inventory();
  await sql.begin(async (tx) => {
    await tx.unsafe(`set local timezone = 'UTC'`);
    await tx`select partman.run_maintenance(${`${HOSTILE.schema}.${HOSTILE.table}`})`;
    // What this superuser's maintenance made belongs to it, and pg_partman 5 reads every partition.
    await giveTo(tx, qualified({ schema: HOSTILE.schema, name: HOSTILE.table }), HOSTILE.owner);
  });
  await sql.unsafe(`
    set role "Weird owner";
    alter table ${t} alter column id add generated always as identity (start with 50000);
    alter table ${t} add column serial_one serial;
    alter table ${t} add column gone text; alter table ${t} drop column gone;
    alter table ${t} add constraint "a check" check (n < 1000000) not valid;
    alter table ${t} add foreign key (customer_id) references ${s}.customer on delete set null;
    create index "an ""index" on ${t} (lower(payload)) include (n) where n > 2;
    create statistics ${s}."some stats" on n, customer_id from ${t};
    create trigger "be loud" before insert or update on ${t} for each row execute function ${s}.shout();
    create rule quiet as on delete to ${t} where old.n = -1 do instead nothing;
    alter table ${t} enable row level security;
    create policy p on ${t} for select to "a reader" using (n > 5);
    grant select (n, payload) on ${t} to "a reader";
    comment on table ${t} is 'it''s a "table"';
    comment on column ${t}.n is 'n';
    reset role;`);
  return table;
}

describe('a hostile table', () => {
  let table: TableName;
  let before: { dump: string; contents: string };
  let manifestKey: string;

  test('is archived and dropped, and comes back as it was', async () => {
    const { database, run, config, operations } = archiver();
    const set = config([
      { schema: HOSTILE.schema, table: HOSTILE.table, drop: true, graceDays: 0, segmentSizeMiB: 1 },
    ]);
    table = await hostilePartition(database.sql, () => run(set, { only: 'inventory' }));
    before = { dump: await dump(database, table), contents: await contents(database.sql, table) };
    const report = await run(set);
    expect(report).toMatchObject({ failed: 0, dropped: 2 });

    const found = await operations().find({ schema: HOSTILE.schema, table: HOSTILE.table });
    expect(found).toMatchObject({ unreadable: [], archives: [{ rows: 3000 }, { rows: 3000 }] });
    manifestKey = found.archives[0]!.manifestKey;
    expect(await operations().audit(manifestKey, 'all')).toMatchObject({ intact: true, problems: [] });

    const restored = await operations().restore({ manifestKey });
    expect(restored).toMatchObject({ rows: 3000, warnings: [] });
    expect(await contents(database.sql, table)).toBe(before.contents);
    expect(await dump(database, table)).toBe(before.dump);
  });

  test('is known to the ledger as restored, and no run archives it again until it is released', async () => {
    const { database, run, config, operations } = archiver();
    const set = config([{ schema: HOSTILE.schema, table: HOSTILE.table }]);
    const [row] = await database.sql<{ id: string; state: string }[]>`
      select id, state from partition_archiver.partition where table_oid = ${qualified(table)}::regclass`;
    expect(row).toMatchObject({ state: 'restored' });
    expect(await run(set)).toMatchObject({ archived: 0, failed: 0 });
    expect(await contents(database.sql, table)).toBe(before.contents);

    // Running the restore again finds that it is done.
    expect(await operations().restore({ manifestKey })).toMatchObject({ partition: Number(row!.id) });

    expect(await operations().release(Number(row!.id))).toEqual({ state: 'detached' });
    expect(await run(set)).toMatchObject({ archived: 1, failed: 0, rows: 3000 });
    const { archives } = await operations().find({ ...HOSTILE, to: '2999' });
    // Two archives of one period now; the later one comes last.
    expect(archives.map(({ period }) => period).filter((each) => each === archives[0]!.period)).toHaveLength(
      2,
    );

    // Verified and not dropped: released to its owner, it is what it was.
    expect(await operations().release(Number(row!.id))).toEqual({ state: 'released' });
    expect(await operations().release(Number(row!.id))).toEqual({ state: 'released' });
    expect(await contents(database.sql, table)).toBe(before.contents);
  });

  test('comes back under another name beside it, with names of its own for its indexes', async () => {
    const { database, operations } = archiver();
    const again = { schema: HOSTILE.schema, table: 'once "more"' };
    const restored = await operations().restore({ manifestKey, ...again, foreignKeys: false, grants: false });
    expect(restored.warnings).toEqual(
      expect.arrayContaining([expect.stringContaining('the name was taken')]),
    );
    const name = { schema: again.schema, name: again.table };
    expect(await contents(database.sql, name)).toBe(before.contents);
    expect(
      await database.sql`select from pg_constraint where conrelid = ${qualified(name)}::regclass and contype = 'f'`,
    ).toHaveLength(0);
    // The grants of the first one are not this one's.
    expect(
      await database.sql`select from pg_attribute where attrelid = ${qualified(name)}::regclass and attacl is not null`,
    ).toHaveLength(0);
  });

  test('comes back in a database that never saw it, once what is missing was made', async () => {
    const { open, operations } = archiver();
    const { sql, name: databaseName } = elsewhere();
    const there = operations({ open: (role) => open(role, [], databaseName) });

    const failure = await failureOf(there.restore({ manifestKey, foreignKeys: false, grants: false }));
    expect(failure.code).toBe('DependencyMissing');
    // Types in a schema that is missing, with their definitions; not the table of the foreign key that nobody asked for.
    expect(failure.message).toContain(`create schema "Weird ""app";`);
    expect(failure.message).toContain(`CREATE TYPE "Weird ""app"."Mo'od" AS ENUM ('so so', 'it''s "fine"');`);
    expect(failure.message).toContain(`CREATE DOMAIN "Weird ""app".positive`);
    expect(failure.message).toContain('function "Weird ""app".shout()');
    expect(failure.message).not.toContain('customer');
    expect(
      await sql`select from pg_class where relnamespace = 'partition_archiver_restore'::regnamespace`,
    ).toHaveLength(0);

    const statements = failure.message
      .split('\n')
      .flatMap((line) => /: (create .*;)$/i.exec(line)?.[1] ?? []);
    const later = statements.filter((statement) => statement.includes('AS ('));
    for (const statement of [...statements.filter((each) => !later.includes(each)), ...later]) {
      await sql.unsafe(statement);
    }
    await sql.unsafe(
      `create function "Weird ""app".shout() returns trigger language plpgsql as 'begin return new; end'`,
    );

    // What its own schema and owner lack is said, too.
    const notEnrolled = await failureOf(there.restore({ manifestKey, foreignKeys: false, grants: false }));
    expect(notEnrolled.code).toBe('DependencyMissing');
    expect(notEnrolled.message).toContain('partition_archiver.enroll(');
    expect(notEnrolled.message).toContain('grant create on schema "Weird ""app" to "Weird owner"');
    await sql.unsafe(`grant create on schema "Weird ""app" to "Weird owner"`);
    await sql`select partition_archiver.enroll(${HOSTILE.owner}, ${sql.array([HOSTILE.schema])}::name[])`;

    await there.restore({ manifestKey, foreignKeys: false, grants: false });
    expect(await contents(sql, table)).toBe(before.contents);
    const [row] = await sql<{ owner: string; state: string }[]>`
      select pg_get_userbyid(relowner) as owner, state from pg_class join partition_archiver.partition on table_oid = pg_class.oid`;
    expect(row).toEqual({ owner: HOSTILE.owner, state: 'restored' });
  });
});
