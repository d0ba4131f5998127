import type postgres from 'postgres';
import { qualified, type TableName } from '../db/ddl/support.ts';
import { quote } from './archives.ts';
import { giveTo } from './kinds.ts';
import { createPartitionSet } from './partition-sets.ts';
import { makeRoles } from './roles.ts';

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
export async function contents(sql: postgres.Sql, table: TableName): Promise<string> {
  const [row] = await sql.unsafe<{ digest: string }[]>(
    `select count(*) || ' ' || md5(coalesce(string_agg(t::text, chr(10) order by t::text collate "C"), '')) as digest from ${qualified(table)} t`,
  );
  return row!.digest;
}

/** Names and an owner that have to be quoted. */
export const HOSTILE = { schema: 'Weird "app', table: 'Ev"ent', owner: 'Weird owner' };

/** A set whose oldest partition has all that is easily lost, detached already; archived and dropped on the caller's behalf. */
export async function hostilePartition(
  sql: postgres.Sql,
  inventory: () => Promise<unknown>,
): Promise<TableName> {
  const s = quote(HOSTILE.schema);
  await makeRoles(sql, '"Weird owner"', '"a reader"');
  await sql.unsafe(`
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
