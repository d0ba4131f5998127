-- Restore, the proof: the table is read again in ranges of heap blocks, side by side, and what the ranges add
-- up to is compared with the manifest here, where nothing can be left out or counted twice.

set role archiver_owner;

-- Plans the ranges once all statements are done: as many as the archive has segments, and of 1 GiB at most,
-- which is read in a minute or two, unless there are 10,000. Returns the numbers of those that are not read
-- yet.
create or replace function partition_archiver.plan_restore_proof(p_id bigint) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  r partition_archiver.restore := partition_archiver.claim_restore(p_id, 'begun', 'proven');
  v_bytes bigint;
begin
  if exists (select from partition_archiver.restore_segment where restore_id = p_id and imported_at is null)
     or r.statements_done <> (select count(*) from partition_archiver.restore_statement
       where restore_id = p_id) then
    raise exception 'restore % has segments or statements that are not done', p_id
      using errcode = 'PA001'; -- StateConflict
  end if;
  -- Of a table that was rewritten since, other blocks have its rows: what was read of it counts no more.
  if r.proof_relfilenode is distinct from pg_relation_filenode(r.work_oid) then
    delete from partition_archiver.restore_range where restore_id = p_id;
    v_bytes := pg_table_size(r.work_oid) / greatest((select count(*) from partition_archiver.restore_segment
      where restore_id = p_id), 1);
    insert into partition_archiver.restore_range (restore_id, number, first_block, next_block)
      select p_id, p.number, p.first_block, p.next_block
        from partition_archiver.plan(r.work_oid, least(greatest(v_bytes, 1), 1073741824)) p;
    update partition_archiver.restore set proof_relfilenode = pg_relation_filenode(work_oid), state = 'begun'
      where id = p_id;
  end if;
  return (select coalesce(jsonb_agg(number order by number), '[]') from partition_archiver.restore_range
           where restore_id = p_id and read_at is null);
end
$$;

-- The restore that a range is read for, if its table is still the file that the ranges were planned for:
-- another one (VACUUM FULL, CLUSTER) has its rows in other blocks.
create or replace function partition_archiver.proven_restore(p_id bigint) returns partition_archiver.restore
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  r partition_archiver.restore;
begin
  select * into r from partition_archiver.restore where id = p_id and state in ('begun', 'proven');
  if r.proof_relfilenode is null or partition_archiver.restore_table(r) is null then
    raise exception 'restore % is not ready to be proven, or its table is gone', p_id
      using errcode = 'PA001'; -- StateConflict
  end if;
  if pg_relation_filenode(r.work_oid) <> r.proof_relfilenode then
    raise exception 'table partition_archiver_restore.% of restore % was rewritten while it was proven: run '
      'the restore again', r.work_name, p_id
      using errcode = 'PA001'; -- StateConflict
  end if;
  return r;
end
$$;

-- Begins to read a range in this transaction: {table, copy, firstBlock, nextBlock}, and the table cannot be
-- rewritten before it ends. Null where the range is read already.
create or replace function partition_archiver.begin_restore_range(p_id bigint, p_number integer) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  r partition_archiver.restore := partition_archiver.proven_restore(p_id);
  g partition_archiver.restore_range;
begin
  execute format('lock table only partition_archiver_restore.%I in access share mode', r.work_name);
  r := partition_archiver.proven_restore(p_id);
  select * into g from partition_archiver.restore_range where restore_id = p_id and number = p_number;
  if not found then
    raise exception 'the proof of restore % has no range %', p_id, p_number
      using errcode = 'PA001'; -- StateConflict
  end if;
  if g.read_at is not null then
    return null;
  end if;
  return jsonb_build_object('table', r.work_name, 'copy', r.copy, 'firstBlock', g.first_block, 'nextBlock',
    g.next_block);
end
$$;

-- Records what was read of a range. Two readings of one range have to agree: nothing changes the table
-- meanwhile.
create or replace function partition_archiver.record_restore_range(
    p_id bigint, p_number integer, p_rows bigint, p_bytes bigint, p_line_hash_sum text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  r partition_archiver.restore := partition_archiver.proven_restore(p_id);
begin
  update partition_archiver.restore_range
     set row_count = p_rows, byte_count = p_bytes, line_hash_sum = p_line_hash_sum,
       read_at = clock_timestamp()
   where restore_id = p_id and number = p_number and read_at is null;
  if not found and not exists (
      select from partition_archiver.restore_range
       where restore_id = p_id and number = p_number
         and (row_count, byte_count, line_hash_sum) = (p_rows, p_bytes, p_line_hash_sum)) then
    raise exception 'range % of restore % was read twice, and not the same', p_number, r.id
      using errcode = 'PA016'; -- ArchiveDamaged
  end if;
end
$$;

-- Adds the ranges up and compares them with the manifest: {proven, rows, bytes, lineHashSum,
-- expected: {…}}.
-- The restore is proven where they agree.
create or replace function partition_archiver.prove_restore(p_id bigint) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  r partition_archiver.restore;
  v_found record;
  v_proven boolean;
begin
  -- Proven already, and the answer was lost.
  if exists (select from partition_archiver.restore where id = p_id and state in ('proven', 'done'))
     or exists (select from partition_archiver.drill where restore_id = p_id) then
    return jsonb_build_object('proven', true);
  end if;
  -- Found wrong and given up already, and the answer was lost: what was read of its ranges is still there.
  select * into r from partition_archiver.restore where id = p_id and state = 'cancelled';
  if not found then
    r := partition_archiver.claim_restore(p_id, 'begun');
    perform partition_archiver.proven_restore(p_id);
  end if;
  if exists (select from partition_archiver.restore_range where restore_id = p_id and read_at is null)
     or not exists (select from partition_archiver.restore_range where restore_id = p_id) then
    raise exception 'restore % is %, and its proof has ranges that are not read', p_id, r.state
      using errcode = 'PA001'; -- StateConflict
  end if;
  -- The sum is that of 64-bit numbers without a sign, modulo 2^64.
  select sum(row_count)::bigint as rows, sum(byte_count)::bigint as bytes,
         lpad(to_hex(div(total, 4294967296)::bigint), 8, '0')
           || lpad(to_hex(mod(total, 4294967296)::bigint), 8, '0') as line_hash_sum
    into v_found
    from (select row_count, byte_count, mod(sum(mod(('x'
      || line_hash_sum)::bit(64)::bigint::numeric + 18446744073709551616,
                                                    18446744073709551616)) over (),
                                                      18446744073709551616) as total
            from partition_archiver.restore_range where restore_id = p_id) g
   group by total;
  v_proven := (v_found.rows, v_found.bytes, v_found.line_hash_sum) is not distinct from (r.row_count,
    r.byte_count, r.line_hash_sum);
  if v_proven and r.state = 'cancelled' then
    raise exception 'restore % is cancelled, not begun', p_id using errcode = 'PA001'; -- StateConflict
  elsif v_proven then
    update partition_archiver.restore set state = 'proven' where id = p_id;
  end if;
  return jsonb_build_object('proven', v_proven, 'rows', v_found.rows, 'bytes', v_found.bytes, 'lineHashSum',
    v_found.line_hash_sum,
    'expected', jsonb_build_object('rows', r.row_count, 'bytes', r.byte_count, 'lineHashSum',
      r.line_hash_sum));
end
$$;

-- Gives a restore up: its table goes, and the next one begins again. No other session sees that table yet.
create or replace function partition_archiver.cancel_restore(p_id bigint) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  r partition_archiver.restore;
begin
  select * into r from partition_archiver.restore where id = p_id for update;
  if not found or r.state not in ('begun', 'proven', 'cancelled') then
    perform partition_archiver.raise_wrong_state('restore', p_id, r.state, ', not begun or proven');
  end if;
  if partition_archiver.restore_table(r) is not null then
    execute format('drop table partition_archiver_restore.%I restrict', r.work_name);
  end if;
  update partition_archiver.restore set state = 'cancelled', ended_at = clock_timestamp() where id = p_id
    and state <> 'cancelled';
end
$$;

reset role;
