-- Partition-table: the job, and what of its table must not change meanwhile.

set role archiver_owner;

-- The objects that are not in both lists, as `index a; constraint b`; null where there are none.
create or replace function partition_archiver.changed_objects(p_now jsonb, p_then jsonb) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
  return (
    select string_agg(distinct (o ->> 'kind') || ' ' || (o ->> 'name'), '; ')
      from ((select jsonb_array_elements(p_now) except select jsonb_array_elements(p_then))
            union all
            (select jsonb_array_elements(p_then) except select jsonb_array_elements(p_now))) d (o));

-- Waits until autovacuum has left the table of a job, and the partitions of its shadow table, which it comes
-- to soon after they were loaded. Before other locks (see wait_for_autovacuum()). The server's locks are read
-- once: 3,000 partitions, beside a session with 3,000 locks, took 4.3 s otherwise (PostgreSQL 15), and each
-- reading holds up the locks of all other sessions.
create or replace function partition_archiver.wait_for_autovacuum_of_job(j partition_archiver.partition_job)
  returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform partition_archiver.wait_for_autovacuum(c.oid)
     from (select j.table_oid as oid union
           select inhrelid from pg_inherits where inhparent = j.shadow_oid) t
     join pg_class c on c.oid = t.oid
    where array[c.oid, c.reltoastrelid] && array(
            select relation from pg_locks where locktype = 'relation'
               and mode = 'ShareUpdateExclusiveLock');
end
$$;

-- The job, locked, if its tables are still what they were.
create or replace function partition_archiver.claim_partition_job(p_id bigint, variadic p_states text[])
  returns partition_archiver.partition_job
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC'
    set datestyle = 'ISO, YMD'
  set intervalstyle = 'postgres' as $$
declare
  j partition_archiver.partition_job;
  v_partman name := partition_archiver.partman_schema();
  v_known boolean := false;
  v_changed text;
begin
  select * into j from partition_archiver.partition_job where id = p_id for update;
  if not found or j.state <> all (p_states) then
    perform partition_archiver.raise_wrong_state('partitioning', p_id, j.state, ', not '
      || array_to_string(p_states, ' or '));
  end if;
  if j.system_identifier <> partition_archiver.system_identifier()
    or j.database_name <> current_database() then
    raise exception 'partitioning % belongs to database "%" of another system', p_id, j.database_name
      using errcode = 'PA002'; -- IdentityChanged
  end if;
  if j.state in ('begun', 'copying', 'copied', 'checked') then
    if to_regclass(format('%I.%I', j.table_schema, j.table_name))::oid is distinct from j.table_oid
       or to_regclass(format('partition_archiver_shadow.%I',
         j.table_name))::oid is distinct from j.shadow_oid then
      raise exception 'table %.% or its shadow table is gone, renamed or another one', j.table_schema,
        j.table_name using errcode = 'PA002'; -- IdentityChanged
    end if;
    if j.trigger_state is null and j.state <> 'begun' then
      raise exception 'the partitioning of %.% failed, and changes of the table are no longer logged: roll '
        'back and begin again', j.table_schema, j.table_name
        using errcode = 'PA002'; -- IdentityChanged
    end if;
    if j.state <> 'begun' then
      if v_partman is not null then
        execute format('select exists (select from %I.part_config where parent_table = %L)', v_partman,
          'partition_archiver_shadow.' || j.table_name) into v_known;
      end if;
      if not v_known then
        raise exception 'pg_partman does not know the shadow table of %.% any more: roll back and begin '
          'again', j.table_schema, j.table_name using errcode = 'PA002'; -- IdentityChanged
      end if;
    end if;
    if partition_archiver.trigger_state(j.table_oid) <> coalesce(j.trigger_state, '[]') then
      raise exception 'the change triggers of %.% were altered, and changes may be missing: roll back and '
        'begin again', j.table_schema, j.table_name
        using errcode = 'PA002'; -- IdentityChanged
    end if;
    v_changed := partition_archiver.changed_objects(
      (select jsonb_agg(facts || '{"kind": "column"}')
         from partition_archiver.ddl_columns(j.table_oid, 'none'))
        || partition_archiver.partition_job_objects(j.table_oid),
      (select jsonb_agg(c || '{"kind": "column"}') from jsonb_array_elements(j.columns) c) || j.objects);
    if v_changed ~ '^index [^;]*(; index [^;]*)*$' then
      raise exception 'changed since the partitioning of %.% began: %: undo that and continue, or roll back',
        j.table_schema, j.table_name, v_changed using errcode = 'PA001'; -- StateConflict
    elsif v_changed is not null then
      raise exception 'changed since the partitioning of %.% began: %: roll back and begin again',
        j.table_schema, j.table_name, v_changed using errcode = 'PA002'; -- IdentityChanged
    end if;
  end if;
  return j;
end
$$;

-- The triggers on a table by which its changes are followed, and the fence of one that was replaced; an
-- altered one has another xmin.
create or replace function partition_archiver.trigger_state(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
  return (select coalesce(jsonb_agg(jsonb_build_object('name', tgname, 'xmin', xmin::text, 'enabled',
    tgenabled) order by tgname), '[]')
            from pg_trigger where tgrelid = p_table and tgname ~ '^partition_archiver_(job|fence)_');

-- What of a table must not change meanwhile, beside its columns: the keys, checks and indexes that the shadow
-- table has been given. All else is read again at the swap. An index that is made just now, CONCURRENTLY, or
-- made again, is not valid.
create or replace function partition_archiver.partition_job_objects(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  return (
    select coalesce(jsonb_agg(o order by o ->> 'kind', o ->> 'name'), '[]') from (
      select jsonb_build_object('kind', 'constraint', 'name', conname, 'detail',
        pg_get_constraintdef(oid)) as o
        from pg_constraint where conrelid = p_table and contype <> 't'
      union all
      select jsonb_build_object('kind', 'index', 'name', indexrelid::regclass, 'detail',
        pg_get_indexdef(indexrelid))
        from pg_index where indrelid = p_table and indisvalid) x);

reset role;
