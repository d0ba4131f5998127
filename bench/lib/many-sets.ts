import { registerOwner } from '../../adapters/postgres/install.ts';
import type { Environment } from './environment.ts';

/** What `makeManySets` makes. */
export const MANY = {
  schema: 'many',
  /** Attached partitions of each set, beside its default. */
  partitions: 5,
  large: 'set_large',
  largePartitions: 50,
} as const;

/**
 * Makes sets that pg_partman knows, and a ledger as it is after years: most rows are of partitions that were dropped.
 * Partitions and configuration are made by SQL alone, since create_parent would take minutes.
 */
export async function makeManySets({ sql }: Environment, sets: number, ledgerRows: number): Promise<void> {
  await sql.unsafe(`create schema ${MANY.schema} authorization bench_owner`);
  for (let number = 0; number <= sets; number += 1) {
    const [name, partitions] =
      number === 0 ? [MANY.large, MANY.largePartitions] : [`set_${number}`, MANY.partitions];
    await sql.unsafe(createSet(name, partitions));
  }
  await registerOwner(sql, 'bench_owner', [MANY.schema]);
  await sql.unsafe(`
    insert into partition_archiver.partition (system_identifier, database_name, table_oid, table_schema, table_name, parent_oid,
        parent_schema, parent_name, control_column, control_kind, bounds, lower_bound, upper_bound, lower_time, upper_time, period,
        attach_statement, state, manifest_version_id, row_count)
      select partition_archiver.system_identifier(), current_database(), (1000000000 + n)::oid, '${MANY.schema}', 'set_' || s || '_p' || n,
             format('${MANY.schema}.set_%s', s)::regclass, '${MANY.schema}', 'set_' || s, 'at', 'time', 'FOR VALUES …', 'lower', 'upper',
             timestamptz '2010-01-01' + n * interval '1 day', timestamptz '2010-01-02' + n * interval '1 day', n::text, 'attach', 'dropped', 'v', 1
        from generate_series(1, ${ledgerRows - sets * MANY.partitions}) n, lateral (select n % ${sets} + 1 as s) x`);
  await sql`analyze`;
}

function createSet(name: string, partitions: number): string {
  const parent = `${MANY.schema}.${name}`;
  return `
    create table ${parent} (id bigint not null, at timestamptz not null) partition by range (at);
    alter table ${parent} owner to bench_owner;
    do $$ begin
      for n in 0..${partitions - 1} loop
        execute format('create table ${parent}_p%s partition of ${parent} for values from (%L) to (%L)', n,
          date_trunc('month', now()) - n * interval '1 month', date_trunc('month', now()) - (n - 1) * interval '1 month');
        execute format('alter table ${parent}_p%s owner to bench_owner', n);
      end loop;
    end $$;
    insert into partman.part_config (parent_table, control, partition_type, partition_interval, datetime_string, retention,
        retention_keep_table, template_table, premake)
      select '${parent}', 'at', partition_type, '1 mon', datetime_string, '12 months', true, template_table, 1
        from partman.part_config where parent_table like 'app.%' limit 1`;
}
