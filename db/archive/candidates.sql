-- Candidates: the partitions that there is work for, and those that there would be.

set role archiver_owner;

-- The highest value of the control column of an id set: that of its highest attached partition with rows in
-- it.
create or replace function partition_archiver.highest_id(p_parent oid) returns numeric
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set row_security = off as $$
declare
  v_child record;
  v_max numeric;
begin
  for v_child in
    select a.table_schema, a.table_name, s.control_column
      from partition_archiver.partition_set(p_parent) s,
        partition_archiver.attached_partitions(p_parent, 'UTC') a
     where a.lower_bound ~ '^-?[0-9.]+$' order by a.lower_bound::numeric desc
  loop
    execute format('select max(%I)::numeric from %I.%I', v_child.control_column, v_child.table_schema,
      v_child.table_name)
      into v_max;
    exit when v_max is not null;
  end loop;
  return v_max;
end
$$;

-- What decides whether a partition of a set is past its retention. highest_id: null for a set by time.
create or replace function partition_archiver.retention_of(p_parent oid)
  returns table (control_type regtype, control_kind text, epoch text, retention text, highest_id numeric)
  language sql stable rows 1 set search_path = pg_catalog, pg_temp as $$
  select s.control_type, s.control_kind, s.epoch, s.retention,
         case when s.control_kind = 'id' then partition_archiver.highest_id(p_parent) end
    from partition_archiver.partition_set(p_parent) s
$$;

-- What lies an interval before a time, with months and days by the calendar of a time zone, as pg_partman
-- calculates in a session that has it: date_subtract, which PostgreSQL has since 16.
create or replace function partition_archiver.time_before(p_time timestamptz, p_interval interval,
  p_time_zone text) returns timestamptz
  language sql stable
  -- Without days the time is not converted: an hour may be there twice in the zone.
  return case when date_trunc('day', p_interval) = '0' then p_time
              else (p_time at time zone p_time_zone - date_trunc('day', p_interval)) at time zone p_time_zone
              end - (p_interval - date_trunc('day', p_interval));

-- Whether a partition lies past the retention of its set, by its recorded upper bound and not by its name:
-- pg_partman detaches by the lower bound plus one interval, which is too early for a wide partition
-- (pg_partman issue 776). Ids are counted back from the highest one. False where there is no retention, or no
-- id yet, where the recorded bounds are not of the set's kind (a set can be made again with another key), and
-- where the set is of neither kind.
create or replace function partition_archiver.past_retention(
    p_kind text, p_set_kind text, p_retention text, p_upper_time timestamptz, p_upper_bound text,
    p_reference_time timestamptz, p_highest numeric, p_time_zone text)
  returns boolean language sql stable
  -- The kind of the set comes first: it is a constant of the query, so that the planner, which evaluates
  -- constants, leaves the other branch out and does not read its retention as the other kind.
  return coalesce(case p_set_kind
                    when 'time' then p_kind = 'time' and p_upper_time <= partition_archiver.time_before(
                      p_reference_time, p_retention::interval, coalesce(p_time_zone, 'UTC'))
                    when 'id' then case when p_kind = 'id'
                      then p_upper_bound::numeric <= p_highest - p_retention::numeric end end, false);

-- The partitions of a set that there is work for, oldest bounds first. PreflightFailed by assert_key().
create or replace function partition_archiver.candidates(p_parent oid,
  p_reference_time timestamptz default now())
  returns table (id bigint, table_schema name, table_name name, lower_bound text, upper_bound text,
    state text, past_retention boolean,
                 due boolean)
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_set record;
begin
  perform partition_archiver.assert_key(p_parent);
  select * into v_set from partition_archiver.retention_of(p_parent);
  return query
    select l.id, l.table_schema, l.table_name, l.lower_bound, l.upper_bound, l.state,
           partition_archiver.past_retention(l.control_kind, v_set.control_kind, v_set.retention,
             l.upper_time, l.upper_bound, p_reference_time, v_set.highest_id, l.time_zone),
           l.drop_after <= now()
      from partition_archiver.partition l
     where l.parent_oid = p_parent and l.state in ('detached', 'quarantined', 'exported', 'verified')
       and l.system_identifier = partition_archiver.system_identifier()
       and l.database_name = current_database()
     order by l.lower_time, case when l.control_kind = 'id' then l.lower_bound::numeric end, l.id;
end
$$;

-- The attached partitions of a set that lie past its retention, oldest bounds first: what maintenance
-- detaches.
create or replace function partition_archiver.expiring(p_parent oid, p_time_zone text)
  returns table (table_oid oid, table_schema name, table_name name)
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_set record;
begin
  select * into v_set from partition_archiver.retention_of(p_parent);
  return query
    select a.table_oid, a.table_schema, a.table_name
      from partition_archiver.attached_partitions(p_parent, v_set.control_type, v_set.epoch, p_time_zone) a
     where partition_archiver.past_retention(v_set.control_kind, v_set.control_kind, v_set.retention,
       a.upper_time, a.upper_bound, now(), v_set.highest_id, p_time_zone)
     order by a.upper_time, case when v_set.control_kind = 'id' then a.upper_bound::numeric end, a.table_oid;
end
$$;

-- What a run would archive, read-only: detached partitions past the retention, and attached ones that
-- maintenance would detach first. PreflightFailed by assert_key().
create or replace function partition_archiver.forecast(p_parent oid, p_time_zone text, p_segment_bytes bigint)
  returns table (table_schema name, table_name name, lower_bound text, upper_bound text, attached boolean,
                 estimated_rows bigint, bytes bigint, segments bigint)
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_set record;
begin
  perform partition_archiver.assert_key(p_parent);
  select * into v_set from partition_archiver.retention_of(p_parent);
  return query
    with listed as (
      select a.table_oid, a.table_schema, a.table_name, a.lower_bound, a.upper_bound, a.upper_time,
        v_set.control_kind, true as attached
        from partition_archiver.attached_partitions(p_parent, p_time_zone) a
      union all
      -- Detached already, or by another session's maintenance since the last inventory.
      select l.table_oid, l.table_schema, l.table_name, l.lower_bound, l.upper_bound, l.upper_time,
        l.control_kind, false
        from partition_archiver.partition l
       where l.parent_oid = p_parent and l.state in ('attached', 'detached', 'quarantined', 'exported')
         and l.system_identifier = partition_archiver.system_identifier()
         and l.database_name = current_database()
         and not exists (select from pg_inherits i where i.inhrelid = l.table_oid)
         and exists (select from pg_class c where c.oid = l.table_oid))
    select l.table_schema, l.table_name, l.lower_bound, l.upper_bound, l.attached, c.reltuples::bigint,
      pg_table_size(c.oid),
           (select count(*) from partition_archiver.plan(c.oid, p_segment_bytes))
      from listed l join pg_class c on c.oid = l.table_oid
     where partition_archiver.past_retention(l.control_kind, v_set.control_kind, v_set.retention,
       l.upper_time, l.upper_bound, now(), v_set.highest_id, p_time_zone)
     order by l.upper_time, l.table_oid;
end
$$;

-- What a run would drop, read-only: verified partitions whose grace period is over, as schedule_drop counts
-- it where no drop is scheduled yet. table_bytes: the size that the table had when its archive was committed.
create or replace function partition_archiver.forecast_drops(p_parent oid, p_grace_days numeric)
  returns table (table_schema name, table_name name, lower_bound text, upper_bound text, row_count bigint,
    table_bytes bigint)
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select l.table_schema, l.table_name, l.lower_bound, l.upper_bound, l.row_count, l.table_bytes
    from partition_archiver.partition l
   where l.parent_oid = p_parent and l.state = 'verified'
     and coalesce(l.drop_after, l.verified_at + make_interval(secs => p_grace_days * 86400)) <= now()
     and l.system_identifier = partition_archiver.system_identifier()
     and l.database_name = current_database()
   order by l.upper_time, l.id
$$;

reset role;
