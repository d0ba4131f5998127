-- Reverify: proves the archive of a partition that was verified, and not dropped, once more.

set role archiver_owner;

-- Columns that are not called or typed any more as they were sealed; null where all are. Their values are not
-- looked at.
create or replace function partition_archiver.altered_columns(p_sealed jsonb, p_now jsonb) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
  return (
    select string_agg(format('column %s', coalesce(o.c ->> 1, n.c ->> 1)), ', ')
      from jsonb_array_elements(p_sealed -> 'columns') o (c)
      full join jsonb_array_elements(p_now -> 'columns') n (c) on n.c -> 0 = o.c -> 0
     where (o.c - 8 - 7) is distinct from (n.c - 8 - 7));

-- Begins to verify a partition again that was verified once and not dropped yet: after a major upgrade the
-- catalog rows of its fence are new; or an operator has doubts. The fence is made again, the seal too, and
-- every segment counts as unproven until it was compared with its archive again. Nothing is dropped
-- meanwhile: the row is blocked, and unblocking it by hand only makes the next run verify all of it. Returns
-- {manifestKey, …, fence, open}; "fence" tells this fence from the next one, and verdicts name it.
create or replace function partition_archiver.begin_reverify(p_id bigint) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition;
  v_table text;
  v_changed text;
begin
  perform partition_archiver.set_lock_timeout();
  l := partition_archiver.claim(p_id, 'verified', 'blocked');
  if l.manifest_version_id is null or l.quarantine_name is null
     or not (l.state = 'verified' or l.blocked_state = 'verified' or l.blocked_code = 'Reverify') then
    raise exception 'partition % is %, not verified, or blocked since it was', p_id, l.state
      using errcode = 'PA001'; -- StateConflict
  end if;
  v_table := format('partition_archiver_quarantine.%I', l.quarantine_name);
  if to_regclass(v_table)::oid is distinct from l.table_oid then
    raise exception 'table % is gone or another one now', v_table using errcode = 'PA002'; -- IdentityChanged
  end if;
  perform partition_archiver.wait_for_autovacuum(l.table_oid);
  begin
    execute format('lock table only %s in access exclusive mode', v_table);
  exception when undefined_table then
    raise exception 'table % is gone', v_table using errcode = 'PA002'; -- IdentityChanged
  end;
  if to_regclass(v_table)::oid is distinct from l.table_oid
     or exists (select from pg_class where oid = l.table_oid and relowner <> 'archiver_owner'::regrole) then
    raise exception 'table % is another one now, or has another owner', v_table
      using errcode = 'PA002'; -- IdentityChanged
  end if;
  if exists (select from pg_inherits where l.table_oid in (inhrelid, inhparent))
     or exists (select from pg_class where oid = l.table_oid
       and (relispartition or relkind <> 'r' or relpersistence <> 'p')) then
    raise exception 'partition % is attached again, has children, or is no ordinary table any more', p_id
      using errcode = 'PA003'; -- SealBroken
  end if;
  -- The values are compared later; what they are called and what they are must be as it was.
  v_changed := partition_archiver.altered_columns(l.seal, partition_archiver.seal_of(l.table_oid));
  if v_changed is not null then
    raise exception 'partition % is not the table that was archived: % changed', p_id, v_changed
      using errcode = 'PA003'; -- SealBroken
  end if;

  -- Resumed where an earlier call of this kind left it, unless the fence was touched since.
  if l.blocked_code is distinct from 'Reverify' or partition_archiver.seal_of(l.table_oid) <> l.seal then
    perform partition_archiver.protect_quarantined_table(v_table);
    update partition_archiver.segment set state = 'exported', verified_at = null
      where archive_id = l.archive_id;
    update partition_archiver.partition
       set state = 'blocked', blocked_state = 'exported', blocked_code = 'Reverify',
         blocked_reason = 'it is being verified again',
           seal = partition_archiver.seal_of(table_oid)
     where id = p_id;
  end if;
  return jsonb_build_object('archiveId', l.archive_id, 'manifestKey', l.manifest_key, 'manifestVersionId',
    l.manifest_version_id,
    'manifestSha256', l.manifest_sha256,
    'fence', (select md5(seal::text) from partition_archiver.partition where id = p_id), 'open',
      (select coalesce(jsonb_agg(number order by number), '[]')
       from partition_archiver.segment where archive_id = l.archive_id and state <> 'verified'));
end
$$;

-- The row of a partition that is being verified again, if its table is still what was sealed when that began.
create or replace function partition_archiver.claim_reverify(p_id bigint) returns partition_archiver.partition
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'blocked');
begin
  if l.blocked_code is distinct from 'Reverify' then
    raise exception 'partition % is not being verified again', p_id using errcode = 'PA001'; -- StateConflict
  end if;
  perform partition_archiver.assert_sealed(l);
  return l;
end
$$;

-- The same for a verdict, which names the fence that the rows were read behind: one that comes late, when the
-- fence was touched and made again, says nothing of what was written in between.
create or replace function partition_archiver.claim_verdict(p_id bigint, p_number integer, p_fence text)
  returns partition_archiver.partition
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition := partition_archiver.claim_reverify(p_id);
begin
  if p_fence is distinct from md5(l.seal::text) then
    raise exception 'the fence of partition % was made again since segment % was read', p_id, p_number
      using errcode = 'PA001'; -- StateConflict
  end if;
  return l;
end
$$;

-- The query that reads a segment's rows again: {query}.
create or replace function partition_archiver.reverify_source(p_id bigint, p_number integer) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition;
begin
  -- Not locked: segments are read side by side.
  select * into l from partition_archiver.partition where id = p_id and state = 'blocked'
    and blocked_code = 'Reverify';
  if not found then
    raise exception 'partition % is not being verified again', p_id using errcode = 'PA001'; -- StateConflict
  end if;
  perform partition_archiver.assert_sealed(l);
  perform partition_archiver.assert_no_damage_is_ignored();
  return (select jsonb_build_object('query', format('select %s from only partition_archiver_quarantine.%I '
    'where ctid >= ''(%s,0)''::tid%s',
             l.column_list, l.quarantine_name, first_block,
             case when next_block is not null then format(' and ctid < ''(%s,0)''::tid', next_block)
               else '' end))
            from partition_archiver.segment where archive_id = l.archive_id and number = p_number);
end
$$;

-- Records that a segment was read again behind this fence, and is what was verified before.
create or replace function partition_archiver.record_reverified(
    p_id bigint, p_number integer, p_fence text, p_rows bigint, p_bytes bigint, p_line_hash_sum text)
      returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim_verdict(p_id, p_number, p_fence);
begin
  update partition_archiver.segment
     set state = 'verified', verified_at = clock_timestamp(), mismatched_at = null
   where archive_id = l.archive_id and number = p_number
     and (row_count, byte_count, line_hash_sum) = (p_rows, p_bytes, p_line_hash_sum);
  if not found then
    raise exception 'segment % of partition % is not what was verified before', p_number, p_id
      using errcode = 'PA003'; -- SealBroken
  end if;
end
$$;

-- Records that a segment differs from its archive. Where one reading had proven it, nothing else that one
-- reading has proven is dropped until this segment is proven: the reader may have been wrong.
create or replace function partition_archiver.record_reverify_mismatch(p_id bigint, p_number integer,
  p_fence text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim_verdict(p_id, p_number, p_fence);
begin
  update partition_archiver.segment set mismatched_at = clock_timestamp()
   where archive_id = l.archive_id and number = p_number and proof = 'one-reading';
end
$$;

-- Verified again, with the manifest that it had. Its grace period is the one it had, too.
create or replace function partition_archiver.finish_reverify(p_id bigint, p_manifest_version_id text)
  returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim_reverify(p_id);
begin
  if p_manifest_version_id is distinct from l.manifest_version_id
     or exists (select from partition_archiver.segment where archive_id = l.archive_id
       and state <> 'verified') then
    raise exception 'partition % has segments that are not verified again', p_id
      using errcode = 'PA008'; -- PlanIncomplete
  end if;
  update partition_archiver.partition
     set state = 'verified', blocked_state = null, blocked_code = null, blocked_reason = null,
       verified_at = clock_timestamp()
   where id = p_id;
end
$$;

reset role;
