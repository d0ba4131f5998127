-- Partition-table: the job, and what of its table must not change meanwhile.

set role archiver_owner;

-- The job, locked, if its tables are still what they were.
create or replace function partition_archiver.claim_partition_job(p_id bigint, variadic p_states text[])
  returns partition_archiver.partition_job
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC'
    set datestyle = 'ISO, YMD'
  set intervalstyle = 'postgres' as $$
declare
  j partition_archiver.partition_job;
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
    if partition_archiver.trigger_state(j.table_oid) <> coalesce(j.trigger_state, '[]') then
      raise exception 'the change triggers of %.% were altered, and changes may be missing: roll back and '
        'begin again', j.table_schema, j.table_name
        using errcode = 'PA002'; -- IdentityChanged
    end if;
    if (select jsonb_agg(facts order by attnum)
      from partition_archiver.ddl_columns(j.table_oid, 'none')) is distinct from j.columns
       or partition_archiver.partition_job_objects(j.table_oid) is distinct from j.objects then
      raise exception 'columns, indexes, constraints, triggers or policies of %.% changed since it began: '
        'roll back and begin again', j.table_schema, j.table_name
        using errcode = 'PA002'; -- IdentityChanged
    end if;
  end if;
  return j;
end
$$;

-- The triggers on a table by which its changes are followed; an altered one has another xmin.
create or replace function partition_archiver.trigger_state(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
  return (select coalesce(jsonb_agg(jsonb_build_object('name', tgname, 'xmin', xmin::text, 'enabled',
    tgenabled) order by tgname), '[]')
            from pg_trigger where tgrelid = p_table and tgname like 'partition\_archiver\_job%');

-- What of a table must not change meanwhile, without what this has put there itself: what there is, and what
-- the keys, checks and indexes say that the shadow table has been given.
create or replace function partition_archiver.partition_job_objects(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  return (
    select coalesce(jsonb_agg(o order by o ->> 'kind', o ->> 'name'), '[]') from (
      select o from jsonb_array_elements(partition_archiver.ddl_objects(p_table)) o
       where not (o ->> 'kind' = 'trigger' and o ->> 'name' like 'partition\_archiver\_job%')
      union all
      select jsonb_build_object('kind', 'definition of constraint', 'name', conname, 'detail',
        pg_get_constraintdef(oid))
        from pg_constraint where conrelid = p_table
      union all
      select jsonb_build_object('kind', 'definition of index', 'name', indexrelid::regclass, 'detail',
        pg_get_indexdef(indexrelid))
        from pg_index where indrelid = p_table) x);

reset role;
