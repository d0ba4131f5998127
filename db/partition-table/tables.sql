-- Partition-table: makes a partition set out of a plain table while it is in use.
--
-- A shadow table, partitioned and with the table's own name, is filled in partition_archiver_shadow.
-- Meanwhile a trigger on the table writes down the keys of the rows that change; what is written down is
-- taken over again, until next to nothing is left. Shadow table and table are compared by content, and then
-- change places in one short transaction. The old table waits behind a fence in partition_archiver_replaced
-- until an operator drops it. In mode "offline" a fence refuses writes from the beginning.
--
-- An administrator calls these functions with rights of his own (security invoker).

create schema if not exists partition_archiver_shadow authorization archiver_owner;
create schema if not exists partition_archiver_replaced authorization archiver_owner;
comment on schema partition_archiver_shadow
  is 'partition-archiver: partitioned tables that are being filled, to take the place of plain ones';
comment on schema partition_archiver_replaced
  is 'partition-archiver: plain tables whose place a partitioned one has taken, until they are dropped';

set role archiver_owner;

create table if not exists partition_archiver.partition_job (
  id bigint generated always as identity primary key,
  system_identifier bigint not null,
  database_name name not null,
  table_oid oid not null,
  table_schema name not null,
  table_name name not null,
  table_owner name not null,
  control_column name not null,
  mode text not null check (mode in ('online', 'offline')),
  key_columns name[] not null,
  -- As they were when it began: whatever changes them makes it begin again.
  objects jsonb not null,
  columns jsonb not null,
  ddl jsonb not null,
  options jsonb not null,
  shadow_oid oid,
  filenode oid,
  next_block bigint not null default 0,
  end_block bigint,
  checked jsonb,
  checked_at timestamptz,
  state text not null default 'begun' check (state in ('begun', 'copying', 'copied', 'checked', 'swapped',
    'dropped', 'rolled back')),
  began_at timestamptz not null default clock_timestamp(),
  swapped_at timestamptz,
  ended_at timestamptz,
  actor name not null default session_user
);
create unique index if not exists partition_job_table on partition_archiver.partition_job (table_oid)
  where state in ('begun', 'copying', 'copied', 'checked');
alter table partition_archiver.partition_job
  -- The comparison under way: its number, and from where on it has still to compare; null before its first
  -- range.
  add column if not exists check_number integer not null default 0,
  add column if not exists compared_to text,
  -- As in the ledger: what tells a database that was renamed.
  add column if not exists database_oid oid not null default partition_archiver.database_oid(),
  -- The triggers on the table as they were made: an alteration may have missed changes.
  add column if not exists trigger_state jsonb;

-- Unique keys that would have to contain the control column, and whether they can be extended by it.
create or replace function partition_archiver.keys_without(p_table oid, p_control name)
  returns table (index_oid oid, name name, constraint_type "char", columns text, extendable boolean)
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select i.indexrelid, c.relname, k.contype,
         (select string_agg(pg_get_indexdef(i.indexrelid, n, false), ', ' order by n)
           from generate_series(1, i.indnkeyatts) n),
         i.indpred is null and i.indexprs is null and i.indnatts = i.indnkeyatts
           and not coalesce(k.condeferrable, false)
           and not coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)
           and (select bool_and(o = 0) from unnest(i.indoption::int2[]) o)
           and (select bool_and(q.opcdefault) from unnest(i.indclass::oid[]) with ordinality as x (o, n)
             join pg_opclass q on q.oid = x.o)
           and (select bool_and(a.attcollation = x.coll)
             from unnest(i.indkey::int2[], i.indcollation::oid[]) as x (attnum, coll)
                  join pg_attribute a on a.attrelid = p_table and a.attnum = x.attnum)
    from pg_index i join pg_class c on c.oid = i.indexrelid
    left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = p_table
      and k.contype in ('p', 'u', 'x')
   where i.indrelid = p_table and i.indisunique and not i.indisexclusion
     and not exists (select from pg_attribute a where a.attrelid = p_table and a.attname = p_control
                        and a.attnum = any ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
$$;

-- Columns of a key by which a changed row is found again: the primary key, or another one that is unique and
-- never null. Not by an index that tells values apart otherwise than their type does by default: keys that
-- are written down are sorted by that.
create or replace function partition_archiver.row_key(p_table oid) returns name[]
  language sql stable set search_path = pg_catalog, pg_temp
  return coalesce((
    select array(select a.attname from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) with ordinality as p
      (attnum, n)
                   join pg_attribute a on a.attrelid = p_table and a.attnum = p.attnum order by p.n)
      from pg_index i
     where i.indrelid = p_table and i.indisunique and not i.indisexclusion and i.indisvalid
       and i.indimmediate and i.indpred is null and i.indexprs is null
       and not exists (select from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) k
         join pg_attribute a on a.attrelid = p_table and a.attnum = k
                        where not a.attnotnull)
       and not exists (select from unnest(i.indkey::int2[], i.indclass::oid[]) as x (attnum, opclass)
                         join pg_attribute a on a.attrelid = p_table and a.attnum = x.attnum
                         join pg_opclass c on c.oid = x.opclass
                         join pg_opclass d on d.opcmethod = c.opcmethod and d.opcintype = a.atttypid
                           and d.opcdefault
                        where d.opcfamily <> c.opcfamily)
     order by i.indisprimary desc, i.indnkeyatts, i.indexrelid limit 1), '{}');

-- Whether an index has the rows in the order of the control column, so that they can be read range by range.
create or replace function partition_archiver.has_control_index(p_table oid, p_control name) returns boolean
  language sql stable set search_path = pg_catalog, pg_temp
  return exists (
    select from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
     where i.indrelid = p_table and m.amname = 'btree' and i.indisvalid and i.indpred is null
       and a.attname = p_control);

reset role;
