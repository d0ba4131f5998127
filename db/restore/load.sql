-- Restore, making the table: import, and the statements that follow the data.

set role archiver_owner;

-- The table of a restore, if what has its name is still what was made; null where it is gone or another one.
create or replace function partition_archiver.restore_table(r partition_archiver.restore) returns oid
  language sql stable set search_path = pg_catalog, pg_temp
  return (select c.oid from pg_class c
           where c.oid = r.work_oid and c.relname = r.work_name
             and c.relnamespace = 'partition_archiver_restore'::regnamespace);

-- The restore, locked, if it is in one of the states and its table is still the one that was made.
create or replace function partition_archiver.claim_restore(p_id bigint, variadic p_states text[])
  returns partition_archiver.restore
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  r partition_archiver.restore;
begin
  select * into r from partition_archiver.restore where id = p_id for update;
  if not found or r.state <> all (p_states) then
    perform partition_archiver.raise_wrong_state('restore', p_id, r.state, ', not '
      || array_to_string(p_states, ' or '));
  end if;
  if r.work_oid is distinct from partition_archiver.restore_table(r) then
    raise exception 'table partition_archiver_restore.% of restore % is gone or another one', r.work_name,
      p_id using errcode = 'PA001'; -- StateConflict
  end if;
  return r;
end
$$;

-- Records the table that archiver_restore made, and what is to follow the data, in the transaction that made
-- it. p_after_data: [{statement, target}]; "target" is the same statement for the table under its target
-- name.
create or replace function partition_archiver.record_restore_table(p_id bigint, p_after_data jsonb)
  returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
begin
  update partition_archiver.restore r set work_oid = c.oid
    from pg_class c
   where r.id = p_id and r.state = 'begun' and r.work_oid is null
     and c.oid = to_regclass(format('partition_archiver_restore.%I', r.work_name)) and c.relkind = 'r';
  if not found then
    raise exception 'restore % has a table already, or none was made', p_id
      using errcode = 'PA001'; -- StateConflict
  end if;
  insert into partition_archiver.restore_statement (restore_id, number, statement, target_statement)
    select p_id, s.number, s.entry ->> 'statement', s.entry ->> 'target'
      from jsonb_array_elements(p_after_data) with ordinality as s (entry, number);
  perform partition_archiver.hide_restored_names(p_id);
end
$$;

-- Begins the import of a segment in this transaction, and returns {table, copy, keys, text}; "text" is
-- {compression, bytes} of compressed objects. Null where it is imported already, SegmentBusy where another
-- session is at it just now.
create or replace function partition_archiver.begin_import(p_id bigint, p_number integer) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  r partition_archiver.restore;
  g partition_archiver.restore_segment;
begin
  if not pg_try_advisory_xact_lock(hashtextextended(format('partition_archiver import %s %s', p_id,
    p_number), 0)) then
    raise exception 'segment % of restore % is still being imported by another session', p_number, p_id
      using errcode = 'PA005'; -- SegmentBusy
  end if;
  select * into g from partition_archiver.restore_segment where restore_id = p_id and number = p_number;
  if not found then
    raise exception 'restore % has no segment %', p_id, p_number using errcode = 'PA001'; -- StateConflict
  end if;
  if g.imported_at is not null then
    return null;
  end if;
  -- Not locked: segments are imported side by side.
  select * into r from partition_archiver.restore where id = p_id and state = 'begun' and statements_done = 0;
  if partition_archiver.restore_table(r) is null then
    raise exception 'restore % takes no data: it is done, cancelled, further on, or its table is gone', p_id
      using errcode = 'PA001'; -- StateConflict
  end if;
  return jsonb_build_object('table', r.work_name, 'copy', r.copy, 'keys', g.object_keys, 'text',
    case when g.compression is not null then
      jsonb_build_object('compression', g.compression, 'bytes', g.byte_count) end);
end
$$;

-- Records an import in its own transaction, so that a retry cannot import the same rows twice.
create or replace function partition_archiver.record_import(p_id bigint, p_number integer, p_rows bigint)
  returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
begin
  update partition_archiver.restore_segment set imported_at = clock_timestamp()
   where restore_id = p_id and number = p_number and imported_at is null and row_count = p_rows;
  if not found then
    raise exception 'segment % of restore % was imported with %, not %', p_number, p_id,
      partition_archiver.counted(p_rows, 'row'),
      (select row_count from partition_archiver.restore_segment where restore_id = p_id
        and number = p_number) using errcode = 'PA016'; -- ArchiveDamaged
  end if;
end
$$;

-- The next statement that follows the data, claimed until this transaction ends: null where all are done,
-- SegmentBusy where another session is at one just now, of this restore or of another one of a partition of
-- this name: an index that is being built has its name until the end.
create or replace function partition_archiver.claim_restore_statement(p_id bigint, out number integer,
  out statement text)
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  r partition_archiver.restore;
begin
  if not pg_try_advisory_xact_lock(hashtextextended(format('partition_archiver build %s', p_id), 0)) then
    raise exception 'a statement of restore % is still being run by another session', p_id
      using errcode = 'PA005'; -- SegmentBusy
  end if;
  select * into r from partition_archiver.restore where id = p_id;
  if r.state is distinct from 'begun' and r.state is distinct from 'proven' then
    perform partition_archiver.raise_wrong_state('restore', p_id, r.state, ', not begun');
  end if;
  if exists (select from partition_archiver.restore_segment where restore_id = p_id
    and imported_at is null) then
    raise exception 'restore % has segments that are not imported', p_id
      using errcode = 'PA001'; -- StateConflict
  end if;
  if not pg_try_advisory_xact_lock(hashtextextended('partition_archiver build of '
    || (r.partition ->> 'name'), 0)) then
    raise exception 'restore % waits for another restore of a partition of the same name', p_id
      using errcode = 'PA005'; -- SegmentBusy
  end if;
  select s.number, s.statement into number, statement
    from partition_archiver.restore_statement s where s.restore_id = p_id
      and s.number = r.statements_done + 1;
  perform partition_archiver.show_restored_names(p_id, statement);
end
$$;

reset role;
