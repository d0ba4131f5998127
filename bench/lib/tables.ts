import { registerOwner } from '../../adapters/postgres/install.ts';
import { createParent } from '../../local/sample/create-parent.ts';
import type { Environment } from './environment.ts';
import { keepBucketSmall } from './keep-small.ts';

/** A kind of rows to measure with. */
export interface Shape {
  readonly name: string;
  readonly columns: string;
  /** `select` list over `g`, which counts rows from 1; `ts` lies in January 2021. */
  readonly values: string;
  readonly control: string;
  readonly primaryKey: string;
  /** Rows at full size. */
  readonly rows: number;
}

/** The blog's table, `dms_sample.ticket_purchase_hist`, with its number of rows: about 46 bytes of COPY text each. */
export const NARROW: Shape = {
  name: 'ticket_purchase_hist',
  columns: `sporting_event_ticket_id bigint not null, purchased_by_id integer not null,
    transaction_date_time timestamp(0) not null, transferred_from_id integer, purchase_price numeric(8,2) not null`,
  values: `10000000 + g, 1000000 + (g * 7919) % 6000000, timestamp '2021-01-01' + (g % 2678400)::integer * interval '1 second',
    case when g % 4 = 0 then 1000000 + (g * 104729) % 6000000 end, ((g * 31) % 20000) / 100.0 + 10`,
  control: 'transaction_date_time',
  primaryKey: 'sporting_event_ticket_id, purchased_by_id, transaction_date_time',
  rows: 5_742_278,
};

/** Rows of about 310 bytes, with text, JSON and a timestamp. */
export const WIDE: Shape = {
  name: 'audit_event',
  columns: `id bigint not null, at timestamptz not null, actor uuid not null, kind text not null, path text not null,
    amount double precision, details jsonb not null`,
  values: `g, timestamptz '2021-01-01 00:00Z' + (g % 2678400)::integer * interval '1 second', md5(g::text)::uuid, 'kind ' || g % 50,
    '/' || md5((g * 3)::text) || '/' || md5((g * 5)::text), g / 7.0,
    jsonb_build_object('session', md5((g * 11)::text), 'agent', 'Mozilla/5.0 (X11; Linux x86_64)', 'status', g % 600, 'note', md5((g * 13)::text))`,
  control: 'at',
  primaryKey: 'id, at',
  rows: 1_500_000,
};

const OWNER = 'bench_owner';
const SCHEMA = 'app';

/** A partition that was attached to its set, is detached now, and stands in the ledger as such. */
export interface Detached {
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  readonly rows: number;
}

/** Makes the set of a shape with no rows, and a model table with `rows` of them to copy from. */
export async function makeSet({ sql }: Environment, shape: Shape, rows: number): Promise<void> {
  const parent = `${SCHEMA}.${shape.name}`;
  await sql.unsafe(`
    do $$ begin create role ${OWNER}; exception when duplicate_object then null; end $$;
    create schema if not exists ${SCHEMA} authorization ${OWNER};
    create schema if not exists model;
    create table ${parent} (${shape.columns}, primary key (${shape.primaryKey})) partition by range (${shape.control});
    alter table ${parent} owner to ${OWNER};
    create unlogged table model.${shape.name} (${shape.columns});
    insert into model.${shape.name} select ${shape.values} from generate_series(1::bigint, ${rows}) g`);
  await sql.unsafe(`vacuum (freeze, analyze) model.${shape.name}`);
  const [{ start }] = await sql<[{ start: string }]>`
    select to_char(date_trunc('month', now()), 'YYYY-MM-DD') as start`;
  await createParent(sql, { parent, control: shape.control, interval: 'monthly', premake: 1, start });
  await sql`update partman.part_config set retention = '12 months', retention_keep_table = true where parent_table = ${parent}`;
  // pg_partman made them as the superuser.
  await sql.unsafe(`
    do $$ declare child regclass; begin
      for child in select inhrelid from pg_inherits where inhparent = '${parent}'::regclass loop
        execute format('alter table %s owner to ${OWNER}', child);
      end loop;
    end $$`);
  await registerOwner(sql, OWNER, [SCHEMA]);
}

/** Makes a detached partition of January 2021 with the first `rows` rows of the model, vacuumed as an old one is. */
export async function makeDetached(environment: Environment, shape: Shape, rows: number): Promise<Detached> {
  await keepBucketSmall(environment);
  const { sql } = environment;
  const parent = `${SCHEMA}.${shape.name}`;
  const table = `${shape.name}_p2021_01`;
  const name = `${SCHEMA}.${table}`;
  await sql.unsafe(`
    drop table if exists ${name};
    create table ${name} (${shape.columns});
    alter table ${name} owner to ${OWNER};
    alter table ${parent} attach partition ${name} for values from ('2021-01-01') to ('2021-02-01')`);
  await inventory(sql, parent);
  await sql.unsafe(`alter table ${parent} detach partition ${name}`);
  await inventory(sql, parent);
  // The index last, as it is built faster so.
  await sql.unsafe(`
    alter table ${name} drop constraint ${table}_pkey;
    insert into ${name} select * from model.${shape.name} limit ${rows};
    alter table ${name} add constraint ${table}_pkey primary key (${shape.primaryKey})`);
  await sql.unsafe(`vacuum (freeze, analyze) ${name}`);
  await sql`checkpoint`;
  const [row] = await sql<{ id: string }[]>`
    select max(id) as id from partition_archiver.partition where table_name = ${table} and state = 'detached'`;
  return { id: Number(row?.id), schema: SCHEMA, table, rows };
}

/** Records what is attached to a set, as a run begins. */
export async function inventory(sql: Environment['sql'], parent: string): Promise<void> {
  await sql`select partition_archiver.record_inventory(${parent}::regclass, 'UTC')`;
}
