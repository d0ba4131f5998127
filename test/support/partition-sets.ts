import type postgres from 'postgres';
import { registerOwner } from '../../adapters/postgres/install.ts';
import { quoteIdentifier } from '../../adapters/postgres/quote.ts';
import { createParent } from './partman.ts';
import { makeRoles, withRoleRetries } from './roles.ts';

/** A monthly partition set as an application would have it, owned by a role of its own. */
export interface PartitionSetOptions {
  readonly schema?: string;
  readonly table?: string;
  /** Columns besides `id bigint not null` and the control column `ts`. */
  readonly columns?: string;
  /** Rows of each month, as `select` list for the columns; `g` counts, `month` is its first day. */
  readonly values?: string;
  readonly rowsPerMonth?: number;
  /** Months ago of the oldest partition. */
  readonly months?: number;
  readonly retention?: string;
  readonly owner?: string;
  /** Whether its owner is registered, for which the archiver has to be there. */
  readonly registered?: boolean;
}

/** What `createPartitionSet` made. */
export interface PartitionSet {
  readonly schema: string;
  readonly table: string;
  readonly owner: string;
}

/**
 * Makes a monthly set by whichever pg_partman is installed, with rows in each past month. By default four months, of which the two oldest are
 * past a retention of two months.
 */
export async function createPartitionSet(
  sql: postgres.Sql,
  {
    schema = 'app',
    table = 'event',
    columns = 'payload text',
    values = `'row ' || g`,
    rowsPerMonth = 1000,
    months = 4,
    retention = '2 months',
    owner = 'app_owner',
    registered = true,
  }: PartitionSetOptions = {},
): Promise<PartitionSet> {
  await makeRoles(sql, `"${owner}"`);
  await sql`create schema if not exists ${sql(schema)} authorization ${sql(owner)}`;
  const name = `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
  await sql.begin(async (tx) => {
    await tx`set local role ${tx(owner)}`;
    await tx.unsafe(
      `create table ${name} (id bigint not null, ts timestamptz not null, ${columns}, primary key (id, ts)) partition by range (ts)`,
    );
    await tx.unsafe(`create index on ${name} (ts)`);
  });
  await sql.begin(async (tx) => {
    await tx`set local timezone = 'UTC'`;
    const [oldest] = await tx<[{ start: string }]>`
      select to_char(date_trunc('month', now()) - make_interval(months => ${months}::integer), 'YYYY-MM-DD') as start`;
    await createParent(tx, {
      parent: `${schema}.${table}`,
      control: 'ts',
      interval: 'monthly',
      premake: 2,
      start: oldest.start,
    });
    await tx`update partman.part_config set retention = ${retention}, retention_keep_table = true, infinite_time_partitions = true
              where parent_table = ${`${schema}.${table}`}`;
    await tx.unsafe(`
      insert into ${name}
      select row_number() over (), month + g * ((month + interval '1 month' - month) / ${String(rowsPerMonth + 1)}), ${values}
        from generate_series(1, ${String(months)}) m,
             lateral (select date_trunc('month', now()) - make_interval(months => ${String(months)} + 1 - m) as month) x,
             generate_series(1, ${String(rowsPerMonth)}) g`);
    await tx.unsafe(`do $$ declare r record; begin
      for r in select inhrelid::regclass as t from pg_inherits where inhparent = '${name.replaceAll("'", "''")}'::regclass loop
        execute format('alter table %s owner to %I', r.t, '${owner}'); end loop; end $$`);
    await tx.unsafe(`analyze ${name}`);
  });
  if (registered) await withRoleRetries(() => registerOwner(sql, owner, [schema]));
  return { schema, table, owner };
}
