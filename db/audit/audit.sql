-- Audits: what counts is the age of the last one that found every archive that it read whole.

set role archiver_owner;

create table if not exists partition_archiver.audit (
  execution text primary key,
  archives bigint not null,
  segments_read bigint not null,
  bytes_read bigint not null,
  ended_at timestamptz not null default clock_timestamp(),
  actor name not null default session_user
);

-- Records a good audit; the same one once, however often it is told.
create or replace function partition_archiver.record_audit(
    p_execution text, p_archives bigint, p_segments_read bigint, p_bytes_read bigint) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into partition_archiver.audit (execution, archives, segments_read, bytes_read)
  values (p_execution, p_archives, p_segments_read, p_bytes_read)
  on conflict (execution) do nothing
$$;

-- Days since the last successful audit.
create or replace function partition_archiver.days_since_audit() returns double precision
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return partition_archiver.days_since((select max(ended_at) from partition_archiver.audit));

reset role;
