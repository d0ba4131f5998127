import type postgres from 'postgres';
import { registerOwner } from '../../adapters/postgres/install.ts';
import { quote } from './archives.ts';
import { createParent } from './partman.ts';
import { makeRoles, withRoleRetries } from './roles.ts';

/** A partition set of any kind that pg_partman makes, in the words of its version 4. */
export interface Kind {
  readonly schema: string;
  readonly table: string;
  readonly controlType: string;
  /** As pg_partman takes it: `daily`, `quarterly`, `1000` … */
  readonly interval: string;
  /** SQL for the first partition's name or number, as text. */
  readonly start: string;
  readonly retention: string;
  readonly epoch?: string;
  readonly timeZone?: string;
  /** SQL of a query that gives the values of the control column. */
  readonly values: string;
  /** Columns besides `id bigint` and the control column `at`. */
  readonly columns?: string;
  readonly premake?: number;
}

const KIND_OWNER = 'kind_owner';

/** Makes a set of some kind, owned by a role of its own that is registered, with rows. */
export async function createKind(sql: postgres.Sql, kind: Kind): Promise<void> {
  const { schema, table, controlType, interval, start, retention, values } = kind;
  const { epoch = 'none', timeZone = 'UTC', columns = 'payload text', premake = 2 } = kind;
  const name = `${quote(schema)}.${quote(table)}`;
  await makeRoles(sql, KIND_OWNER);
  await sql`create schema if not exists ${sql(schema)} authorization ${sql(KIND_OWNER)}`;
  await sql.begin(async (tx) => {
    await tx`select set_config('timezone', ${timeZone}, true)`;
    await tx.unsafe(
      `create table ${name} (id bigint not null, at ${controlType} not null, ${columns}, primary key (id, at)) partition by range (at)`,
    );
    await tx.unsafe(`create index on ${name} (at)`);
    const starts = await tx.unsafe<[{ start: string }]>(`select (${start})::text as start`);
    await createParent(tx, {
      parent: `${schema}.${table}`,
      control: 'at',
      interval,
      premake,
      epoch,
      start: starts[0].start,
    });
    await tx`update partman.part_config set retention = ${retention}, retention_keep_table = true, infinite_time_partitions = true
              where parent_table = ${`${schema}.${table}`}`;
    await tx.unsafe(`insert into ${name} (id, at) select row_number() over (), at from (${values}) v (at)`);
    await giveTo(tx, name, KIND_OWNER);
    await tx.unsafe(`analyze ${name}`);
  });
  await withRoleRetries(() => registerOwner(sql, KIND_OWNER, [schema]));
}

/** Gives a set, all that is attached to it, and pg_partman's template table for it to a role. */
export async function giveTo(tx: postgres.ISql, name: string, owner: string): Promise<void> {
  const members = await tx<
    { name: string }[]
  >`select relid::regclass::text as name from pg_partition_tree(${name}::regclass)`;
  const templates = await tx<{ name: string }[]>`
    select format('%I.%I', split_part(template_table, '.', 1), split_part(template_table, '.', 2)) as name
      from partman.part_config join pg_class c on c.oid = ${name}::regclass
     where parent_table = (select nspname from pg_namespace where oid = c.relnamespace) || '.' || c.relname and template_table is not null`;
  for (const table of [...members, ...templates]) {
    await tx.unsafe(`alter table ${table.name} owner to ${quote(owner)}`);
  }
}
