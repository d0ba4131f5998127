-- The ledger: one row for each partition ever seen, the plan of its segments, and the trail of what happened
-- to it. Safe to run again; tables are only ever added to.

set role archiver_owner;

-- Which database this is: compared with every ledger row before anything is done with it. In plpgsql, since
-- an inventory asks many times and only plpgsql keeps its plans.
create or replace function partition_archiver.system_identifier() returns bigint
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (pg_catalog.pg_control_system()).system_identifier;
end
$$;
create or replace function partition_archiver.database_oid() returns oid
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (select oid from pg_catalog.pg_database where datname = current_database());
end
$$;

create table if not exists partition_archiver.partition (
  id bigint generated always as identity primary key,

  -- Identity. An OID alone is none for ever, and a ledger copied into another database must do no harm.
  system_identifier bigint not null,
  database_name name not null,
  table_oid oid not null,
  table_schema name not null,
  table_name name not null,
  parent_oid oid not null,
  parent_schema name not null,
  parent_name name not null,

  -- Bounds, as they were while the partition was attached (a plain DETACH loses them).
  control_column name not null,
  control_kind text not null check (control_kind in ('time', 'id')),
  bounds text not null,
  lower_bound text not null,
  upper_bound text not null,
  lower_time timestamptz,
  upper_time timestamptz,
  period text not null,
  attach_statement text not null,

  state text not null default 'attached' check (state in
    ('attached', 'detached', 'quarantined', 'exported', 'verified', 'dropped', 'restored', 'released',
      'missing', 'blocked')),
  blocked_state text,
  blocked_code text,
  blocked_reason text,

  -- Quarantine.
  archive_id uuid unique,
  quarantine_name name,
  original_owner name,
  original_names jsonb,
  seal jsonb,
  ddl jsonb,
  column_list text,

  -- Archive.
  row_count bigint check (row_count >= 0),
  byte_count bigint check (byte_count >= 0),
  manifest_key text,
  manifest_version_id text,
  manifest_sha256 text,
  drop_after timestamptz,

  first_seen_at timestamptz not null default now(),
  last_attached_at timestamptz,
  quarantined_at timestamptz,
  exported_at timestamptz,
  verified_at timestamptz,
  dropped_at timestamptz,
  failed_at timestamptz,
  failed_code text,
  failed_reason text,

  check ((state = 'blocked') = (blocked_reason is not null)),
  check (state not in ('quarantined', 'exported', 'verified')
    or (archive_id is not null and seal is not null)),
  check (state not in ('verified', 'dropped') or (manifest_version_id is not null and row_count is not null))
);

-- How large the table was when its archive was committed, so that one can say how much its drop gave back.
alter table partition_archiver.partition add column if not exists table_bytes bigint check (table_bytes >= 0);

-- Whether the manifest says that the rows were counted over the whole table.
alter table partition_archiver.partition add column if not exists counted_whole boolean;

-- Time zone of the partition set, in which lower_time, upper_time and period were computed.
alter table partition_archiver.partition add column if not exists time_zone text;

-- A database keeps its OID when it is renamed, and one that was made again under its name has another.
alter table partition_archiver.partition
  add column if not exists database_oid oid not null default partition_archiver.database_oid();

-- PostgreSQL hands an OID out again only after four thousand million others, but it does.
create unique index if not exists partition_identity
  on partition_archiver.partition (system_identifier, database_name, table_oid)
  where state not in ('dropped', 'missing');
create index if not exists partition_database
  on partition_archiver.partition (system_identifier, database_name, database_oid)
  where state not in ('dropped', 'missing');
create index if not exists partition_parent on partition_archiver.partition (parent_oid, state);

-- The plan of segments. Its constraints make a gap and an overlap impossible: every segment but the one from
-- block 0 follows one that ends where it begins, and every segment but the single open-ended one is followed
-- by such a one.
create table if not exists partition_archiver.segment (
  archive_id uuid not null references partition_archiver.partition (archive_id) deferrable initially deferred,
  number integer not null check (number >= 0),
  first_block bigint not null check (first_block >= 0),
  next_block bigint check (next_block > first_block),
  follows_block bigint generated always as (nullif(first_block, 0)) stored,
  state text not null default 'planned' check (state in ('planned', 'exported', 'verified')),

  object_key text,
  exported_rows bigint check (exported_rows >= 0),
  exported_files integer check (exported_files >= 0),
  exported_bytes bigint check (exported_bytes >= 0),

  objects jsonb,
  row_count bigint check (row_count >= 0),
  byte_count bigint check (byte_count >= 0),
  sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
  line_hash_sum text check (line_hash_sum ~ '^[0-9a-f]{16}$'),
  order_differs boolean,

  exported_at timestamptz,
  verified_at timestamptz,

  primary key (archive_id, number),
  unique (archive_id, first_block),
  unique (archive_id, next_block),
  constraint segment_has_successor foreign key (archive_id, next_block)
    references partition_archiver.segment (archive_id, first_block) deferrable initially deferred,
  constraint segment_has_predecessor foreign key (archive_id, follows_block)
    references partition_archiver.segment (archive_id, next_block) deferrable initially deferred,
  check (state = 'planned' or exported_rows is not null),
  check (state <> 'verified' or (row_count is not null and byte_count is not null
    and line_hash_sum is not null and sha256 is not null))
);

-- SHA-256 of what this product sent, where it exported the segment itself; null where aws_s3 did.
alter table partition_archiver.segment add column if not exists sent_sha256 text
  check (sent_sha256 ~ '^[0-9a-f]{64}$');

-- The proof that the segment is to have, and has once it is verified. Before there were two, it was two
-- readings. What was not sent from here cannot be proven by one.
alter table partition_archiver.segment add column if not exists proof text not null default 'two-readings'
  check (proof in ('one-reading', 'two-readings') and (proof = 'two-readings' or sent_sha256 is not null));

-- How what was sent is compressed, and the bytes that S3 got; null for plain text.
alter table partition_archiver.segment add column if not exists compression text
  check (compression in ('gzip', 'zstd'));
alter table partition_archiver.segment add column if not exists stored_bytes bigint
  check (stored_bytes >= 0 and (compression is null) = (stored_bytes is null));

-- STREAM_VERSION of what sent it, as for sent_sha256.
do $$
declare
  v_table text;
  v_columns name[];
begin
  -- Its name in ledgers of versions before the first release, which add it again where they are installed
  -- over this one.
  foreach v_table in array array['segment', 'run'] loop
    v_columns := array(select attname from pg_attribute where not attisdropped
      and attrelid = to_regclass('partition_archiver.' || v_table)
      and attname in ('product_version', 'stream_version') order by attname);
    if v_columns = '{product_version}' then
      execute format('alter table partition_archiver.%I rename column product_version to stream_version',
        v_table);
    elsif cardinality(v_columns) = 2 then
      execute format('alter table partition_archiver.%I drop column product_version', v_table);
    end if;
  end loop;
end
$$;
alter table partition_archiver.segment add column if not exists stream_version text;

-- When what was sent did not match. Until the segment is proven, no segment is proven by one reading.
alter table partition_archiver.segment add column if not exists mismatched_at timestamptz;
create index if not exists segment_mismatched on partition_archiver.segment (archive_id)
  where mismatched_at is not null;

create unique index if not exists segment_last on partition_archiver.segment (archive_id)
  where next_block is null;

create table if not exists partition_archiver.event (
  id bigint generated always as identity primary key,
  partition_id bigint not null references partition_archiver.partition (id),
  at timestamptz not null default clock_timestamp(),
  actor name not null default session_user,
  from_state text,
  to_state text not null,
  note text
);
create index if not exists event_partition on partition_archiver.event (partition_id);

-- The owner by OID, which stays where the role is renamed.
alter table partition_archiver.partition add column if not exists original_owner_oid oid;

create table if not exists partition_archiver.run (
  started_at timestamptz primary key,
  finished_at timestamptz not null default clock_timestamp(),
  mode text not null check (mode in ('archive', 'inventory', 'drop')),
  dry_run boolean not null,
  -- Those that were maintained without an error, as schema.table.
  partition_sets text[] not null,
  archived integer not null,
  dropped integer not null,
  failed integer not null
);

-- STREAM_VERSION, and how many segments of that version were proven by both readings in the run.
alter table partition_archiver.run add column if not exists stream_version text;
alter table partition_archiver.run add column if not exists read_twice bigint not null default 0;

create or replace function partition_archiver.record_event() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    insert into partition_archiver.event (partition_id, to_state) values (new.id, new.state);
  elsif new.state is distinct from old.state then
    insert into partition_archiver.event (partition_id, from_state, to_state, note)
      values (new.id, old.state, new.state, new.blocked_reason);
  end if;
  return null;
end
$$;

create or replace trigger record_event after insert or update on partition_archiver.partition
  for each row execute function partition_archiver.record_event();

-- The version of these objects: check-installed.sql and adapters/postgres/install.ts have the same number.
-- The Lambdas refuse to work with an older one, and with a newer one that does not work with functions of
-- their version any more.
create or replace function partition_archiver.schema_version() returns integer
  language sql immutable set search_path = pg_catalog, pg_temp
  return 1;

-- The oldest version whose functions work with these objects. Between preparing and deploying, an execution
-- may run.
create or replace function partition_archiver.oldest_supported_version() returns integer
  language sql immutable set search_path = pg_catalog, pg_temp
  return 1;

reset role;
