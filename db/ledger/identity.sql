-- Identity: ledger rows that still carry this database's previous system identifier or name; no step
-- processes them.
--
-- A major upgrade makes a new cluster, with a system identifier of its own, and keeps the OIDs of tables;
-- ALTER DATABASE … RENAME keeps everything but the name. An inventory that took no notice would record the
-- tables again as attached, and later runs would archive and drop what an operator had restored or released.
--
-- A copy under another name has neither the name nor the OID of the original, and a ledger of its own. A dump
-- that was loaded into a new database of the old name has the name alone.

set role archiver_owner;

-- The rows. Above and below, since unequal is nothing that an index can be asked for, and every inventory of
-- every set asks this: in plpgsql, which keeps its plan, one for all values and by the index, since there are
-- hardly ever any.
create or replace function partition_archiver.mismatched_rows() returns setof partition_archiver.partition
  language plpgsql stable
  set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off as $$
declare
  v_system constant bigint := partition_archiver.system_identifier();
  v_name constant name := current_database();
  v_oid constant oid := partition_archiver.database_oid();
begin
  return query
    select l.*
      from (select * from partition_archiver.partition p
        where (p.system_identifier, p.database_name, p.database_oid) < (v_system, v_name, v_oid)
            union all
            select * from partition_archiver.partition p
              where (p.system_identifier, p.database_name, p.database_oid) > (v_system, v_name, v_oid)) l
     where (l.database_name = v_name or l.database_oid = v_oid) and l.state not in ('dropped', 'missing');
end
$$;

-- What stands for each row of one system and name here. expected_name: where its table should be. actual_oid:
-- the OID of what is there. current_name: what the table's OID is called here; null where it is gone.
-- matches: its table is in its place, and if it is attached, it is to the same parent by the same bounds.
create or replace function partition_archiver.mismatched_tables(p_system bigint, p_database name)
  returns table (id bigint, table_oid oid, expected_name text, actual_oid oid, current_name text,
    matches boolean)
  language sql stable
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD'
    set quote_all_identifiers = off as $$
  select l.id, l.table_oid, format('%I.%I', p.schema, p.name), h.oid, quote_ident(n.nspname) || '.'
    || quote_ident(c.relname),
         coalesce(h.oid = l.table_oid, false) and not exists (
           select from pg_inherits i
            where l.state = 'attached' and i.inhrelid = c.oid
              and (i.inhparent, pg_get_expr(c.relpartbound, c.oid)) is distinct from (l.parent_oid, l.bounds))
    from partition_archiver.mismatched_rows() l
   cross join lateral (select case when l.quarantine_name is null then l.table_schema
     else 'partition_archiver_quarantine' end,
                              coalesce(l.quarantine_name, l.table_name)) p (schema, name)
    left join (pg_class c join pg_namespace n on n.oid = c.relnamespace) on c.oid = l.table_oid
    left join (pg_class h join pg_namespace hn on hn.oid = h.relnamespace) on hn.nspname = p.schema
      and h.relname = p.name
   where l.system_identifier = p_system and l.database_name = p_database
$$;

-- Unfinished jobs of partition-table under such an identity, whose table is where the job has it. Without its
-- table a job has nothing to continue with.
create or replace function partition_archiver.mismatched_jobs() returns setof partition_archiver.partition_job
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return query
    select *
      from partition_archiver.partition_job j
     where (j.system_identifier, j.database_name, j.database_oid)
             is distinct from (partition_archiver.system_identifier(), current_database(),
               partition_archiver.database_oid())
       and (j.database_name = current_database() or j.database_oid = partition_archiver.database_oid())
       and j.state not in ('dropped', 'rolled back')
       and exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                    where c.oid = j.table_oid and c.relname = j.table_name
                      and n.nspname = case j.state when 'swapped' then 'partition_archiver_replaced'
                        else j.table_schema end);
end
$$;

-- A word as one argument of a command line, as shellArgument() in core/shell.ts writes it.
create or replace function partition_archiver.shell_argument(p_word text) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
  return case when p_word ~ '^[A-Za-z0-9_.:/-]+$' then p_word
    else '''' || replace(p_word, '''', '''\''''') || '''' end;

-- One line for each system and name that there are any of, with what preflight returns of a problem.
create or replace function partition_archiver.identity_mismatches()
  returns table (system bigint, database name, subject text, problem text, remedy text)
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with found as (
    select system_identifier, database_name, 'partition' as what from partition_archiver.mismatched_rows()
    union all
    select system_identifier, database_name, 'job' from partition_archiver.mismatched_jobs())
  select system_identifier, database_name, 'the ledger',
         format('has %s%s of ', partition_archiver.counted(count(*) filter (where what = 'partition'),
           'partition'), ' and ' || partition_archiver.counted(
             nullif(count(*) filter (where what = 'job'), 0), 'unfinished job') || ' of PartitionTable')
         || case
              when system_identifier <> partition_archiver.system_identifier()
                then format('%s on the system %s, and this is the system %s: the server was upgraded, or '
                  'the ledger copied',
                  case database_name when current_database() then 'this database'
                    else format('database %I', database_name) end,
                  system_identifier, partition_archiver.system_identifier())
              when database_name <> current_database()
                then format('database %I, and this is database %I: it was renamed', database_name,
                  current_database())
              else format('an earlier database %I of this server: this one was made under its name',
                database_name)
            end,
         format('Start UpgradeLedger with %s (npm run archive -- upgrade-ledger %s); see docs/upgrade.md.',
           case database_name when current_database() then format('{"from": "%s"}', system_identifier)
             else format('{"from": "%s", "database": %s}', system_identifier,
               to_json(database_name::text)) end,
           system_identifier || case when database_name <> current_database()
             then ' --database ' || partition_archiver.shell_argument(database_name) else '' end)
    from found
   group by system_identifier, database_name order by system_identifier, database_name
$$;

-- PreflightFailed while there are any. Whatever writes tables into the ledger that it does not know asks this
-- first.
create or replace function partition_archiver.assert_identity() returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_problems text;
begin
  -- Every inventory of every set comes here, and there are hardly ever any: so no more is asked than whether
  -- there are.
  if exists (select from partition_archiver.mismatched_rows())
    or exists (select from partition_archiver.mismatched_jobs()) then
    select string_agg(format('%s %s. %s', subject, problem, remedy), ' ') into v_problems
      from partition_archiver.identity_mismatches();
    raise exception '%', rtrim(v_problems, '.') using errcode = 'PA010'; -- PreflightFailed
  end if;
end
$$;

reset role;
