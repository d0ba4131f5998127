-- Restore, making the table: begin, import, and the statements that follow the data.

set role archiver_owner;

-- Begins a restore, or finds the one that is under way for this archive and target. p_start: {archiveId,
-- manifestKey, manifestVersionId, manifestSha256, drill, schema, table, owner, partition, copy, rows, bytes,
-- lineHashSum, lastStatements, invalidKeys, warnings}; p_segments: [{number, rows, keys, compression,
-- bytes}]. A drill has no target: its table is never visible; its name is that of the execution, so that two
-- drills of one archive are two restores.
create or replace function partition_archiver.begin_restore(p_start jsonb, p_segments jsonb) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  s record;
  v_target text;
  v_problems text[] := '{}';
  r partition_archiver.restore;
  v_known record;
  v_done bigint;
begin
  select p_start ->> 'archiveId' as archive, p_start ->> 'manifestSha256' as sha256,
         p_start ->> 'drill' as drill,
         p_start ->> 'schema' as schema, p_start ->> 'table' as name, p_start ->> 'owner' as owner into s;
  if s.drill is not null then
    s.schema := 'partition_archiver_restore';
    s.name := format('drill_%s_%s', s.archive, left(md5(s.drill), 16));
  else
    v_problems := array(select concat_ws(' ', n.kind, n.identity, n.problem
      || coalesce(': ' || n.statement, ''))
                          from partition_archiver.target_needs(s.schema, s.owner) n);
  end if;
  if v_problems <> '{}' then
    raise exception '%', array_to_string(v_problems, E'\n') using errcode = 'PA014'; -- DependencyMissing
  end if;
  v_target := format('%I.%I', s.schema, s.name);
  -- One at a time for one target.
  perform pg_advisory_xact_lock(hashtextextended('partition_archiver restore ' || v_target, 0));
  select * into r from partition_archiver.restore
   where (target_schema, target_name) = (s.schema, s.name) and state in ('begun', 'proven') for update;
  if found and (r.archive_id, r.manifest_version_id, r.manifest_sha256, r.owner)
       is distinct from (s.archive::uuid, p_start ->> 'manifestVersionId', s.sha256, s.owner::name) then
    raise exception 'restore % of another archive, or for another owner, to % is under way: finish or '
      'cancel it first', r.id, v_target
      using errcode = 'PA001'; -- StateConflict
  end if;
  -- Done already, and the answer was lost.
  select l.id into v_done
    from partition_archiver.restore d join partition_archiver.partition l on l.id = d.partition_id
   where d.archive_id = s.archive::uuid and d.manifest_sha256 = s.sha256 and d.state = 'done'
     and l.state = 'restored'
     and l.table_oid = to_regclass(v_target)::oid
     and (d.target_schema, d.target_name, d.owner) = (s.schema::name, s.name::name, s.owner::name);
  if v_done is not null then
    return jsonb_build_object('state', 'done', 'partitionId', v_done);
  end if;
  if to_regclass(v_target) is not null then
    raise exception 'there is already a table or another relation %', v_target
      using errcode = 'PA013'; -- TargetExists
  end if;
  if to_regtype(v_target) is not null then
    raise exception 'there is already a type %', v_target using errcode = 'PA013'; -- TargetExists
  end if;
  -- Where this database made the archive, its ledger knows the manifest.
  select l.manifest_sha256 into v_known from partition_archiver.partition l
   where l.archive_id = s.archive::uuid and l.manifest_sha256 is not null;
  if found and v_known.manifest_sha256 <> s.sha256 then
    raise exception 'the ledger knows archive % by another manifest', s.archive
      using errcode = 'PA015'; -- ManifestInvalid
  end if;
  if r.id is null then
    insert into partition_archiver.restore (archive_id, manifest_key, manifest_version_id, manifest_sha256,
      drill,
        target_schema, target_name, owner, partition, copy, row_count, byte_count, line_hash_sum,
          last_statements, invalid_keys)
      values (s.archive::uuid, p_start ->> 'manifestKey', p_start ->> 'manifestVersionId', s.sha256,
        s.drill is not null,
        s.schema, s.name, s.owner, p_start -> 'partition', p_start -> 'copy', (p_start ->> 'rows')::bigint,
        (p_start ->> 'bytes')::bigint, p_start ->> 'lineHashSum', p_start -> 'lastStatements',
          p_start -> 'invalidKeys')
      returning * into r;
    update partition_archiver.restore set work_name = 'restore_' || id where id = r.id returning * into r;
    insert into partition_archiver.restore_segment (restore_id, number, row_count, object_keys, compression,
      byte_count)
      select r.id, g.number, g.rows, g.keys, g.compression, g.bytes
        from jsonb_to_recordset(p_segments)
          as g (number integer, rows bigint, keys jsonb, compression text, bytes bigint);
  end if;
  -- The last request decides with which foreign keys and grants it is to be published.
  update partition_archiver.restore
    set last_statements = p_start -> 'lastStatements', warnings = p_start -> 'warnings' where id = r.id;
  return jsonb_build_object('id', r.id, 'state', r.state, 'table', r.work_name, 'made',
    r.work_oid is not null,
    'open', (select coalesce(jsonb_agg(number order by number), '[]') from partition_archiver.restore_segment
              where restore_id = r.id and imported_at is null));
end
$$;

-- The table of a restore, if what has its name is still what was made; null where it is gone or another one.
create or replace function partition_archiver.restore_table(r partition_archiver.restore) returns oid
  language sql stable set search_path = pg_catalog, pg_temp
  return (select c.oid from pg_class c
           where c.oid = r.work_oid and c.relname = r.work_name
             and c.relnamespace = 'partition_archiver_restore'::regnamespace);

-- The restore that is under way for a target, locked, and its table, if it is still the one that was made.
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
-- SegmentBusy where another session is at one just now.
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
  select s.number, s.statement into number, statement
    from partition_archiver.restore_statement s where s.restore_id = p_id
      and s.number = r.statements_done + 1;
end
$$;

reset role;
