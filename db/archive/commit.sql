-- Commit: the archive counts from the moment its manifest is recorded here.

set role archiver_owner;

-- What the commit needs to know, checked: every segment verified, the seal unbroken, and the archived DDL
-- recreates the table.
create or replace function partition_archiver.begin_commit(p_id bigint) returns jsonb
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set row_security = off set lock_timeout = '30s'
    set timezone = 'UTC' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'exported');
begin
  perform partition_archiver.assert_sealed(l);
  if not coalesce((select bool_and(partition_archiver.is_proven(s)) from partition_archiver.segment s
                    where s.archive_id = l.archive_id), false) then
    raise exception 'partition % has segments that are not verified', p_id
      using errcode = 'PA008'; -- PlanIncomplete
  end if;
  perform partition_archiver_trial.try_ddl(l.ddl);
  return to_jsonb(l) || jsonb_build_object(
    'system_identifier', l.system_identifier::text, 'postgresql', current_setting('server_version'),
    'extensions', (select jsonb_object_agg(extname, extversion) from pg_extension
      where extname in ('pg_partman', 'aws_s3')),
    'statements', to_jsonb(partition_archiver.render_ddl(l.ddl, l.table_schema, l.table_name)),
    'segments', (select jsonb_agg(to_jsonb(s) order by s.first_block) from partition_archiver.segment s
      where s.archive_id = l.archive_id));
end
$$;

-- Raises SealBroken unless the rows of the segments add up to the rows of the table: segments that do not
-- cover it, after a VACUUM FULL between two exports, are each consistent with the ranges they were read from.
-- The caller limits its time, and a count that is cancelled says nothing: the plan's constraints and the seal
-- then carry the proof alone, as the manifest records. It locks no row of the ledger. begin_commit and
-- commit_archive, before and after it, check the seal of the same archive.
create or replace function partition_archiver.count_whole(p_id bigint, p_archive_id uuid) returns void
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp set row_security = off set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition;
  v_rows bigint;
  v_segments bigint;
begin
  select * into l from partition_archiver.partition
   where id = p_id and archive_id = p_archive_id and state = 'exported';
  if not found then
    raise exception 'partition % is not exported as archive % any more', p_id, p_archive_id
      using errcode = 'PA001'; -- StateConflict
  end if;
  select sum(row_count) into v_segments from partition_archiver.segment where archive_id = l.archive_id;
  execute format('select count(*) from only partition_archiver_quarantine.%I', l.quarantine_name)
    into v_rows;
  if v_rows is distinct from v_segments then
    raise exception 'the segments of partition % have %, but the table has %', p_id,
      partition_archiver.counted(v_segments, 'row'), v_rows
      using errcode = 'PA003'; -- SealBroken
  end if;
end
$$;

-- Records the manifest: from now on there is an archive. p_grace_days null: archive only, the table stays.
-- p_counted_whole: as the manifest has it.
create or replace function partition_archiver.commit_archive(
    p_id bigint, p_archive_id uuid, p_manifest_key text, p_manifest_version_id text, p_manifest_sha256 text,
    p_rows bigint, p_bytes bigint, p_grace_days numeric, p_counted_whole boolean default null) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'exported');
  v_rows bigint;
  v_bytes bigint;
begin
  perform partition_archiver.assert_sealed(l);
  select sum(row_count), sum(byte_count) into v_rows, v_bytes
    from partition_archiver.segment s where archive_id = l.archive_id
  having bool_and(partition_archiver.is_proven(s));
  if l.archive_id <> p_archive_id or (v_rows, v_bytes) is distinct from (p_rows, p_bytes) then
    raise exception 'the manifest of partition % is not that of its verified segments', p_id
      using errcode = 'PA008'; -- PlanIncomplete
  end if;
  update partition_archiver.partition
     set state = 'verified', manifest_key = p_manifest_key, manifest_version_id = p_manifest_version_id,
         manifest_sha256 = p_manifest_sha256, row_count = p_rows, byte_count = p_bytes,
         table_bytes = pg_total_relation_size(table_oid), counted_whole = p_counted_whole,
         verified_at = clock_timestamp(), drop_after = clock_timestamp() +
           make_interval(secs => p_grace_days * 86400),
         failed_at = null, failed_code = null, failed_reason = null
   where id = p_id;
end
$$;

-- A set that was archive-only and may now be dropped: the grace period counts from the verification.
create or replace function partition_archiver.schedule_drop(p_id bigint, p_grace_days numeric)
  returns timestamptz
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'verified');
begin
  update partition_archiver.partition
     set drop_after = coalesce(drop_after, verified_at + make_interval(secs => p_grace_days * 86400))
   where id = p_id returning drop_after into l.drop_after;
  return l.drop_after;
end
$$;

-- Nothing happens to a blocked partition until an operator acts. A dropped one stays dropped.
create or replace function partition_archiver.block(p_id bigint, p_code text, p_reason text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'detached', 'quarantined', 'exported',
    'verified');
begin
  update partition_archiver.partition
     set state = 'blocked', blocked_state = l.state, blocked_code = p_code, blocked_reason = p_reason
       where id = p_id;
end
$$;

-- Back to the state it was blocked in, so that the next run tries again. An operator's act.
create or replace function partition_archiver.unblock(p_id bigint) returns text
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'blocked');
  v_state text := case when l.quarantine_name is null then 'detached'
                       when l.blocked_state = 'verified' then 'verified'
                       when exists (select from partition_archiver.segment where archive_id = l.archive_id
                         and state = 'planned')
                         then 'quarantined'
                       else 'exported' end;
begin
  update partition_archiver.partition
     set state = v_state, blocked_state = null, blocked_code = null, blocked_reason = null where id = p_id;
  return v_state;
end
$$;

-- The last failure of a partition, for the report; the state stays, and the next run resumes it.
create or replace function partition_archiver.record_failure(p_id bigint, p_code text, p_reason text)
  returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
begin
  update partition_archiver.partition
     set failed_at = clock_timestamp(), failed_code = p_code, failed_reason = p_reason
   where id = p_id and state <> 'dropped';
end
$$;

reset role;
