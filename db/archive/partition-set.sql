-- Partition sets: what pg_partman manages, and the bounds of what is attached.

set role archiver_owner;

-- The schema of pg_partman; null where it is not installed.
create or replace function partition_archiver.partman_schema() returns name
  language sql stable set search_path = pg_catalog, pg_temp
  return (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
           where e.extname = 'pg_partman');

-- One row of pg_partman's configuration; none where the table is no partition set that can be archived.
-- Both pg_partman 4 and 5 have the columns read here.
create or replace function partition_archiver.partition_set(p_parent oid)
  returns table (
    parent_oid oid, parent_schema name, parent_name name, parent_owner name, control_column name,
      control_type regtype,
    control_kind text, epoch text, retention text, retention_schema text, retention_keep_table boolean,
    partition_interval text, default_oid oid)
  -- With the thousand rows that the planner takes for granted, a join with it reads the children of all sets.
  language plpgsql stable rows 1 security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_partman name := partition_archiver.partman_schema();
  v_name text := (select n.nspname || '.' || c.relname from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
                   where c.oid = p_parent);
  p record;
begin
  if v_partman is null then
    return;
  end if;
  -- Only this has to be planned at each call, since the extension's schema is not known beforehand.
  execute format('select control, coalesce(epoch, ''none'') as epoch, retention, retention_schema,
                         retention_keep_table, partition_interval::text as partition_interval
                    from %I.part_config where parent_table = $1', v_partman)
    into p using v_name;
  return query
    select c.oid, n.nspname, c.relname, pg_get_userbyid(c.relowner), a.attname, a.atttypid::regtype,
           case when a.atttypid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
             or p.epoch <> 'none' then 'time'
                when a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype,
                  'numeric'::regtype) then 'id' end,
           p.epoch, p.retention, p.retention_schema, p.retention_keep_table, p.partition_interval,
             nullif(t.partdefid, 0)
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_partitioned_table t on t.partrelid = c.oid
      -- A configuration that names another column than the key is of a set that was changed since.
      join pg_attribute a on a.attrelid = c.oid and a.attname = p.control and not a.attisdropped
        and a.attnum = t.partattrs[0]
     where c.oid = p_parent and t.partstrat = 'r' and t.partnatts = 1;
end
$$;

-- Why the archiver cannot work with the key of a set; null where it can, and of a table that is no set.
create or replace function partition_archiver.key_problem(p_parent oid) returns text
  language sql stable set search_path = pg_catalog, pg_temp
  return (
    select format('control column %I of type %s (epoch %s) is not supported', s.control_column,
      s.control_type, s.epoch)
      from partition_archiver.partition_set(p_parent) s
     where s.control_kind is null
        or s.epoch not in ('none', 'seconds', 'milliseconds', 'microseconds', 'nanoseconds'));

-- PreflightFailed where there is such a problem: nothing says which of the set's partitions are old.
create or replace function partition_archiver.assert_key(p_parent oid) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_problem constant text := partition_archiver.key_problem(p_parent);
begin
  if v_problem is not null then
    raise exception 'its %', v_problem using errcode = 'PA010'; -- PreflightFailed
  end if;
end
$$;

-- A bound as a point in time. p_bound is text as pg_get_expr prints it under the pins of record_inventory; an
-- epoch set counts seconds, milliseconds, microseconds or nanoseconds since 1970.
create or replace function partition_archiver.bound_time(p_bound text, p_type regtype, p_epoch text,
  p_time_zone text)
  returns timestamptz language plpgsql stable
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
begin
  return case
    when p_epoch = 'seconds' then to_timestamp(p_bound::numeric::double precision)
    when p_epoch = 'milliseconds' then to_timestamp((p_bound::numeric / 1000)::double precision)
    when p_epoch = 'microseconds' then to_timestamp((p_bound::numeric / 1000000)::double precision)
    when p_epoch = 'nanoseconds' then to_timestamp((p_bound::numeric / 1000000000)::double precision)
    when p_type = 'timestamptz'::regtype then p_bound::timestamptz
    when p_type in ('date'::regtype, 'timestamp'::regtype) then p_bound::timestamp at time zone p_time_zone
  end;
end
$$;

-- The bounds of a partition as points in time, by the configuration that its set has now. Both are null where
-- they do not lie in p_period, which was made of them while the partition was attached: the set had another
-- type, epoch or key then. Without p_time_zone they are null, since the period is made in it.
create or replace function partition_archiver.bound_times(p_lower text, p_upper text, p_type regtype,
  p_epoch text, p_time_zone text, p_period text, out lower_time timestamptz, out upper_time timestamptz)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  lower_time := partition_archiver.bound_time(p_lower, p_type, p_epoch, p_time_zone);
  upper_time := partition_archiver.bound_time(p_upper, p_type, p_epoch, p_time_zone);
  if partition_archiver.period(lower_time, upper_time, p_lower, p_time_zone) is distinct from p_period then
    lower_time := null;
    upper_time := null;
  end if;
exception when data_exception then
  lower_time := null;
  upper_time := null;
end
$$;

-- The <period> of the keys in S3, from the recorded bounds and never from a name: 2021, 202101, 20210131,
-- 20210131T060000 in the set's time zone, and BC behind a time before Christ; for an id set, and for one that
-- begins at -infinity, the lower bound itself.
create or replace function partition_archiver.period(
    p_lower timestamptz, p_upper timestamptz, p_lower_bound text, p_time_zone text)
  returns text language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return case
    when p_lower is null or not isfinite(p_lower) then p_lower_bound
    when date_trunc('year', p_lower at time zone p_time_zone) = p_lower at time zone p_time_zone
         and p_upper at time zone p_time_zone >= p_lower at time zone p_time_zone + interval '1 year'
      then to_char(p_lower at time zone p_time_zone, 'YYYY')
    when date_trunc('month', p_lower at time zone p_time_zone) = p_lower at time zone p_time_zone
         and p_upper at time zone p_time_zone >= p_lower at time zone p_time_zone + interval '1 month'
      then to_char(p_lower at time zone p_time_zone, 'YYYYMM')
    when date_trunc('day', p_lower at time zone p_time_zone) = p_lower at time zone p_time_zone
         and p_upper at time zone p_time_zone >= p_lower at time zone p_time_zone + interval '1 day'
      then to_char(p_lower at time zone p_time_zone, 'YYYYMMDD')
    else to_char(p_lower at time zone p_time_zone, 'YYYYMMDD"T"HH24MISS')
  end || case when isfinite(p_lower) and extract(year from p_lower at time zone p_time_zone) < 0 then 'BC'
    else '' end;
end
$$;

-- The attached children of a partition set with their bounds, as the ledger records them. The text of a bound
-- depends on TimeZone and DateStyle, so both are pinned here. Each step is materialized: the planner would
-- put a bound's expression wherever its text is used, and have it taken apart eight times.
create or replace function partition_archiver.attached_partitions(
    p_parent oid, p_control_type regtype, p_epoch text, p_time_zone text)
  returns table (
    table_oid oid, table_schema name, table_name name, bounds text, lower_bound text, upper_bound text,
    lower_time timestamptz, upper_time timestamptz, period text)
  language plpgsql stable rows 50
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD'
    set quote_all_identifiers = off as $$
begin
  return query
    with b as materialized (
      select c.oid, n.nspname, c.relname, pg_get_expr(c.relpartbound, c.oid) as bounds
        from pg_inherits i
        join pg_class c on c.oid = i.inhrelid
        join pg_namespace n on n.oid = c.relnamespace
       where i.inhparent = p_parent and not i.inhdetachpending and c.relispartition),
    e as materialized (
      select b.*, regexp_match(b.bounds, '^FOR VALUES FROM \(''?([^''()]+)''?\) TO \(''?([^''()]+)''?\)$')
        as ends from b),
    t as materialized (
      -- Null where the set counts ids.
      select e.*, partition_archiver.bound_time(e.ends[1], p_control_type, p_epoch,
        p_time_zone) as lower_time,
             partition_archiver.bound_time(e.ends[2], p_control_type, p_epoch, p_time_zone) as upper_time
        from e where e.ends is not null and not ('MINVALUE' = any (e.ends) or 'MAXVALUE' = any (e.ends)))
    select t.oid, t.nspname, t.relname, t.bounds, t.ends[1], t.ends[2], t.lower_time, t.upper_time,
           partition_archiver.period(t.lower_time, t.upper_time, t.ends[1], p_time_zone)
      from t;
end
$$;

-- The same for a caller that has not read the set's configuration yet; none of a table that is no set.
create or replace function partition_archiver.attached_partitions(p_parent oid, p_time_zone text)
  returns table (
    table_oid oid, table_schema name, table_name name, bounds text, lower_bound text, upper_bound text,
    lower_time timestamptz, upper_time timestamptz, period text)
  language plpgsql stable rows 50 set search_path = pg_catalog, pg_temp as $$
begin
  return query
    select a.* from partition_archiver.partition_set(p_parent) s,
           partition_archiver.attached_partitions(s.parent_oid, s.control_type, s.epoch, p_time_zone) a;
end
$$;

reset role;
