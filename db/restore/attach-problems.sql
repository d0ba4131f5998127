-- Restore, why a table cannot be attached to a parent, or would not stay there.

set role archiver_owner;

-- Whether a version can attach a table to a parent with a temporal primary key: 18.0 to 18.4 compare the two
-- keys in a way that no table passes (42P16). p_version as in server_version_num.
create or replace function partition_archiver.attaches_temporal_keys(p_version integer) returns boolean
  language sql immutable set search_path = pg_catalog, pg_temp
  return p_version not between 180000 and 180004;

-- Why a partition cannot be attached to a parent, or would not stay there. p_columns as in the archived DDL:
-- [{name, type, collation, not_null, generated}]; p_time_zone: that of the partition's bounds, null where it
-- is not known. Empty where it can.
create or replace function partition_archiver.attach_problems(
    p_parent_schema name, p_parent_name name, p_control_column name, p_lower text, p_upper text,
      p_columns jsonb, p_time_zone text) returns text[]
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD'
    set quote_all_identifiers = off
  set row_security = off as $$
declare
  v_parent oid := to_regclass(format('%I.%I', p_parent_schema, p_parent_name))::oid;
  v_display text := format('%I.%I', p_parent_schema, p_parent_name);
  v_key record;
  v_set record;
  v_other record;
  v_overlaps boolean;
  v_is_old boolean;
  v_default_has_rows boolean;
  v_time_zone constant text := coalesce(p_time_zone, 'UTC');
  v_problems text[] := '{}';
begin
  select a.attname, format_type(a.atttypid, a.atttypmod) as type, t.partdefid, c.relispartition into v_key
    from pg_partitioned_table t join pg_attribute a on a.attrelid = t.partrelid and a.attnum = t.partattrs[0]
    join pg_class c on c.oid = t.partrelid
   where t.partrelid = v_parent and t.partstrat = 'r' and t.partnatts = 1;
  if not found then
    return array[format('%s is no table that is partitioned by ranges of one column', v_display)];
  end if;
  if v_key.attname <> p_control_column then
    return array[format('%s is partitioned by %I, the archive by %I', v_display, v_key.attname,
      p_control_column)];
  end if;

  select v_problems || coalesce(array_agg(format('column %I: %s', coalesce(p.name, c.name), case
           when p.name is null then 'the parent has none of this name'
           when c.name is null then 'the archive has none of this name'
           when p.type <> c.type then format('%s in the parent, %s in the archive', p.type, c.type)
           when p."collation" is distinct from c."collation" then 'another collation in the parent'
           when p.generated <> c.generated then 'generated in one of them only, or in another way'
           else 'NOT NULL in the parent, not so in the archive' end)), '{}') into v_problems
    from (select facts ->> 'name' as name, facts ->> 'type' as type, facts ->> 'collation' as "collation",
                 (facts ->> 'not_null')::boolean as not_null, facts ->> 'generated' as generated
            from partition_archiver.ddl_columns(v_parent, 'none')) p
    full join jsonb_to_recordset(p_columns) as c (name text, type text, "collation" text, not_null boolean,
      generated text) on c.name = p.name
   where p.name is null or c.name is null or p.type <> c.type or p."collation" is distinct from c."collation"
      or p.generated <> c.generated or p.not_null and not c.not_null;
  -- Bounds that are not of the key's type can be compared with nothing.
  if v_key.type is distinct from (
       select c.type from jsonb_to_recordset(p_columns) as c (name text, type text)
        where c.name = p_control_column) then
    return v_problems;
  end if;

  -- The range.
  for v_other in
    select n.nspname, c.relname, e.ends
      from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
      cross join lateral (select regexp_match(pg_get_expr(c.relpartbound, c.oid),
        '^FOR VALUES FROM \((?:''?)([^'']+?)(?:''?)\) TO \((?:''?)([^'']+?)(?:''?)\)$') as ends) e
     where i.inhparent = v_parent and c.oid <> v_key.partdefid
  loop
    execute format('select (%2$L = ''MAXVALUE'' or %3$L::%5$s < nullif(%2$L, ''MAXVALUE'')::%5$s)
                       and (%1$L = ''MINVALUE'' or nullif(%1$L, ''MINVALUE'')::%5$s < %4$L::%5$s)',
      v_other.ends[1], v_other.ends[2], p_lower, p_upper, v_key.type) into v_overlaps;
    if v_overlaps then
      v_problems := v_problems || format('the range is taken by %I.%I', v_other.nspname, v_other.relname);
    end if;
  end loop;
  if v_key.partdefid <> 0 then
    execute format('select exists (select from only %s where %I >= %L and %I < %L)',
      v_key.partdefid::regclass,
      p_control_column, p_lower, p_control_column, p_upper) into v_default_has_rows;
    if v_default_has_rows then
      v_problems := v_problems || 'the default partition has rows of this range'::text;
    end if;
  end if;

  if not partition_archiver.attaches_temporal_keys(current_setting('server_version_num')::integer)
     and exists (select from pg_constraint where conrelid = v_parent and contype = 'p'
       and pg_get_constraintdef(oid) ~ ' WITHOUT OVERLAPS\)') then
    v_problems := v_problems || format('%s has a temporal primary key, and PostgreSQL %s cannot attach a '
      'table to that; 18.5 can',
      v_display, current_setting('server_version'));
  end if;

  -- The archiver detaches by the upper bound, pg_partman by the lower bound and one interval: whichever comes
  -- first counts.
  select * into v_set from partition_archiver.partition_set(v_parent);
  if v_set.retention is not null then
    if v_set.control_kind = 'time' then
      v_is_old := least(
          partition_archiver.time_before(
            partition_archiver.bound_time(p_lower, v_set.control_type, v_set.epoch, v_time_zone),
            - v_set.partition_interval::interval, v_time_zone),
          partition_archiver.bound_time(p_upper, v_set.control_type, v_set.epoch, v_time_zone))
        <= partition_archiver.time_before(now(), v_set.retention::interval, v_time_zone);
    else
      v_is_old := least(p_lower::numeric + v_set.partition_interval::numeric, p_upper::numeric) <=
        partition_archiver.highest_id(v_parent) - v_set.retention::numeric;
    end if;
    if v_is_old then
      v_problems := v_problems || format('the retention of %s is %L: its next maintenance would only detach '
        'the partition again',
        v_display, v_set.retention);
    end if;
  end if;
  return v_problems;
end
$$;

reset role;
