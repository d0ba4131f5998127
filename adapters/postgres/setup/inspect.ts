import type { InspectDatabase } from '../../../core/setup/inspect.ts';
import { perSecond, type Distribution, type Period } from '../../../core/setup/inspect-proposal.ts';
import type { Candidate, TableFacts } from '../../../core/setup/inspect-table.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { displayName } from '../../../core/partition.ts';
import { inTransaction, translated, type Connection, type Transaction } from '../connect.ts';
import { noSuchTable } from '../partition-set.ts';
import { pin } from '../pins.ts';

/** Blocks that are read of a large table: 64 MiB, which takes seconds. */
const SAMPLED_BLOCKS = 8192;
/** Ranges that a column of numbers is shown in. */
const RANGES = 40;

/** `inspect` on PostgreSQL, as any role that may read the table. */
export function inspectDatabase(connection: Connection): InspectDatabase {
  return {
    facts: (schema, table) =>
      translated(`looking at ${displayName(schema, table)}`, () => readTableFacts(connection, schema, table)),
    distribution: (facts, control, { exact, timeZone, within }) =>
      inTransaction(connection, `rows of ${displayName(facts.schema, facts.table)}`, async (transaction) => {
        await transaction`set transaction read only`;
        await pin(transaction, { TimeZone: 'UTC' });
        const share = exact ? 1 : Math.min(1, (SAMPLED_BLOCKS * 8192) / Math.max(facts.tableBytes, 1));
        return control.kind === 'id'
          ? byNumber(transaction, facts, control, share, within)
          : byMonth(transaction, facts, control, share, timeZone);
      }),
  };
}

/** A table and its columns by the catalogs and the statistics. */
async function readTableFacts(
  connection: Connection | Transaction,
  schema: string,
  table: string,
): Promise<TableFacts> {
  const [row] = await connection<TableFacts[]>`
    select n.nspname as schema, c.relname as table, c.relkind as kind, pg_get_userbyid(c.relowner) as owner,
           nullif(case when c.relkind = 'p' then (select sum(greatest(l.reltuples, 0)) from pg_partition_tree(c.oid) t join pg_class l on l.oid = t.relid where t.isleaf)
                       else c.reltuples end, -1)::bigint as "estimatedRows",
           (select sum(pg_table_size(relid)) from (select relid from pg_partition_tree(c.oid) union select c.oid) t)::bigint as "tableBytes",
           (select sum(pg_total_relation_size(relid)) from (select relid from pg_partition_tree(c.oid) union select c.oid) t)::bigint as "totalBytes",
           1 + (select count(*) from pg_index i where i.indrelid = c.oid)::integer + case when c.reltoastrelid = 0 then 0 else 2 end as "locksEach",
           current_setting('max_locks_per_transaction')::bigint
             * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint) as "lockRoom",
           (select coalesce(jsonb_agg(jsonb_build_object(
                'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull,
                'indexed', exists (select from pg_index i where i.indrelid = c.oid and i.indisvalid and i.indpred is null and i.indkey[0] = a.attnum),
                'inPrimaryKey', exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey)),
                'uniqueWithoutIt', (select coalesce(jsonb_agg(i.indexrelid::regclass::text order by i.indexrelid), '[]') from pg_index i
                   where i.indrelid = c.oid and i.indisunique and not a.attnum = any (i.indkey)),
                'correlation', s.correlation, 'lowest', b.ends -> 0, 'highest', b.ends -> -1) order by a.attnum), '[]')
              from pg_attribute a
              left join pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = a.attname and s.inherited = (c.relkind = 'p')
              cross join lateral (
                select case when a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
                            then to_jsonb(s.histogram_bounds::text::numeric[]) end as ends) b
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${schema} and c.relname = ${table} and c.relkind in ('r', 'p')`;
  if (row === undefined)
    throw new ArchiverError('InvalidInput', await noSuchTable(connection, { schema, table }));
  return row;
}

/** Reads the same part of the table each time. Without it, `only` keeps inheriting tables out. */
function source(
  transaction: Transaction,
  { schema, table, kind }: TableFacts,
  share: number,
): ReturnType<Transaction> {
  const sample =
    share < 1 ? transaction`tablesample system (${share * 100}::real) repeatable (1)` : transaction``;
  const only = kind === 'p' ? transaction`` : transaction`only`;
  return transaction`${only} ${transaction(schema)}.${transaction(table)} as r ${sample}`;
}

interface Group extends Omit<Period, 'start'> {
  readonly start: string | null;
  readonly infinite: boolean | null;
}

async function byMonth(
  transaction: Transaction,
  facts: TableFacts,
  { column, kind }: Candidate,
  share: number,
  timeZone: string,
): Promise<Distribution> {
  const value = transaction`r.${transaction(column.name)}`;
  const local = {
    'timestamp with time zone': transaction`${value} at time zone ${timeZone}`,
    'timestamp without time zone': transaction`${value}`,
    date: transaction`${value}::timestamp`,
  }[column.type.replace(/\(\d\)/, '')];
  const time =
    kind === 'time' && local !== undefined
      ? local
      : transaction`to_timestamp((${value}::numeric / ${perSecond(kind)}::numeric)::double precision) at time zone ${timeZone}`;
  const groups = await transaction<Group[]>`
    select to_char(date_trunc('month', case when isfinite(x.time) then x.time end), 'YYYY-MM') as start, not isfinite(x.time) as infinite,
           count(*) as rows, sum(pg_column_size(r.*))::bigint as bytes
      from ${source(transaction, facts, share)} cross join lateral (select ${time} as time) x
     group by 1, 2 order by min(case when isfinite(x.time) then x.time end)`;
  if (share < 1 && column.indexed) {
    // A sample rarely has an outlier; the index has the ends.
    const ends = await transaction<Group[]>`
      select to_char(date_trunc('month', x.time), 'YYYY-MM') as start, false as infinite, 0 as rows, 0 as bytes
        from (select ${value} from ${source(transaction, facts, 1)} where isfinite(${time}) order by 1 limit 1) low
        cross join lateral (select ${time} as time from (select low.*) as r) x
      union all
      select to_char(date_trunc('month', x.time), 'YYYY-MM'), false, 0, 0
        from (select ${value} from ${source(transaction, facts, 1)} where isfinite(${time}) order by 1 desc limit 1) high
        cross join lateral (select ${time} as time from (select high.*) as r) x`;
    const missing = (end: Group | undefined): Group[] =>
      end === undefined || groups.some(({ start }) => start === end.start) ? [] : [end];
    groups.unshift(...missing(ends[0]));
    groups.push(...missing(ends[1]));
  }
  return distributionOf(groups, facts, { column: column.name, kind, width: null, sampled: share });
}

async function byNumber(
  transaction: Transaction,
  facts: TableFacts,
  { column, kind }: Candidate,
  share: number,
  within: { readonly from: number; readonly to: number } | undefined,
): Promise<Distribution> {
  const value = transaction`r.${transaction(column.name)}`;
  const where =
    within === undefined
      ? transaction``
      : transaction`where ${value} >= ${within.from}::numeric and ${value} < ${within.to}::numeric`;
  const [ends] = await transaction<[{ lowest: string | null; highest: string | null }]>`
    select min(${value})::text as lowest, max(${value})::text as highest from ${source(transaction, facts, column.indexed ? 1 : share)} ${where}`;
  const span = Number(ends.highest ?? 0) - Number(ends.lowest ?? 0) + 1;
  const width = 10 ** Math.max(0, Math.ceil(Math.log10(span / RANGES)));
  const groups = await transaction<Group[]>`
    select (floor(${value}::numeric / ${width}::numeric) * ${width}::numeric)::text as start, false as infinite,
           count(*) as rows, sum(pg_column_size(r.*))::bigint as bytes
      from ${source(transaction, facts, share)} ${where} group by 1 order by min(${value})`;
  return distributionOf(groups, facts, { column: column.name, kind, width, sampled: share });
}

/** Rows by the share that was read; bytes by how the size of the table spreads over what was read. */
function distributionOf(
  groups: readonly Group[],
  { tableBytes }: TableFacts,
  { sampled, ...rest }: Pick<Distribution, 'column' | 'kind' | 'width' | 'sampled'>,
): Distribution {
  const weight = groups.reduce((sum, { bytes }) => sum + bytes, 0);
  const rows = (filter: (group: Group) => boolean): number =>
    Math.round(groups.filter(filter).reduce((sum, group) => sum + group.rows, 0) / sampled);
  return {
    ...rest,
    sampled,
    periods: groups.flatMap(({ start, ...group }) =>
      start === null
        ? []
        : [
            {
              start,
              rows: Math.round(group.rows / sampled),
              bytes: Math.round((group.bytes / weight) * tableBytes),
            },
          ],
    ),
    rowsWithoutValue: rows(({ start, infinite }) => start === null && infinite !== true),
    rowsAtInfinity: rows(({ infinite }) => infinite === true),
  };
}
