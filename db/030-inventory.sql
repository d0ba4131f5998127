-- Inventory: what pg_partman manages, which partitions are attached, and which no longer are.

set role archive_owner;

-- One row of pg_partman's configuration; none where the table is no partition set that can be archived.
-- Both pg_partman 4 and 5 have the columns read here.
create or replace function partition_archiver.partition_set(p_parent oid)
  returns table (
    parent_oid oid, parent_schema name, parent_name name, parent_owner name, control_column name, control_type regtype,
    control_kind text, epoch text, retention text, retention_schema text, retention_keep_table boolean,
    partition_interval text, default_oid oid)
  -- With the thousand rows that the planner takes for granted, whoever joins with it reads the children of all sets.
  language plpgsql stable rows 1 security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_partman name := (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
                      where e.extname = 'pg_partman');
begin
  if v_partman is null then
    return;
  end if;
  return query execute format($query$
    select c.oid, n.nspname, c.relname, pg_get_userbyid(c.relowner), a.attname, a.atttypid::regtype,
           case when a.atttypid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
                     or coalesce(p.epoch, 'none') <> 'none' then 'time'
                when a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype) then 'id' end,
           coalesce(p.epoch, 'none'), p.retention, p.retention_schema, p.retention_keep_table,
           p.partition_interval::text, nullif(t.partdefid, 0)
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_partitioned_table t on t.partrelid = c.oid
      join %1$I.part_config p on p.parent_table = n.nspname || '.' || c.relname
      join pg_attribute a on a.attrelid = c.oid and a.attname = p.control and not a.attisdropped
     where c.oid = $1 and t.partstrat = 'r' and t.partnatts = 1$query$, v_partman)
    using p_parent;
end
$$;

-- A bound as a point in time. p_bound is text as pg_get_expr prints it under the pins of record_inventory; an epoch
-- set counts seconds, milliseconds, microseconds or nanoseconds since 1970.
create or replace function partition_archiver.bound_time(p_bound text, p_type regtype, p_epoch text, p_time_zone text)
  returns timestamptz language sql stable
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD'
  return case
    when p_epoch = 'seconds' then to_timestamp(p_bound::numeric::double precision)
    when p_epoch = 'milliseconds' then to_timestamp((p_bound::numeric / 1000)::double precision)
    when p_epoch = 'microseconds' then to_timestamp((p_bound::numeric / 1000000)::double precision)
    when p_epoch = 'nanoseconds' then to_timestamp((p_bound::numeric / 1000000000)::double precision)
    when p_type = 'timestamptz'::regtype then p_bound::timestamptz
    when p_type in ('date'::regtype, 'timestamp'::regtype) then p_bound::timestamp at time zone p_time_zone
  end;

-- The <period> of the keys in S3, from the recorded bounds and never from a name: 2021, 202101, 20210131,
-- 20210131T060000 in the set's time zone; for an id set the lower bound itself.
create or replace function partition_archiver.period(
    p_lower timestamptz, p_upper timestamptz, p_lower_bound text, p_time_zone text)
  returns text language sql stable set search_path = pg_catalog, pg_temp
  return case
    when p_lower is null then p_lower_bound
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
  end;

-- The attached children of a partition set with their bounds, as the ledger records them. The text of a bound depends
-- on TimeZone and DateStyle, so both are pinned here.
create or replace function partition_archiver.attached_partitions(p_parent oid, p_time_zone text)
  returns table (
    table_oid oid, table_schema name, table_name name, bounds text, lower_bound text, upper_bound text,
    lower_time timestamptz, upper_time timestamptz, period text)
  language sql stable
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' set quote_all_identifiers = off as $$
  select b.oid, b.nspname, b.relname, b.bounds, b.ends[1], b.ends[2], t.lower_time, t.upper_time,
         partition_archiver.period(t.lower_time, t.upper_time, b.ends[1], p_time_zone)
    from partition_archiver.partition_set(p_parent) s,
         lateral (
           select c.oid, n.nspname, c.relname, pg_get_expr(c.relpartbound, c.oid) as bounds,
                  regexp_match(pg_get_expr(c.relpartbound, c.oid),
                    '^FOR VALUES FROM \(''?([^'']+?)''?\) TO \(''?([^'']+?)''?\)$') as ends
             from pg_inherits i
             join pg_class c on c.oid = i.inhrelid
             join pg_namespace n on n.oid = c.relnamespace
            where i.inhparent = s.parent_oid and not i.inhdetachpending and c.relispartition) b,
         lateral (
           select case when s.control_kind = 'time'
                       then partition_archiver.bound_time(b.ends[1], s.control_type, s.epoch, p_time_zone) end as lower_time,
                  case when s.control_kind = 'time'
                       then partition_archiver.bound_time(b.ends[2], s.control_type, s.epoch, p_time_zone) end as upper_time
            where b.ends is not null and not ('MINVALUE' = any (b.ends) or 'MAXVALUE' = any (b.ends))) t
$$;

-- Writes the attached children into the ledger, and finds those that are attached no longer. Call it before and after
-- maintenance. Answers how many rows are new, and how many changed to detached, missing and blocked.
create or replace function partition_archiver.record_inventory(
    p_parent oid, p_time_zone text,
    out attached integer, out added integer, out detached integer, out missing integer, out blocked integer)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_system bigint := partition_archiver.this_system();
  v_set record;
begin
  select * into v_set from partition_archiver.partition_set(p_parent);
  if not found then
    raise exception 'table with oid % is not a range partition set of pg_partman with one control column', p_parent
      using errcode = 'PA010';
  end if;

  insert into partition_archiver.partition as l (
      system_identifier, database_name, table_oid, table_schema, table_name, parent_oid, parent_schema, parent_name,
      control_column, control_kind, bounds, lower_bound, upper_bound, lower_time, upper_time, period, attach_statement,
      last_attached_at)
    select v_system, current_database(), a.table_oid, a.table_schema, a.table_name,
           v_set.parent_oid, v_set.parent_schema, v_set.parent_name, v_set.control_column, v_set.control_kind,
           a.bounds, a.lower_bound, a.upper_bound, a.lower_time, a.upper_time, a.period,
           format('alter table %I.%I attach partition %I.%I %s',
                  v_set.parent_schema, v_set.parent_name, a.table_schema, a.table_name, a.bounds),
           now()
      from partition_archiver.attached_partitions(p_parent, p_time_zone) a
     order by a.lower_time, a.table_oid
    on conflict (system_identifier, database_name, table_oid) where state not in ('dropped', 'missing')
    do update set
      table_schema = excluded.table_schema, table_name = excluded.table_name,
      parent_oid = excluded.parent_oid, parent_schema = excluded.parent_schema, parent_name = excluded.parent_name,
      control_column = excluded.control_column, control_kind = excluded.control_kind,
      bounds = excluded.bounds, lower_bound = excluded.lower_bound, upper_bound = excluded.upper_bound,
      lower_time = excluded.lower_time, upper_time = excluded.upper_time, period = excluded.period,
      attach_statement = excluded.attach_statement, last_attached_at = now(), state = 'attached'
    where l.state in ('attached', 'detached')
      and (l.state, l.table_schema, l.table_name, l.parent_oid, l.parent_schema, l.parent_name, l.control_column, l.bounds, l.period)
          is distinct from ('attached', excluded.table_schema, excluded.table_name, excluded.parent_oid,
             excluded.parent_schema, excluded.parent_name, excluded.control_column, excluded.bounds, excluded.period);

  select count(*) filter (where l.state = 'attached'), count(*) filter (where l.first_seen_at = now())
    into attached, added
    from partition_archiver.partition l
   where l.parent_oid = p_parent and l.system_identifier = v_system and l.database_name = current_database();

  -- In the ledger, but not in the catalog as it was: detached, gone, or no longer what it was.
  with found as (
    select k.id, k.state, c.oid is null as gone, n.nspname, c.relname,
           c.relname = k.table_name and n.nspname in (k.table_schema, coalesce(v_set.retention_schema, k.table_schema)) as same
      from partition_archiver.partition k
      left join pg_class c on c.oid = k.table_oid
      left join pg_namespace n on n.oid = c.relnamespace
     where k.parent_oid = p_parent and k.system_identifier = v_system and k.database_name = current_database()
       and (k.state = 'attached' and not exists (select from pg_inherits i where i.inhrelid = k.table_oid)
            or k.state in ('detached', 'quarantined', 'exported', 'verified', 'restored', 'released') and c.oid is null)),
  changed as (
    update partition_archiver.partition l
       set state = case when f.gone then 'missing' when f.same then 'detached' else 'blocked' end,
           table_schema = case when f.same then f.nspname else l.table_schema end,
           blocked_state = case when not f.gone and not f.same then 'attached' end,
           blocked_code = case when not f.gone and not f.same then 'IdentityChanged' end,
           blocked_reason = case when not f.gone and not f.same
             then format('detached and then renamed or moved by somebody: it is now %I.%I', f.nspname, f.relname) end
      from found f
     where f.id = l.id
    returning l.state)
  select count(*) filter (where state = 'detached'), count(*) filter (where state = 'missing'),
         count(*) filter (where state = 'blocked')
    into detached, missing, blocked from changed;
end
$$;

-- The highest value of the control column of an id set: that of its highest attached partition with rows in it.
create or replace function partition_archiver.highest_id(p_parent oid) returns numeric
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set row_security = off as $$
declare
  v_child record;
  v_max numeric;
begin
  for v_child in
    select a.table_schema, a.table_name, s.control_column
      from partition_archiver.partition_set(p_parent) s, partition_archiver.attached_partitions(p_parent, 'UTC') a
     where a.lower_bound ~ '^-?[0-9.]+$' order by a.lower_bound::numeric desc
  loop
    execute format('select max(%I)::numeric from %I.%I', v_child.control_column, v_child.table_schema, v_child.table_name)
      into v_max;
    exit when v_max is not null;
  end loop;
  return v_max;
end
$$;

-- The partitions of a set that there is work for, oldest bounds first. A detached partition counts only if its recorded
-- upper bound, not its name, lies past the retention: pg_partman detaches by the lower bound plus one interval, which
-- is too early for a wide partition (pg_partman issue 776).
create or replace function partition_archiver.candidates(p_parent oid, p_reference_time timestamptz default now())
  returns table (id bigint, table_schema name, table_name name, lower_bound text, upper_bound text, state text, past_retention boolean,
                 due boolean)
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_set record;
  v_highest numeric;
begin
  select * into v_set from partition_archiver.partition_set(p_parent);
  if v_set.control_kind = 'id' then
    v_highest := partition_archiver.highest_id(p_parent);
  end if;
  return query
    select l.id, l.table_schema, l.table_name, l.lower_bound, l.upper_bound, l.state,
           coalesce(case when v_set.control_kind = 'time'
                         then l.upper_time <= p_reference_time - v_set.retention::interval
                         else l.upper_bound::numeric <= v_highest - v_set.retention::numeric end, false),
           l.drop_after <= now()
      from partition_archiver.partition l
     where l.parent_oid = p_parent and l.state in ('detached', 'quarantined', 'exported', 'verified')
       and l.system_identifier = partition_archiver.this_system() and l.database_name = current_database()
     order by l.lower_time, case when l.control_kind = 'id' then l.lower_bound::numeric end, l.id;
end
$$;

-- How a set stands, by the catalogs: rows in its default partition, partitions in the future, tables that look as if
-- they had been partitions of it but are not in the ledger, and partitions whose DETACH CONCURRENTLY was cancelled half
-- way: their rows are invisible through the parent. These are only reported; an operator adopts the former by OID and
-- finishes the latter.
create or replace function partition_archiver.health(p_parent oid, p_time_zone text,
    out rows_in_default boolean, out future_partitions bigint, out unknown_tables jsonb, out unfinished_detaches jsonb)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set row_security = off as $$
declare
  v_set record;
begin
  select * into v_set from partition_archiver.partition_set(p_parent);
  rows_in_default := false;
  if v_set.default_oid is not null then
    execute format('select exists (select from only %s)', v_set.default_oid::regclass) into rows_in_default;
  end if;
  if v_set.control_kind = 'time' then
    select count(*) into future_partitions from partition_archiver.attached_partitions(p_parent, p_time_zone)
     where lower_time > now();
  end if;
  select coalesce(jsonb_agg(i.inhrelid::regclass::text), '[]') into unfinished_detaches
    from pg_inherits i where i.inhparent = p_parent and i.inhdetachpending;
  -- The same columns in the same order, and a name that pg_partman would make from the parent's, which it cuts off where
  -- the whole would be longer than 63 bytes.
  select coalesce(jsonb_agg(format('%I.%I', n.nspname, c.relname) order by c.relname), '[]') into unknown_tables
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and not c.relispartition
     and n.nspname in (v_set.parent_schema, coalesce(v_set.retention_schema, v_set.parent_schema))
     and c.relname ~ '_p[0-9][0-9_qw]*$'
     and (regexp_replace(c.relname, '_p[0-9][0-9_qw]*$', '') = v_set.parent_name
          or octet_length(c.relname) >= 60 and starts_with(v_set.parent_name, regexp_replace(c.relname, '_p[0-9][0-9_qw]*$', '')))
     and (select array_agg(attname order by attnum) from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped)
       = (select array_agg(attname order by attnum) from pg_attribute where attrelid = p_parent and attnum > 0 and not attisdropped)
     and not exists (select from partition_archiver.partition l where l.table_oid = c.oid
           and l.system_identifier = partition_archiver.this_system() and l.database_name = current_database());
end
$$;

-- What a run would archive, read-only: detached partitions past the retention, and attached ones that maintenance would
-- detach first.
create or replace function partition_archiver.forecast(p_parent oid, p_time_zone text, p_segment_bytes bigint)
  returns table (table_schema name, table_name name, lower_bound text, upper_bound text, attached boolean,
                 estimated_rows bigint, bytes bigint, segments bigint)
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_set record;
  v_highest numeric;
begin
  select * into v_set from partition_archiver.partition_set(p_parent);
  if v_set.control_kind = 'id' then
    v_highest := partition_archiver.highest_id(p_parent);
  end if;
  return query
    with listed as (
      select a.table_oid, a.table_schema, a.table_name, a.lower_bound, a.upper_bound, a.upper_time, true as attached
        from partition_archiver.attached_partitions(p_parent, p_time_zone) a
      union all
      -- Detached already, or by somebody's maintenance since the last inventory.
      select l.table_oid, l.table_schema, l.table_name, l.lower_bound, l.upper_bound, l.upper_time, false
        from partition_archiver.partition l
       where l.parent_oid = p_parent and l.state in ('attached', 'detached', 'quarantined', 'exported')
         and l.system_identifier = partition_archiver.this_system() and l.database_name = current_database()
         and not exists (select from pg_inherits i where i.inhrelid = l.table_oid)
         and exists (select from pg_class c where c.oid = l.table_oid))
    select l.table_schema, l.table_name, l.lower_bound, l.upper_bound, l.attached, c.reltuples::bigint, pg_table_size(c.oid),
           (select count(*) from partition_archiver.plan(c.oid, p_segment_bytes))
      from listed l join pg_class c on c.oid = l.table_oid
     where case when v_set.control_kind = 'time' then l.upper_time <= now() - v_set.retention::interval
                else l.upper_bound::numeric <= v_highest - v_set.retention::numeric end
     order by l.upper_time, l.table_oid;
end
$$;

reset role;
