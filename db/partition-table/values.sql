-- Partition-table: the requested values, each as the server reads it, before anything is made.
-- pg_partman keeps them as text: a retention that is no interval would stop the maintenance of every set.

set role archiver_owner;

-- What a value of that type says when it is cast; null where it can be.
create or replace function partition_archiver.cast_problem(p_value text, p_type text) returns text
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  execute format('select %L::%s', p_value, p_type);
  return null;
exception when data_exception then
  return sqlerrm;
end
$$;

-- All values that the server does not take, or that do not fit the control column. p_options as
-- begin_partition_job has them.
create or replace function partition_archiver.partition_table_value_problems(p_table oid, p_control name,
    p_options jsonb) returns text[]
  language plpgsql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' as $$
declare
  v_type regtype := (select atttypid from pg_attribute
                      where attrelid = p_table and attname = p_control and attnum > 0 and not attisdropped);
  v_number boolean := v_type in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype);
  v_epoch text := coalesce(p_options ->> 'epoch', 'none');
  v_zone text := coalesce(p_options ->> 'timeZone', 'UTC');
  v_by_number boolean;
  v_each record;
  v_problem text;
  v_problems text[] := '{}';
begin
  if v_epoch not in ('none', 'seconds', 'milliseconds', 'microseconds', 'nanoseconds') then
    v_problems := v_problems || format('epoch %s is not one of none, seconds, milliseconds, microseconds, '
      'nanoseconds', to_json(v_epoch));
  elsif v_epoch <> 'none' and not v_number then
    v_problems := v_problems || format('epoch %s is for a column of whole numbers, and %I is of type %s',
      to_json(v_epoch), p_control, v_type);
  end if;
  if p_options ->> 'keys' not in ('extend', 'drop') then
    v_problems := v_problems || format('keys %s is neither extend nor drop', p_options -> 'keys');
  end if;
  v_by_number := v_number and v_epoch = 'none';
  for v_each in
    select * from (values ('interval', p_options ->> 'interval'), ('retention', p_options ->> 'retention'))
        as v (name, value)
     where value is not null
  loop
    if v_by_number then
      v_problem := case when v_each.value !~ '^[1-9]\d{0,17}$' then
        format('is no whole number above 0, and %I is a column of whole numbers; where these count time, '
          'name the epoch', p_control) end;
    else
      v_problem := partition_archiver.cast_problem(v_each.value, 'interval');
      if v_problem is null and v_each.value !~ '[a-z:]' then
        v_problem := 'has no unit, such as "1 month"';
      elsif v_problem is null and v_each.value::interval < interval '1 second' then
        v_problem := 'is shorter than a second';
      elsif v_problem is null and v_each.value::interval > interval '1000 years' then
        v_problem := 'is longer than 1000 years';
      end if;
    end if;
    if v_problem is not null then
      v_problems := v_problems || format('%s %s: %s', v_each.name, to_json(v_each.value), v_problem);
    end if;
  end loop;
  v_problem := partition_archiver.cast_problem(p_options ->> 'premake', 'integer');
  if v_problem is null and (p_options ->> 'premake')::integer not between 1 and 1000 then
    v_problem := 'must be from 1 to 1000';
  end if;
  if v_problem is not null then
    v_problems := v_problems || format('premake %s: %s', to_json(p_options ->> 'premake'), v_problem);
  end if;
  begin
    perform set_config('timezone', v_zone, true);
  exception when invalid_parameter_value then
    v_problems := v_problems || format('time zone %s: the server does not know it', to_json(v_zone));
  end;
  v_problem := partition_archiver.cast_problem(p_options ->> 'start',
    case when v_by_number then 'bigint' else 'timestamptz' end);
  if v_problem is null and not v_by_number and not isfinite((p_options ->> 'start')::timestamptz) then
    v_problem := 'is not finite';
  end if;
  if v_problem is not null then
    v_problems := v_problems || format('start %s: %s', to_json(p_options ->> 'start'), v_problem);
  end if;
  return v_problems;
end
$$;

reset role;
