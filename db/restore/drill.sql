-- Restore drill: an archive is restored out of sight, proven, and dropped again. What counts is the age of
-- the last successful one.

set role archiver_owner;

create table if not exists partition_archiver.drill (
  id bigint generated always as identity primary key,
  restore_id bigint not null unique references partition_archiver.restore (id),
  archive_id uuid not null,
  manifest_key text not null,
  row_count bigint not null,
  byte_count bigint not null,
  began_at timestamptz not null,
  ended_at timestamptz not null default clock_timestamp(),
  actor name not null default session_user
);

-- Ends a drill that is proven: records it and drops its table, in one transaction. Returns {manifestKey,
-- rows, bytes, seconds, unmade}; the same again where it was ended already.
create or replace function partition_archiver.finish_drill(p_id bigint) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  r partition_archiver.restore;
begin
  select * into r from partition_archiver.restore where id = p_id for update;
  if not exists (select from partition_archiver.drill where restore_id = p_id) then
    if r.drill is not true or r.state is distinct from 'proven' then
      raise exception 'restore % is no drill that is proven', p_id using errcode = 'PA001'; -- StateConflict
    end if;
    insert into partition_archiver.drill (restore_id, archive_id, manifest_key, row_count, byte_count,
      began_at)
      values (r.id, r.archive_id, r.manifest_key, r.row_count, r.byte_count, r.began_at);
    perform partition_archiver.cancel_restore(p_id);
  end if;
  return (select jsonb_build_object('manifestKey', manifest_key, 'rows', row_count, 'bytes', byte_count,
                                    'seconds', round(extract(epoch from d.ended_at - d.began_at)), 'unmade',
                                      r.unmade)
            from partition_archiver.drill d where restore_id = p_id);
end
$$;

-- Drops what drills have left behind that were never ended: those begun longer ago than a drill may take.
-- Returns the numbers of those that cannot be dropped now: another session holds the table, or something was
-- made that needs it.
create or replace function partition_archiver.cancel_old_drills(p_older_than interval) returns bigint[]
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  v_id bigint;
  v_left bigint[] := '{}';
begin
  for v_id in select id from partition_archiver.restore
               where drill and state in ('begun', 'proven') and began_at < clock_timestamp() - p_older_than
               order by id
  loop
    begin
      perform partition_archiver.cancel_restore(v_id);
    exception when lock_not_available or dependent_objects_still_exist then
      v_left := v_left || v_id;
    end;
  end loop;
  return v_left;
end
$$;

-- Days since something good happened; where it never did, since the archiver's first run. Null before that.
create or replace function partition_archiver.days_since(p_last timestamptz) returns double precision
  language sql stable set search_path = pg_catalog, pg_temp
  return extract(epoch from clock_timestamp() - coalesce(p_last,
    (select min(started_at) from partition_archiver.run))) / 86400;

-- Days since the last successful drill.
create or replace function partition_archiver.days_since_drill() returns double precision
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return partition_archiver.days_since((select max(ended_at) from partition_archiver.drill));

reset role;
