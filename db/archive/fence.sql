-- The fence: triggers on a table that is archived or replaced, which refuse every write of every role. The
-- function also refuses what a table that is being partitioned may not take.

set role archiver_owner;

create or replace function partition_archiver.refuse_write() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if tg_name ~ '^partition_archiver_job_' then
    raise exception 'table "%" is being partitioned and takes no % meanwhile', tg_table_name, tg_op
      using errcode = 'PA012', -- StateConflict
            hint = 'PartitionTable makes a partition set of the table. To use it as before, have that rolled '
              'back: {"table": …, "rollBack": true}.';
  elsif tg_table_schema = 'partition_archiver_replaced' then
    raise exception 'table "%" was replaced by a partitioned one and takes no more writes', tg_table_name
      using errcode = 'PA012', -- StateConflict
            hint = 'PartitionTable keeps the table until it is dropped. Write to the partitioned table.';
  end if;
  raise exception 'partition "%" is being archived and takes no more writes', tg_table_name
    using errcode = 'PA012', -- StateConflict
          hint = 'The table was detached from its partition set. To write to it, have it released by '
            'partition-archiver first.';
end
$$;
grant execute on function partition_archiver.refuse_write() to public;

-- Puts the fence around a table, again where it stands already: then its rows in the catalog are new ones,
-- too. ENABLE ALWAYS, so that it also fires under session_replication_role = replica, and at row level, since
-- the apply worker of logical replication fires no statement triggers. The caller holds the table's lock.
create or replace function partition_archiver.create_fence_triggers(p_table text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set client_min_messages = warning as $$
begin
  execute format('drop trigger if exists partition_archiver_fence_row on %s', p_table);
  execute format('drop trigger if exists partition_archiver_fence_truncate on %s', p_table);
  execute format('create trigger partition_archiver_fence_row before insert or update or delete on %s
    for each row execute function partition_archiver.refuse_write()', p_table);
  execute format('create trigger partition_archiver_fence_truncate before truncate on %s
    for each statement execute function partition_archiver.refuse_write()', p_table);
  execute format('alter table %s enable always trigger partition_archiver_fence_row,
    enable always trigger partition_archiver_fence_truncate', p_table);
end
$$;

-- The fence around a table in quarantine, with what else the seal and the proof go by: nothing hides rows,
-- and those who prove may read them. The caller seals the table afterwards.
create or replace function partition_archiver.protect_quarantined_table(p_table text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform partition_archiver.create_fence_triggers(p_table);
  -- Row security would filter the export, or fail it.
  execute format('alter table %s disable row level security, no force row level security', p_table);
  execute format('grant select on %s to archiver_read, archiver_stream', p_table);
  if exists (select from pg_attribute where attrelid = p_table::regclass and not attisdropped
    and (attgenerated = 's' or partition_archiver.has_domain(atttypid))) then
    execute format('grant select on %s to archiver_trial', p_table);
  end if;
end
$$;

reset role;
