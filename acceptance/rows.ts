/** The partition set that is archived: made of arithmetic, so that every row can be told again. */

export const ROWS = 40_000;
export const SET = { schema: 'shop', table: 'orders' } as const;
export const RESTORED = 'orders_restored';

/** Months of rows before this one, and after how many of them a partition is past its retention. */
const MONTHS = 8;
const KEPT_MONTHS = 3;

/** Partitions that are past the retention, whatever the day. */
export const OBSOLETE = MONTHS - KEPT_MONTHS;

const FIRST = `(date_trunc('month', now(), 'UTC') - interval '${MONTHS} months')`;

/** All rows, as a select: an hour or less apart, with what COPY has to escape. */
const ALL_ROWS = `
  select g::bigint as id, ${FIRST} + g * (date_trunc('month', now(), 'UTC') - ${FIRST}) / ${ROWS + 1} as created_at,
         (g % 977)::numeric / 7 as amount, case when g % 5 = 0 then null else E'tab\\t line\\n 𝄞 ' || g end as note
    from generate_series(1, ${ROWS}) g`;

/**
 * Statements that make the set as an application would: owned by a role that has no other rights, since the master user of
 * RDS cannot be granted to the archiver's roles. The Data API takes one statement at a time.
 */
export const MAKE_SET: readonly string[] = [
  'create role shop_owner',
  `do $$ begin execute format('grant shop_owner to %I', current_user)
     || case when current_setting('server_version_num')::integer >= 160000 then ' with inherit true, set true' else '' end; end $$`,
  'create schema shop authorization shop_owner',
  'create schema partman',
  'create extension pg_partman schema partman',
  `create table shop.orders (id bigint not null, created_at timestamptz not null, amount numeric, note text,
     primary key (id, created_at)) partition by range (created_at)`,
  `select partman.create_parent('shop.orders', 'created_at', p_type => case when extversion like '4.%' then 'native' else 'range' end,
     p_interval => case when extversion like '4.%' then 'monthly' else '1 month' end, p_premake => 2,
     p_start_partition => to_char(${FIRST} at time zone 'UTC', 'YYYY-MM-DD'))
     from pg_extension where extname = 'pg_partman'`,
  `update partman.part_config set retention = '${KEPT_MONTHS} months', retention_keep_table = true, infinite_time_partitions = true
    where parent_table = 'shop.orders'`,
  `insert into shop.orders ${ALL_ROWS}`,
  `do $$ declare t regclass; begin
     for t in select relid from pg_partition_tree('shop.orders') loop
       execute format('alter table %s owner to shop_owner', t);
     end loop;
   end $$`,
];

export const COUNT_ROWS = 'select count(*)::integer as rows from shop.orders';

export const COUNT_QUARANTINED = `
  select count(*)::integer as tables from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = 'partition_archiver_quarantine' and c.relkind = 'r'`;

/** Rows by which the restored table and the month that it was differ, in either direction; `period` is that of its manifest. */
export function countDifferences(period: string): string {
  const month = `timestamptz '${period.slice(0, 4)}-${period.slice(4, 6)}-01 00:00+00'`;
  const wanted = `select * from (${ALL_ROWS}) a where created_at >= ${month} and created_at < ${month} + interval '1 month'`;
  const restored = `select id, created_at, amount, note from shop.${RESTORED}`;
  return `
    select (select count(*)::integer from shop.${RESTORED}) as rows, count(*)::integer as differences
      from ((${restored} except all ${wanted}) union all (${wanted} except all ${restored})) d`;
}
