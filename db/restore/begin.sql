-- Restore, its beginning: what there is of it, and its record.

set role archiver_owner;

-- Target of a restore. A drill has none: its table is never visible; its name is that of the execution, so
-- that two drills of one archive are two restores.
create or replace function partition_archiver.restore_target(p_start jsonb, out schema name,
  out name name)
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select case when p_start ->> 'drill' is null then p_start ->> 'schema'
           else 'partition_archiver_restore' end,
         case when p_start ->> 'drill' is null then p_start ->> 'table'
           else format('drill_%s_%s', p_start ->> 'archiveId', left(md5(p_start ->> 'drill'), 16)) end
$$;

-- What there is of a restore: {state: 'done', partitionId} of a published table; {state, open} of one that is
-- under way, with the numbers of the segments that are not imported yet; null of none. p_start: {archiveId,
-- manifestVersionId, manifestSha256, drill, schema, table, owner}.
create or replace function partition_archiver.find_restore(p_start jsonb) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select case when r.state = 'done' then jsonb_build_object('state', r.state, 'partitionId', r.partition_id)
         else jsonb_build_object('state', r.state, 'open', (
           select coalesce(jsonb_agg(g.number order by g.number), '[]')
             from partition_archiver.restore_segment g
            where g.restore_id = r.id and g.imported_at is null)) end
    from partition_archiver.restore_target(p_start) t
    join partition_archiver.restore r
      on (r.target_schema, r.target_name, r.owner) = (t.schema, t.name, (p_start ->> 'owner')::name)
    left join partition_archiver.partition l on l.id = r.partition_id
   where r.archive_id = (p_start ->> 'archiveId')::uuid
     and r.manifest_sha256 = p_start ->> 'manifestSha256'
     and (r.state = 'done' and l.state = 'restored'
            and l.table_oid = to_regclass(format('%I.%I', t.schema, t.name))::oid
          or r.state in ('begun', 'proven') and r.manifest_version_id = p_start ->> 'manifestVersionId')
   order by r.state = 'done' desc, r.id desc limit 1
$$;

-- Begins a restore, or finds the one that is under way for this archive and target. p_start: {archiveId,
-- manifestKey, manifestVersionId, manifestSha256, drill, schema, table, owner, partition, copy, rows, bytes,
-- lineHashSum, lastStatements, invalidKeys, warnings}; p_segments: [{number, rows, keys, compression,
-- bytes}].
create or replace function partition_archiver.begin_restore(p_start jsonb, p_segments jsonb) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  s record;
  v_target text;
  v_problems text[] := '{}';
  r partition_archiver.restore;
  v_known record;
  v_found jsonb;
begin
  select p_start ->> 'archiveId' as archive, p_start ->> 'manifestSha256' as sha256,
         p_start ->> 'drill' as drill, t.schema, t.name, p_start ->> 'owner' as owner
    into s from partition_archiver.restore_target(p_start) t;
  if s.drill is null then
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
  v_found := partition_archiver.find_restore(p_start);
  if v_found ->> 'state' = 'done' then
    return v_found;
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

reset role;
