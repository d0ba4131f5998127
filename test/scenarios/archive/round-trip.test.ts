/**
 * The whole round trip: a plain table becomes a partition set while it is written to, its old partitions are archived
 * and dropped, restored in a database that never saw them, and attached to a parent there. Contents equal at each stage.
 */
import { describe, expect, test } from '@jest/globals';
import type postgres from 'postgres';
import type { Connection } from '../../../adapters/postgres/connect.ts';
import { registerOwner } from '../../../adapters/postgres/install.ts';
import { partitionTableDatabase } from '../../../adapters/postgres/partition-table/database.ts';
import { partitionTable } from '../../../core/partition-table/local.ts';
import { silentLog as log } from '../../../core/ports.ts';
import { copySomeFlights } from '../../../local/sample/flights.ts';
import { asAdministrator } from '../../support/administrator.ts';
import { hurriedClock, useArchiver } from '../../support/archiver.ts';
import { useDatabase } from '../../support/database.ts';
import { quote } from '../../support/archives.ts';
import { makeRoles } from '../../support/roles.ts';

const archiver = useArchiver();
const elsewhere = useDatabase({ template: 'archiver' });

/** A table that makes the trip. */
interface Traveller {
  readonly schema: string;
  readonly table: string;
  readonly owner: string;
  readonly control: string;
  /** Its columns, with a bigint `id` as primary key, which the parent elsewhere shares with the control column. */
  readonly columns: string;
  /** Fills it, with ids up to a million. */
  readonly fill: (sql: postgres.Sql, table: string) => Promise<unknown>;
  /** Columns and values of a new row, by id and control column. */
  readonly insert: readonly [columns: string, values: string];
  /** What an update sets. */
  readonly update: string;
}

const TRAVELLERS: readonly Traveller[] = [
  {
    schema: 'public',
    table: 'flights',
    owner: 'round_trip_aviation',
    control: 'date',
    columns: `date timestamptz not null, delay integer, distance integer check (distance >= 0), origin text not null,
      destination text not null`,
    fill: (sql, table) => copySomeFlights(sql, table, { oldestMonthsAgo: 6, rowsPerMonth: 1500 }),
    insert: ['delay, distance, origin, destination', `7, 70, 'BER', 'MUC'`],
    update: 'delay = coalesce(delay, 0) + 1',
  },
  {
    schema: 'We"ird sch%ema',
    table: `Ta"ble" ünï \\x%`,
    owner: 'round trip"s owner',
    control: 'When "it" was',
    columns: `"When ""it"" was" timestamp not null, "a\\b" text, "select" numeric(30, 10), gone integer, bytes bytea, doc jsonb,
      list text[], span tstzrange, "tab	bed" text collate "C", twice text generated always as ("a\\b" || '!') stored,
      real float8, addr inet, bits bit varying(9)`,
    fill: (sql, table) =>
      sql.unsafe(`
        alter table ${table} drop column gone;
        insert into ${table} ("When ""it"" was", "a\\b", "select", bytes, doc, list, span, "tab	bed", real, addr, bits)
          select date_trunc('month', now()) - interval '6 months' + g * interval '200 days' / 6000,
                 case g % 5 when 0 then null when 1 then '' when 2 then E'\\\\N\\t\\n\\r\\\\.' when 3 then '\\.' else repeat('ä☃', g % 90) end,
                 case g % 3 when 0 then 'NaN' when 1 then 1e-10 * g end, decode(md5(g::text), 'hex'),
                 jsonb_build_object('k', E'a\\nb', 'n', g), array['{', '"', null, E'\\\\'], tstzrange(null, now()),
                 E'\\u0001\\u007f', case g % 4 when 0 then '-0' when 1 then 'infinity' else g / 3.0 end, '::1/64', B'101'
            from generate_series(1, 6000) g`),
    insert: [`"a\\b", doc`, `E'new\\n\\\\.', '{}'`],
    update: `"a\\b" = "a\\b" || E'\\\\', doc = doc || '{"u": 1}'`,
  },
];

const nameOf = ({ schema, table }: Traveller): string => `${quote(schema)}.${quote(table)}`;
const shadowOf = ({ table }: Traveller): string => `public.${quote(`shadow of ${table}`)}`;
/** Rows older than this are archived: two months are kept. */
const OLD = `date_trunc('month', now()) - interval '2 months'`;

/** Rows and a sum over their contents, generated columns included. */
async function contents(sql: postgres.Sql, table: string, where = 'true'): Promise<object> {
  const [row] = await sql.unsafe<{ rows: number; sum: string }[]>(
    `select count(*)::integer as rows, sum(hashtextextended(t::text, 0))::text as sum from ${table} t where ${where}`,
  );
  return { ...row };
}

async function makePlainTable(sql: postgres.Sql, traveller: Traveller): Promise<void> {
  const { schema, owner, columns, fill } = traveller;
  await makeRoles(sql, quote(owner));
  await sql.unsafe(`
    create schema if not exists ${quote(schema)};
    grant create, usage on schema ${quote(schema)} to ${quote(owner)};
    create sequence ids start 1;
    create table ${nameOf(traveller)} (id bigint primary key default nextval('ids'), ${columns})`);
  await fill(sql, nameOf(traveller));
  // What is committed to the table is committed to its shadow, too.
  await sql.unsafe(`
    alter table ${nameOf(traveller)} alter column id drop default;
    drop sequence ids;
    create table ${shadowOf(traveller)} (like ${nameOf(traveller)} including generated including indexes);
    alter table ${nameOf(traveller)} owner to ${quote(owner)};
    analyze ${nameOf(traveller)}`);
  await copyRows(sql, traveller);
}

/** Columns without generated ones, as a list. */
async function columnsOf(sql: postgres.Sql, table: string): Promise<string> {
  const [row] = await sql.unsafe<{ list: string }[]>(`
    select string_agg(quote_ident(attname), ', ' order by attnum) as list from pg_attribute
     where attrelid = '${table.replaceAll("'", "''")}'::regclass and attnum > 0 and not attisdropped and attgenerated = ''`);
  return row?.list ?? '';
}

async function copyRows(sql: postgres.Sql, traveller: Traveller): Promise<void> {
  const list = await columnsOf(sql, nameOf(traveller));
  await sql.unsafe(`insert into ${shadowOf(traveller)} (${list}) select ${list} from ${nameOf(traveller)}`);
}

/** Writes to the table and its shadow, old rows and new, until it is told to stop. */
function beginWriting(sql: postgres.Sql, traveller: Traveller): { stop: () => Promise<number> } {
  const { control, insert, update } = traveller;
  const [columns, values] = insert;
  const state = { stopped: false, writes: 0 };
  const write = async (n: number): Promise<void> => {
    const statements = (table: string): string[] => [
      `insert into ${table} (id, ${quote(control)}, ${columns})
         values (${String(1_000_000 + n)}, date_trunc('second', now()) - interval '${String((n * 7) % 180)} days', ${values})`,
      `update ${table} set ${update} where id % 97 = ${String(n % 97)} and id < 1000`,
      `delete from ${table} where id % 503 = ${String(n % 503)}`,
    ];
    await sql.begin(async (tx) => {
      for (const table of [nameOf(traveller), shadowOf(traveller)]) {
        for (const statement of statements(table)) await tx.unsafe(statement);
      }
    });
  };
  const writing = (async () => {
    while (!state.stopped) {
      await write((state.writes += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    stop: async () => {
      state.stopped = true;
      await writing;
      return state.writes;
    },
  };
}

const openAsAdministrator = (): Connection => asAdministrator(archiver().database.name);

describe.each(TRAVELLERS)('$table', (traveller) => {
  const { schema, table, owner, control, columns } = traveller;
  const name = nameOf(traveller);

  test('becomes a partition set while it is written to', async () => {
    const { sql } = archiver().database;
    await makePlainTable(sql, traveller);
    const writer = beginWriting(sql, traveller);
    const connection = openAsAdministrator();
    try {
      const database = partitionTableDatabase(connection, openAsAdministrator);
      const outcome = await partitionTable(
        {
          schema,
          table,
          control,
          interval: '1 month',
          premake: 2,
          retention: '2 months',
          mode: 'online',
          keys: 'extend',
          defaultPartition: false,
          epoch: 'none',
          timeZone: 'UTC',
        },
        { database, clock: hurriedClock, log },
      );
      expect(outcome.state).toBe('swapped');
    } finally {
      await Promise.all([connection.end(), writer.stop()]);
    }
    expect(await writer.stop()).toBeGreaterThan(10);
    expect(await contents(sql, name)).toEqual(await contents(sql, shadowOf(traveller)));
  });

  test('what is past its retention is archived, proven and dropped, and the rest stays', async () => {
    const { database, config, run } = archiver();
    await registerOwner(database.sql, owner, [schema]);
    const report = await run(
      config([{ schema, table, drop: true, graceDays: 0, segmentSizeMiB: 1, timeZone: 'UTC' }]),
    );
    expect(report).toMatchObject({ archived: 4, dropped: 4, failed: 0 });
    const [whole, old, young] = await Promise.all(
      ['true', `${quote(control)} < ${OLD}`, `${quote(control)} >= ${OLD}`].map((where) =>
        contents(database.sql, shadowOf(traveller), where),
      ),
    );
    expect(report.rows).toBe((old as { rows: number }).rows);
    expect(await contents(database.sql, name)).toEqual(young);
    expect(whole).not.toEqual(young);
  });

  test('is restored in a database that never saw it, and attached to a parent there', async () => {
    const { database, open, operations } = archiver();
    const { sql, name: databaseName } = elsewhere();
    const list = columns.replace(/gone integer,/, '');
    await sql.unsafe(`
      create schema if not exists ${quote(schema)};
      grant create, usage on schema ${quote(schema)} to ${quote(owner)};
      create table ${name} (id bigint not null, ${list}, primary key (id, ${quote(control)})) partition by range (${quote(control)});
      alter table ${name} owner to ${quote(owner)}`);
    await registerOwner(sql, owner, [schema]);
    const there = operations({ open: (role) => open(role, [], databaseName) });

    const { archives, unreadable } = await there.find({ database: database.name, schema, table });
    expect({ found: archives.length, unreadable }).toEqual({ found: 4, unreadable: [] });
    for (const { manifestKey } of archives) {
      expect(await there.audit(manifestKey, 'all')).toMatchObject({ intact: true });
      const { attachedTo } = await there.restore({ manifestKey, attach: 'parent' });
      expect(attachedTo).not.toBeNull();
    }
    const old = await contents(database.sql, shadowOf(traveller), `${quote(control)} < ${OLD}`);
    expect(await contents(sql, name)).toEqual(old);
    expect(
      await sql`select from pg_inherits where inhparent = ${name}::regclass and not inhdetachpending`,
    ).toHaveLength(4);

    // Running it again changes nothing.
    for (const { manifestKey } of archives) await there.restore({ manifestKey, attach: 'parent' });
    expect(await contents(sql, name)).toEqual(old);
  });
});
