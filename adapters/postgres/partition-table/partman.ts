import { ArchiverError } from '../../../core/errors.ts';
import type { PartitionTablePlan } from '../../../core/partition-table/database.ts';
import type { Transaction } from '../connect.ts';
import { partmanExtension } from '../partman-extension.ts';
import { quoteIdentifier } from '../quote.ts';

/** What version 4 calls the intervals that it has names for; its names of partitions follow from that. */
const NAMES_OF_VERSION_4: Readonly<Record<string, string>> = {
  '1 hour': 'hourly',
  '1 day': 'daily',
  '1 week': 'weekly',
  '1 month': 'monthly',
  '3 months': 'quarterly',
  '1 year': 'yearly',
};

/**
 * Has pg_partman make the partitions of the shadow table, from the lowest row to the highest one and `premake` further, in the way
 * of the installed version. Its default partition takes what comes meanwhile and has no partition yet
 * (db/partition-table/extend.sql).
 */
export async function createShadowPartitions(
  transaction: Transaction,
  plan: PartitionTablePlan,
): Promise<void> {
  const { schema, table, control, interval, premake, epoch, timeZone } = plan;
  const parent = `partition_archiver_shadow.${table}`;
  const extension = await partmanExtension(transaction);
  const partman = transaction(extension.schema);
  await transaction`select set_config('timezone', ${timeZone}, true), set_config('search_path', 'pg_catalog, pg_temp', true),
    set_config('client_connection_check_interval', '1s', true)`;
  const start = plan.start ?? (await lowest(transaction, plan));
  if (extension.major < 5) {
    await transaction`
      select ${partman}.create_parent(p_parent_table => ${parent}, p_control => ${control}, p_type => 'native',
        p_interval => ${NAMES_OF_VERSION_4[interval] ?? interval}, p_premake => ${premake}::integer, p_automatic_maintenance => 'off',
        p_epoch => ${epoch}, p_start_partition => ${start}::text)`;
  } else {
    await transaction`
      select ${partman}.create_parent(p_parent_table => ${parent}, p_control => ${control}, p_type => 'range', p_interval => ${interval},
        p_premake => ${premake}::integer, p_automatic_maintenance => 'off', p_epoch => ${epoch}, p_start_partition => ${start}::text)`;
  }
  if (epoch === 'none' && /^\d+$/.test(interval) && start !== null) {
    // It makes times until now, and of numbers the first ones only.
    await transaction`
      select ${partman}.create_partition_id(${parent}, array(
        select generate_series(${start}::bigint, (select max(${transaction(control)}) from only ${transaction(schema)}.${transaction(table)}) + ${premake}::bigint * ${interval}::bigint, ${interval}::bigint)))`;
  }
  await refuseRowsOutside(transaction, schema, plan);
}

/** The lower end of the interval that the lowest row lies in, as `create_parent` takes it; `null` for an empty table. */
async function lowest(
  transaction: Transaction,
  { schema, table, control, interval, epoch }: PartitionTablePlan,
): Promise<string | null> {
  const column = transaction(control);
  const from = transaction`only ${transaction(schema)}.${transaction(table)}`;
  if (epoch === 'none' && /^\d+$/.test(interval)) {
    const [row] = await transaction<[{ start: string | null }]>`
      select (floor(min(${column})::numeric / ${interval}::numeric) * ${interval}::numeric)::text as start from ${from}`;
    return row.start;
  }
  const factor = {
    none: '1',
    seconds: '1',
    milliseconds: '1000',
    microseconds: '1000000',
    nanoseconds: '1000000000',
  }[epoch];
  const value =
    epoch === 'none'
      ? transaction`min(${column})`
      : transaction`to_timestamp((min(${column})::numeric / ${factor}::numeric)::double precision)`;
  const [row] = await transaction<[{ start: string | null; finite: boolean | null }]>`
    select to_char(date_trunc(case when ${interval}::interval >= interval '1 year' then 'year' when ${interval}::interval >= interval '1 month' then 'month'
              when ${interval}::interval >= interval '7 days' then 'week' when ${interval}::interval >= interval '1 day' then 'day' else 'hour' end, x.lowest),
             'YYYY-MM-DD HH24:MI:SS') as start, isfinite(x.lowest) as finite
      from (select ${value} as lowest from ${from}) x`;
  if (row.finite === false)
    throw new ArchiverError(
      'PreflightFailed',
      `there are rows with an infinite ${control}, which belong to no partition`,
    );
  return row.start;
}

/** Rows above the highest partition, or below a start that was named, would be refused when they are taken over. */
async function refuseRowsOutside(
  transaction: Transaction,
  schema: string,
  { table, control }: PartitionTablePlan,
): Promise<void> {
  const [{ type }] = await transaction<[{ type: string }]>`
    select format_type(atttypid, null) as type from pg_attribute where attrelid = ${quoted(schema, table)}::regclass and attname = ${control}`;
  const cast = transaction.unsafe(type);
  const [{ lower, upper }] = await transaction<[{ lower: string | null; upper: string | null }]>`
    select min(e.ends[1]::${cast})::text as lower, max(e.ends[2]::${cast})::text as upper
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
      cross join lateral (select regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM [(]''?([^'']+?)''?[)] TO [(]''?([^'']+?)''?[)]') as ends) e
     where i.inhparent = ${quoted('partition_archiver_shadow', table)}::regclass and e.ends is not null`;
  if (lower === null || upper === null) {
    throw new ArchiverError(
      'PreflightFailed',
      'pg_partman made no partitions: is the interval right, and the name not too long?',
    );
  }
  const column = transaction(control);
  const [{ outside }] = await transaction<[{ outside: boolean }]>`
    select exists (select from only ${transaction(schema)}.${transaction(table)}
                    where ${column} < ${lower}::text::${cast} or ${column} >= ${upper}::text::${cast}) as outside`;
  if (outside) {
    throw new ArchiverError(
      'PreflightFailed',
      'there are rows below the first partition or above the last one: name an earlier start, a higher premake, or correct these rows',
    );
  }
}

const quoted = (schema: string, table: string): string => [schema, table].map(quoteIdentifier).join('.');
