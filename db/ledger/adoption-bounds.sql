-- Adopt: bounds of a table that was detached before the ledger knew it, from its rows.

set role archiver_owner;

-- The text of a value as pg_get_expr prints it in the bounds of a partition: a point in time without an
-- offset is meant in the time zone of the set. Null where it is no value of the type.
create or replace function partition_archiver.bound_text(p_value text, p_type regtype, p_time_zone text)
  returns text
  language plpgsql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC'
    set datestyle = 'ISO, YMD' as $$
declare
  v_time timestamptz;
  v_text text;
begin
  if p_type = 'timestamptz'::regtype then
    perform set_config('timezone', p_time_zone, true);
    v_time := p_value::timestamptz;
    perform set_config('timezone', 'UTC', true);
    v_text := v_time::text;
  else
    execute format('select (%L::%s)::text', p_value, p_type) into v_text;
  end if;
  return case when v_text in ('infinity', '-infinity', 'NaN') then null else v_text end;
exception when data_exception then
  return null;
end
$$;

-- The control column's value for a point in time: bound_time the other way round.
create or replace function partition_archiver.time_bound(p_time timestamptz, p_type regtype, p_epoch text,
  p_time_zone text) returns text
  language sql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD'
  return case
    when p_epoch <> 'none' then
      floor(extract(epoch from p_time) * case p_epoch when 'seconds' then 1 when 'milliseconds' then 1000
        when 'microseconds' then 1000000 when 'nanoseconds' then 1000000000 end)::numeric::text
    when p_type = 'timestamptz'::regtype then p_time::text
    when p_type = 'date'::regtype then (p_time at time zone p_time_zone)::date::text
    else (p_time at time zone p_time_zone)::text
  end;

-- Bounds that the values of a table suggest: those from p_lowest to p_highest, widened to where partitions of
-- the set begin, which its attached ones show. A proposal: an operator knows whether the partition was wider
-- than its rows.
create or replace function partition_archiver.proposed_bounds(p_parent oid, p_lowest text, p_highest text,
  p_time_zone text,
    out lower_bound text, out upper_bound text)
  language plpgsql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC'
    set datestyle = 'ISO, YMD' as $$
declare
  v_set record;
  v_step interval;
  v_base timestamp;
  v_low timestamp;
  v_high timestamp;
  v_count bigint;
  v_upper_count bigint;
  v_origin numeric;
  v_number numeric;
begin
  select * into v_set from partition_archiver.partition_set(p_parent);
  if v_set.control_kind = 'id' then
    v_number := v_set.partition_interval::numeric;
    select coalesce(max(a.lower_bound::numeric), 0) into v_origin
      from partition_archiver.attached_partitions(p_parent, p_time_zone) a
     where a.lower_bound ~ '^-?[0-9]+$';
    lower_bound := (v_origin + floor((p_lowest::numeric - v_origin) / v_number) * v_number)::text;
    upper_bound := (v_origin + (floor((p_highest::numeric - v_origin) / v_number) + 1) * v_number)::text;
    return;
  end if;
  v_step := v_set.partition_interval::interval;
  -- By the clock of the set: its months begin there at midnight, summer or winter.
  v_low := partition_archiver.bound_time(p_lowest, v_set.control_type, v_set.epoch,
    p_time_zone) at time zone p_time_zone;
  v_high := partition_archiver.bound_time(p_highest, v_set.control_type, v_set.epoch,
    p_time_zone) at time zone p_time_zone;
  -- Without attached partitions: whole weeks from a Monday, everything else from the turn of a century.
  select coalesce(min(a.lower_time) at time zone p_time_zone,
           case when v_step = interval '7 days' then timestamp '2001-01-01' else timestamp '2000-01-01' end)
    into v_base from partition_archiver.attached_partitions(p_parent, p_time_zone) a
      where isfinite(a.lower_time);
  -- Months differ in length, so the estimate is off by a few at most.
  v_count := floor(extract(epoch from v_low - v_base) / extract(epoch from v_step))::bigint;
  while v_base + v_count * v_step > v_low loop v_count := v_count - 1; end loop;
  while v_base + (v_count + 1) * v_step <= v_low loop v_count := v_count + 1; end loop;
  v_upper_count := greatest(v_count + 1, floor(extract(epoch from v_high - v_base) / extract(epoch
    from v_step))::bigint);
  while v_base + v_upper_count * v_step <= v_high loop v_upper_count := v_upper_count + 1; end loop;
  while v_upper_count > v_count + 1
    and v_base + (v_upper_count - 1) * v_step > v_high loop v_upper_count := v_upper_count - 1; end loop;
  lower_bound := partition_archiver.time_bound((v_base + v_count * v_step) at time zone p_time_zone,
    v_set.control_type, v_set.epoch, p_time_zone);
  upper_bound := partition_archiver.time_bound((v_base + v_upper_count * v_step) at time zone p_time_zone,
    v_set.control_type, v_set.epoch, p_time_zone);
end
$$;

reset role;
