-- Adopt: a partition that was detached before the archiver knew its set enters the ledger by an operator's
-- call, by OID. Its name proves nothing and its bounds are lost, so the structure is compared with the
-- parent's and the bounds with the data. What stands against it is returned, all at once; a run never adopts
-- anything without a request.

set role archiver_owner;

-- How the columns of a table differ from those of a partitioned table; their order does not count.
create or replace function partition_archiver.structure_differences(p_table oid, p_parent oid) returns text[]
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select array(
    select format('column %I %s', coalesce(p.name, t.name), case
             when t.name is null then format('of the parent is missing (alter table %s add column %I %s;)',
               p_table::regclass, p.name, p.type)
             when p.name is null then 'is not one of the parent''s'
             when p.type <> t.type then format('is of type %s, in the parent of type %s', t.type, p.type)
             when p.collation is distinct from t.collation then 'has another collation in the parent'
             when p.generated <> t.generated then 'is generated in one of the two only, or in another way'
             else format('may be null, in the parent it may not (alter table %s alter column %I set not '
               'null;)', p_table::regclass, p.name) end)
      from (select facts ->> 'name' as name, facts ->> 'type' as type, facts ->> 'collation' as collation,
                   (facts ->> 'not_null')::boolean as not_null, facts ->> 'generated' as generated
              from partition_archiver.ddl_columns(p_parent, 'none')) p
      full join (select facts ->> 'name' as name, facts ->> 'type' as type,
        facts ->> 'collation' as collation,
                        (facts ->> 'not_null')::boolean as not_null, facts ->> 'generated' as generated
                   from partition_archiver.ddl_columns(p_table, 'none')) t on t.name = p.name
     where p.name is null or t.name is null or p.type <> t.type or p.collation is distinct from t.collation
        or p.generated <> t.generated or p.not_null and not t.not_null
     order by 1)
$$;

-- Why a table cannot be taken for a partition that this set once had, as far as the catalogs tell. Empty
-- where it can.
create or replace function partition_archiver.adoption_problems(p_table oid, p_parent oid) returns text[]
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_set record;
  v_table record;
  v_template text;
  v_partman name := partition_archiver.partman_schema();
  v_key text := partition_archiver.key_problem(p_parent);
  v_problems text[] := '{}';
begin
  select * into v_set from partition_archiver.partition_set(p_parent);
  if not found then
    return array[format(
      'table with oid %s is not a range partition set of pg_partman with one control column', p_parent)];
  end if;
  if v_key is not null then
    return array['the ' || v_key];
  end if;
  select c.oid, n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) as name into v_table
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = p_table;
  if not found then
    return array[format('there is no table with oid %s', p_table)];
  end if;
  if v_table.nspname in ('partition_archiver', 'partition_archiver_quarantine', 'partition_archiver_trial',
    'partition_archiver_restore')
     or starts_with(v_table.nspname, 'pg_') or v_table.nspname = 'information_schema' then
    return array[format('%s lies in a schema of the system or of partition-archiver', v_table.name)];
  end if;
  v_problems := partition_archiver.refusals(p_table);
  if not has_schema_privilege('archiver_owner', v_table.nspname, 'usage') then
    v_problems := v_problems || format('role archiver_owner may not use its schema (grant usage on schema '
      '%I to archiver_owner;)', v_table.nspname);
  end if;
  v_problems := v_problems || (
    select coalesce(array_agg(format('it is in the ledger already: partition %s, %s', l.id, l.state)), '{}')
      from partition_archiver.partition l
     where l.table_oid = p_table and l.state not in ('dropped', 'missing')
       and l.system_identifier = partition_archiver.system_identifier()
       and l.database_name = current_database());
  -- pg_partman keeps one table with the columns of each parent to copy keys from.
  execute format('select parent_table from %I.part_config where template_table = %L limit 1', v_partman,
    v_table.nspname || '.' || v_table.relname) into v_template;
  if v_template is not null then
    v_problems := v_problems || format('it is the template table of %s', v_template);
  end if;
  -- A partition of another set by its name. Both sets may have the same columns; then only the name tells
  -- them apart.
  v_problems := v_problems || (
    select coalesce(array_agg(format('by its name it was a partition of %I.%I', n.nspname, c.relname)), '{}')
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      cross join (select regexp_replace(v_table.relname, '_p[0-9][0-9_qw]*$', '') as base) b
     where c.relkind = 'p' and c.oid <> p_parent and c.relname = b.base and b.base <> v_table.relname
       and (b.base <> v_set.parent_name or n.nspname = v_table.nspname and n.nspname <> v_set.parent_schema)
       and exists (select from partition_archiver.partition_set(c.oid)));
  return v_problems || partition_archiver.structure_differences(p_table, p_parent);
end
$$;

-- Adopts a detached table as a partition that p_parent once had: writes it into the ledger as detached, so
-- that the next run archives it if it is past the retention. Without bounds nothing is written and those that
-- the data suggest are returned. partition is null where it was not adopted; problems say why. Reads the
-- whole control column.
create or replace function partition_archiver.adopt(p_table oid, p_parent oid, p_lower text, p_upper text,
  p_time_zone text,
    out partition bigint, out lower_bound text, out upper_bound text, out problems text[])
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD'
    set row_security = off as $$
declare
  v_set record;
  v_table record;
  v_data record;
  v_lower_time timestamptz;
  v_upper_time timestamptz;
  v_bounds text;
begin
  perform partition_archiver.assert_identity();
  problems := partition_archiver.adoption_problems(p_table, p_parent);
  if problems <> '{}' then
    return;
  end if;
  select * into v_set from partition_archiver.partition_set(p_parent);
  select c.oid, n.nspname, c.relname into v_table from pg_class c
    join pg_namespace n on n.oid = c.relnamespace where c.oid = p_table;
  -- The table cannot be altered, attached or dropped until this is in the ledger.
  perform partition_archiver.set_lock_timeout();
  execute format('lock table only %I.%I in access share mode', v_table.nspname, v_table.relname);
  if to_regclass(format('%I.%I', v_table.nspname, v_table.relname))::oid is distinct from p_table then
    problems := array['it was replaced, renamed or moved just now'];
    return;
  end if;
  execute format('select min(%1$I)::text as lowest, max(%1$I)::text as highest, count(*) filter (where %1$I '
    'is null) as nulls, count(*) as rows from only %2$I.%3$I',
    v_set.control_column, v_table.nspname, v_table.relname) into v_data;
  if v_data.nulls > 0 then
    problems := problems || format('%s without a value of %I',
      partition_archiver.counted(v_data.nulls, 'row'), v_set.control_column);
  end if;
  if v_data.lowest in ('-infinity', 'infinity') or v_data.highest in ('infinity', 'NaN') then
    problems := problems || format('it has rows with an infinite %I', v_set.control_column);
  end if;
  if problems <> '{}' then
    return;
  end if;

  if p_lower is null or p_upper is null then
    if v_data.rows = 0 then
      problems := array['it is empty, so nothing tells its bounds: name them'];
      return;
    end if;
    select p.lower_bound, p.upper_bound into lower_bound, upper_bound
      from partition_archiver.proposed_bounds(p_parent, v_data.lowest, v_data.highest, p_time_zone) p;
    problems := array['its bounds were not named; these are proposed from its rows: name them, or better '
      'ones, to adopt it'];
    return;
  end if;

  lower_bound := partition_archiver.bound_text(p_lower, v_set.control_type, p_time_zone);
  upper_bound := partition_archiver.bound_text(p_upper, v_set.control_type, p_time_zone);
  if lower_bound is null or upper_bound is null then
    problems := array[format('a bound is no finite value of type %s', v_set.control_type)];
    return;
  end if;
  execute format($check$
      select array_remove(array[
        case when %1$L::%5$s >= %2$L::%5$s then 'the lower bound is not below the upper one' end,
        case when %3$L::%5$s < %1$L::%5$s then 'it has rows below the lower bound' end,
        case when %4$L::%5$s >= %2$L::%5$s then 'it has rows at or above the upper bound' end], null)$check$,
    lower_bound, upper_bound, v_data.lowest, v_data.highest, v_set.control_type) into problems;
  if problems <> '{}' then
    return;
  end if;

  if v_set.control_kind = 'time' then
    v_lower_time := partition_archiver.bound_time(lower_bound, v_set.control_type, v_set.epoch, p_time_zone);
    v_upper_time := partition_archiver.bound_time(upper_bound, v_set.control_type, v_set.epoch, p_time_zone);
  end if;
  v_bounds := format('FOR VALUES FROM (%L) TO (%L)', lower_bound, upper_bound);
  insert into partition_archiver.partition as l (
      system_identifier, database_name, table_oid, table_schema, table_name, parent_oid, parent_schema,
        parent_name,
      control_column, control_kind, bounds, lower_bound, upper_bound, lower_time, upper_time, period,
        attach_statement, time_zone, state)
    values (partition_archiver.system_identifier(), current_database(), p_table, v_table.nspname,
      v_table.relname,
      v_set.parent_oid, v_set.parent_schema, v_set.parent_name, v_set.control_column, v_set.control_kind,
      v_bounds, lower_bound, upper_bound, v_lower_time, v_upper_time,
      partition_archiver.period(v_lower_time, v_upper_time, lower_bound, p_time_zone),
      format('alter table %I.%I attach partition %I.%I %s', v_set.parent_schema, v_set.parent_name,
        v_table.nspname, v_table.relname, v_bounds),
      p_time_zone, 'detached')
    on conflict (system_identifier, database_name, table_oid)
      where state not in ('dropped', 'missing') do nothing
    returning l.id into partition;
  if partition is null then
    problems := array['it was adopted by another session just now'];
  end if;
end
$$;

reset role;
