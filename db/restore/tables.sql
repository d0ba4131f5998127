-- Restore: from S3 to a table.
--
-- The archived DDL is text from a bucket. archiver_restore runs it as itself, in partition_archiver_restore,
-- and may do nothing elsewhere; what has to be done with the rights of archiver_owner, which is a member of
-- the tables' owners, is done by the functions here, and what they take from the archive they check word for
-- word first.

create schema if not exists partition_archiver_restore authorization archiver_owner;
comment on schema partition_archiver_restore is
  'partition-archiver: tables that are being restored, until their contents are proven';

set role archiver_owner;

create table if not exists partition_archiver.restore (
  id bigint generated always as identity primary key,
  archive_id uuid not null,
  manifest_key text not null,
  manifest_version_id text not null,
  manifest_sha256 text not null,
  -- A drill is never published: once it is proven, its table is dropped again.
  drill boolean not null default false,
  target_schema name not null,
  target_name name not null,
  owner name not null,
  -- Of the manifest: what the partition was, and how its rows are written ({columns, options, pins}).
  partition jsonb not null,
  copy jsonb not null,
  row_count bigint not null check (row_count >= 0),
  byte_count bigint not null check (byte_count >= 0),
  line_hash_sum text not null check (line_hash_sum ~ '^[0-9a-f]{16}$'),
  -- What is run when the table is published, and the foreign keys that were not valid when it was archived.
  last_statements jsonb not null,
  invalid_keys jsonb not null,
  -- What the table does not have that the archived one had.
  warnings jsonb not null default '[]',
  work_name name,
  work_oid oid,
  -- Statements after the data that are done: indexes, triggers, comments.
  statements_done integer not null default 0,
  -- The file that the ranges of the proof were planned for.
  proof_relfilenode oid,
  state text not null default 'begun' check (state in ('begun', 'proven', 'done', 'cancelled')),
  partition_id bigint references partition_archiver.partition (id),
  began_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  actor name not null default session_user,
  check ((state = 'done') = (partition_id is not null))
);
create unique index if not exists restore_target on partition_archiver.restore (target_schema, target_name)
  where state in ('begun', 'proven');

create table if not exists partition_archiver.restore_segment (
  restore_id bigint not null references partition_archiver.restore (id),
  number integer not null,
  row_count bigint not null check (row_count >= 0),
  -- Its objects, in the order of their bytes.
  object_keys jsonb not null,
  imported_at timestamptz,
  primary key (restore_id, number)
);

-- How its objects are compressed, and the bytes of the text in them; null for plain text.
alter table partition_archiver.restore_segment add column if not exists compression text
  check (compression in ('gzip', 'zstd'));
alter table partition_archiver.restore_segment add column if not exists byte_count bigint;

create table if not exists partition_archiver.restore_statement (
  restore_id bigint not null references partition_archiver.restore (id),
  number integer not null check (number > 0),
  statement text not null,
  primary key (restore_id, number)
);

-- The plan of the proof. Its constraints make a gap and an overlap impossible, as those of
-- partition_archiver.segment do.
create table if not exists partition_archiver.restore_range (
  restore_id bigint not null references partition_archiver.restore (id),
  number integer not null check (number >= 0),
  first_block bigint not null check (first_block >= 0),
  next_block bigint check (next_block > first_block),
  follows_block bigint generated always as (nullif(first_block, 0)) stored,
  row_count bigint check (row_count >= 0),
  byte_count bigint check (byte_count >= 0),
  line_hash_sum text check (line_hash_sum ~ '^[0-9a-f]{16}$'),
  read_at timestamptz,
  primary key (restore_id, number),
  unique (restore_id, first_block),
  unique (restore_id, next_block),
  constraint range_has_successor foreign key (restore_id, next_block)
    references partition_archiver.restore_range (restore_id, first_block) deferrable initially deferred,
  constraint range_has_predecessor foreign key (restore_id, follows_block)
    references partition_archiver.restore_range (restore_id, next_block) deferrable initially deferred,
  check ((read_at is null) = (line_hash_sum is null)),
  check ((read_at is null) = (row_count is null)),
  check ((read_at is null) = (byte_count is null))
);
create unique index if not exists restore_range_last on partition_archiver.restore_range (restore_id)
  where next_block is null;

-- What became of each archive of an execution, for its report.
create table if not exists partition_archiver.restore_outcome (
  execution text not null,
  manifest_key text not null,
  partition_id bigint references partition_archiver.partition (id),
  restored_table text,
  attached_to text,
  row_count bigint,
  byte_count bigint,
  warnings jsonb not null default '[]',
  failed_code text,
  failed_reason text,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (execution, manifest_key),
  check ((failed_code is null) = (partition_id is not null))
);

-- What could not be made: [{statement, code, reason}]. "statement" is for the target.
alter table partition_archiver.restore add column if not exists unmade jsonb not null default '[]';
alter table partition_archiver.restore_statement add column if not exists target_statement text;
-- Those that an attach made and has not used yet: taken away again where it is refused.
alter table partition_archiver.restore add column if not exists attach_indexes oid[] not null default '{}';
alter table partition_archiver.restore add column if not exists attach_keys oid[] not null default '{}';
-- Names of indexes, sequences and statistics by their OIDs: {"16400": "event_pkey"}.
alter table partition_archiver.restore add column if not exists original_names jsonb not null default '{}';
alter table partition_archiver.restore_outcome add column if not exists unmade jsonb not null default '[]';

reset role;
