-- Progress: the numbers that alarms and the dashboard are made of, and the history of runs.

set role archiver_owner;

-- Records a run. A report that is tried again records the same run again. Segments without rows are not
-- counted as read twice: about them, any two readings agree.
create or replace function partition_archiver.record_run(
    p_started_at timestamptz, p_mode text, p_dry_run boolean, p_partition_sets jsonb,
    p_archived integer, p_dropped integer, p_failed integer, p_stream_version text) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into partition_archiver.run (started_at, mode, dry_run, partition_sets, archived, dropped, failed,
    stream_version, read_twice)
  values (p_started_at, p_mode, p_dry_run,
          coalesce((select array_agg(s) from jsonb_array_elements_text(p_partition_sets) s), '{}'),
            p_archived, p_dropped, p_failed, p_stream_version,
          (select count(*) from partition_archiver.segment s
            where s.stream_version = p_stream_version and s.proof = 'two-readings' and s.row_count > 0
              and partition_archiver.is_proven(s) and s.verified_at >= p_started_at))
  on conflict (started_at) do update
    set finished_at = excluded.finished_at, archived = excluded.archived, dropped = excluded.dropped,
      failed = excluded.failed, read_twice = excluded.read_twice
$$;

-- Days since the last run in which nothing failed; null where there was none.
create or replace function partition_archiver.days_since_successful_run() returns double precision
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return extract(epoch from clock_timestamp() - (select max(finished_at) from partition_archiver.run
                                                  where failed = 0 and not dry_run)) / 86400;

-- Days since the oldest conversion of a plain table began whose tables have not changed places; 0 where there
-- is none. Until it is swapped or rolled back, each changed row of its table is logged.
create or replace function partition_archiver.days_in_partitioning() returns double precision
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return coalesce(extract(epoch from clock_timestamp() - (
    select min(began_at) from partition_archiver.partition_job
     where state in ('begun', 'copying', 'copied', 'checked') and database_name = current_database()
       and system_identifier = partition_archiver.system_identifier())) / 86400, 0);

-- How far the archiver has come with a set. Sizes are those that the last VACUUM or ANALYZE saw: asking for
-- the real ones would wait for every lock on every partition.
--
-- overdue_days: for how long the oldest partition that is not archived has been past its retention, 0 where
-- there is none, null for an id set. days_since_run: since the last whole run, or since the set was first
-- seen.
create or replace function partition_archiver.progress(p_parent oid, p_partition_set text,
  p_reference_time timestamptz default now(),
    out attached bigint, out waiting bigint, out verified bigint, out due bigint, out blocked bigint,
      out dropped bigint,
    out overdue_days double precision, out days_since_run double precision,
    out attached_bytes bigint, out archived_bytes bigint, out freed_bytes bigint)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_set record;
  -- Apart, since the arguments of an aggregate are evaluated whatever the CASE around it says.
  v_retention interval;
begin
  select * into v_set from partition_archiver.partition_set(p_parent);
  v_retention := case when v_set.control_kind = 'time' then v_set.retention::interval end;
  select count(*) filter (where l.state = 'attached'),
         count(*) filter (where l.state in ('detached', 'quarantined', 'exported')),
         count(*) filter (where l.state = 'verified'),
         count(*) filter (where l.state = 'verified' and l.drop_after <= p_reference_time),
         count(*) filter (where l.state = 'blocked'),
         count(*) filter (where l.state = 'dropped'),
         coalesce(sum(l.byte_count) filter (where l.manifest_version_id is not null), 0),
         coalesce(sum(l.table_bytes) filter (where l.state = 'dropped'), 0),
         case when v_set.control_kind = 'time' then
           coalesce(max(extract(epoch from p_reference_time - (l.upper_time + v_retention)) / 86400)
             filter (where l.upper_time + v_retention <= p_reference_time
               and l.manifest_version_id is null
                       and l.state in ('attached', 'detached', 'quarantined', 'exported', 'blocked')), 0) end,
         extract(epoch from p_reference_time - coalesce(
           (select max(r.finished_at) from partition_archiver.run r
             where r.mode = 'archive' and not r.dry_run and p_partition_set = any (r.partition_sets)),
           min(l.first_seen_at), p_reference_time)) / 86400
    into attached, waiting, verified, due, blocked, dropped, archived_bytes, freed_bytes, overdue_days,
      days_since_run
    from partition_archiver.partition l
   where l.parent_oid = p_parent and l.system_identifier = partition_archiver.system_identifier()
     and l.database_name = current_database();
  select coalesce(sum(c.relpages::bigint + coalesce(t.relpages, 0)
                      + coalesce((select sum(x.relpages) from pg_index n
                        join pg_class x on x.oid = n.indexrelid
                                   where n.indrelid in (c.oid, t.oid)), 0)),
                                     0) * current_setting('block_size')::bigint
    into attached_bytes
    from pg_inherits i join pg_class c on c.oid = i.inhrelid left join pg_class t on t.oid = c.reltoastrelid
   where i.inhparent = p_parent;
end
$$;

reset role;
