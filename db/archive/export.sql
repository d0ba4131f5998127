-- Export and verification, one segment at a time. What the Lambdas report is recorded here; what they may
-- touch is decided here.

set role archiver_owner;

-- Raises SealBroken unless a quarantined table is still what was sealed: same file, same columns, same fence,
-- types that still say what they said, not attached.
create or replace function partition_archiver.assert_sealed(l partition_archiver.partition) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_changed text := partition_archiver.seal_changes(l.seal, partition_archiver.seal_of(l.table_oid));
begin
  if to_regclass(format('partition_archiver_quarantine.%I',
    l.quarantine_name)) is distinct from l.table_oid::regclass then
    raise exception 'table partition_archiver_quarantine.% is gone or another one', l.quarantine_name
      using errcode = 'PA002'; -- IdentityChanged
  end if;
  if v_changed is not null then
    raise exception 'the seal of partition % is broken: % changed since the quarantine', l.id, v_changed
      using errcode = 'PA003'; -- SealBroken
  end if;
  if exists (select from pg_inherits where l.table_oid in (inhrelid, inhparent))
     or exists (select from pg_class where oid = l.table_oid
       and (relispartition or relkind <> 'r' or relpersistence <> 'p'))
  then
    raise exception 'partition % is attached again, has children, or is no ordinary table any more', l.id
      using errcode = 'PA003'; -- SealBroken
  end if;
end
$$;

-- What the export and the verification of a segment read: the table, its columns and a range of blocks. Only
-- the export leaves out what is not within the recorded bounds. Of a number that was split since, only the
-- state 'split' is returned: its halves have numbers of their own. With p_exclusive, no other session can
-- begin the same segment until this transaction ends: a retry cannot run beside a call that the server is
-- still busy with after its Lambda died (RDS Proxy passes no cancel request on). SegmentBusy if taken.
create or replace function partition_archiver.begin_segment(p_id bigint, p_number integer,
  p_exclusive boolean) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition;
  s partition_archiver.segment;
begin
  select * into l from partition_archiver.partition where id = p_id;
  if not found or l.state not in ('quarantined', 'exported') then
    perform partition_archiver.raise_wrong_state('partition', p_id, l.state, ', not quarantined or exported');
  end if;
  if l.system_identifier <> partition_archiver.system_identifier()
    or l.database_name <> current_database() then
    raise exception 'ledger row % belongs to database "%" of another system: this ledger was copied', p_id,
      l.database_name
      using errcode = 'PA002'; -- IdentityChanged
  end if;
  perform partition_archiver.assert_can_record(p_exclusive);
  if p_exclusive and not pg_try_advisory_xact_lock(hashtextextended(l.archive_id || '-' || p_number, 0)) then
    raise exception 'segment % of partition % is still being exported by another session', p_number, p_id
      using errcode = 'PA005'; -- SegmentBusy
  end if;
  -- Read after the lock: another session may just have exported or split it.
  select * into s from partition_archiver.segment where archive_id = l.archive_id and number = p_number;
  if not found then
    if not exists (select from partition_archiver.segment where archive_id = l.archive_id
      and number > p_number) or p_number < 0 then
      raise exception 'partition % has no segment %', p_id, p_number
        using errcode = 'PA001'; -- StateConflict
    end if;
    -- Only a split leaves a number out.
    s.number := p_number;
    s.state := 'split';
  end if;
  perform partition_archiver.assert_sealed(l);
  perform partition_archiver.assert_no_damage_is_ignored();
  return to_jsonb(s) || jsonb_build_object('proof', partition_archiver.proof_needed(l, s),
    'quarantine_name', l.quarantine_name, 'column_list', l.column_list, 'database_name', l.database_name,
    'table_schema', l.table_schema, 'table_name', l.table_name, 'parent_schema', l.parent_schema,
    'parent_name', l.parent_name, 'period', l.period,
    'within_bounds', format('%1$I >= %2$L and %1$I < %3$L', l.control_column, l.lower_bound, l.upper_bound));
end
$$;

-- Records what aws_s3 said of an export; runs in the transaction of the export. An export that began before
-- the table was returned and quarantined again has read blocks of the former plan: it is refused by its key,
-- which contains the archive id.
create or replace function partition_archiver.record_export(
    p_id bigint, p_number integer, p_key text, p_rows bigint, p_files integer, p_bytes bigint) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'quarantined', 'exported');
begin
  if (strpos(p_key, format('/data/%s-%s.', l.archive_id, p_number)) > 0) is not true then
    raise exception 'segment % of partition % belongs to another archive than %', p_number, p_id, p_key
      using errcode = 'PA001'; -- StateConflict
  end if;
  update partition_archiver.segment
     set state = 'exported', object_key = p_key, exported_rows = p_rows, exported_files = p_files,
       exported_bytes = p_bytes, sent_sha256 = null, proof = 'two-readings', stream_version = null,
         compression = null, stored_bytes = null, exported_at = clock_timestamp(),
         objects = null, row_count = null, byte_count = null, sha256 = null,
         line_hash_sum = null, order_differs = null, verified_at = null
   where archive_id = l.archive_id and number = p_number;
  update partition_archiver.partition set state = 'exported', exported_at = clock_timestamp()
   where id = p_id and state = 'quarantined'
     and not exists (select from partition_archiver.segment where archive_id = l.archive_id
       and state = 'planned');
end
$$;

-- The same for an export that was streamed; runs in the transaction of the COPY, and so never at a replica.
-- Each attempt has a key of its own. p_sent: {key, rows, files, bytes, sha256, compression, stored, said,
-- proof, version}: the text that was sent, how it is compressed and what S3 got of it, the rows that the
-- server said it had copied, the proof that is wanted, and STREAM_VERSION. Returns the proof that is asked
-- for.
create or replace function partition_archiver.record_stream(p_id bigint, p_number integer, p_sent jsonb)
  returns text
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'quarantined', 'exported');
  s record;
  v_proof text;
begin
  select * into s from jsonb_to_record(p_sent) as s (key text, rows bigint, files integer, bytes bigint,
    sha256 text, compression text, stored bigint, said bigint, proof text, version text);
  if s.said is distinct from s.rows or s.sha256 is null then
    raise exception 'the server said that it copied % rows, and % were sent', s.said, s.rows
      using errcode = 'PA001'; -- StateConflict
  end if;
  perform partition_archiver.record_export(p_id, p_number, s.key, s.rows, s.files, s.bytes);
  v_proof := partition_archiver.proof_of_stream(l.archive_id, p_number, s.proof, s.version);
  update partition_archiver.segment
     set sent_sha256 = s.sha256, proof = v_proof, stream_version = s.version, compression = s.compression,
       stored_bytes = case when s.compression is not null then s.stored end
   where archive_id = l.archive_id and number = p_number and state = 'exported';
  return v_proof;
end
$$;

-- Splits a segment that proved too large for one export call. Both halves get new numbers, and so new keys:
-- what the larger export left lies under a key that is not read any more. Returns the number of the upper
-- half; the lower one has the number before it. If there is but one block left: BlockTooLarge where its rows
-- have more than p_large bytes, and ExportTimedOut where it cannot have been their size. Of text and bytea
-- that is the size before compression, which is known without reading them; others count as they are stored.
create or replace function partition_archiver.split_segment(p_id bigint, p_number integer, p_large bigint)
  returns integer
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'quarantined', 'exported');
  s partition_archiver.segment;
  v_end bigint;
  v_middle bigint;
  v_number integer;
  v_bytes numeric;
begin
  select * into s from partition_archiver.segment where archive_id = l.archive_id
    and number = p_number for update;
  if not found or s.state = 'verified' then
    raise exception 'segment % of partition % % and cannot be split', p_number, p_id,
      coalesce('is ' || s.state, 'is not in its plan') using errcode = 'PA001'; -- StateConflict
  end if;
  v_end := coalesce(s.next_block, greatest(s.first_block + 1,
    pg_relation_size(l.table_oid) / current_setting('block_size')::bigint));
  if v_end - s.first_block < 2 then
    execute format('select coalesce(sum(%s), 0) from only partition_archiver_quarantine.%I where ctid >= '
      '''(%s,0)''::tid and ctid < ''(%s,0)''::tid',
      (select coalesce(string_agg(format('coalesce(%s(%I), 0)::bigint', case when atttypid = any
          ('{text,varchar,bytea}'::regtype[]) then 'octet_length' else 'pg_column_size' end, attname), ' + '),
          '0') from pg_attribute
        where attrelid = l.table_oid and attnum > 0 and not attisdropped and attgenerated = ''),
      l.quarantine_name, s.first_block, s.first_block + 1) into v_bytes;
    if v_bytes > p_large then
      raise exception 'block % of partition % alone is too large for one export: its rows have % bytes',
        s.first_block, p_id, v_bytes
        using errcode = 'PA009'; -- BlockTooLarge
    end if;
    raise exception 'block % of partition % alone was not exported in time, though its rows have but % bytes',
      s.first_block, p_id, v_bytes
      using errcode = 'PA019'; -- ExportTimedOut
  end if;
  v_middle := s.first_block + (v_end - s.first_block) / 2;
  select max(number) + 2 into v_number from partition_archiver.segment where archive_id = l.archive_id;
  update partition_archiver.segment
     set next_block = v_middle, state = 'planned', number = v_number - 1, object_key = null,
         exported_rows = null, exported_files = null, exported_bytes = null, exported_at = null,
         sent_sha256 = null, proof = 'two-readings', stream_version = null, compression = null,
         stored_bytes = null
   where archive_id = l.archive_id and number = p_number;
  insert into partition_archiver.segment (archive_id, number, first_block, next_block, mismatched_at)
    values (l.archive_id, v_number, v_middle, s.next_block, s.mismatched_at);
  update partition_archiver.partition set state = 'quarantined', exported_at = null where id = p_id;
  return v_number;
end
$$;

-- Records that a segment's objects were read back and match, by the proof that the ledger asks for and no
-- other. p_objects: [{key, versionId, bytes}].
create or replace function partition_archiver.record_match(
    p_id bigint, p_number integer, p_objects jsonb, p_rows bigint, p_bytes bigint, p_sha256 text,
    p_line_hash_sum text, p_order_differs boolean, p_proof text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition;
  -- Before the row is claimed: segments are proven side by side, and this may take as long as reading one.
  v_loss text := partition_archiver.restore_loss(p_id, p_number);
begin
  if v_loss is not null then
    raise exception 'partition % cannot be restored from its archive: %', p_id, v_loss
      using errcode = 'PA004'; -- PartitionRefused
  end if;
  l := partition_archiver.claim(p_id, 'quarantined', 'exported');
  perform partition_archiver.assert_sealed(l);
  -- A verdict that comes late, after the table was returned to its owner, changed and quarantined again, is
  -- on objects of another archive, whose rows and bytes may be as many. The keys carry its id.
  update partition_archiver.segment s
     set state = 'verified', objects = p_objects, row_count = p_rows, byte_count = p_bytes, sha256 = p_sha256,
         line_hash_sum = p_line_hash_sum, order_differs = p_order_differs, mismatched_at = null,
         verified_at = clock_timestamp()
   where archive_id = l.archive_id and number = p_number and state = 'exported'
     and exported_rows = p_rows and exported_bytes = p_bytes
     and partition_archiver.proof_needed(l, s) = p_proof and (sent_sha256 is null or sent_sha256 = p_sha256)
     and not (proof = 'one-reading' and p_order_differs)
     and exported_files = jsonb_array_length(p_objects)
     and (stored_bytes is null or stored_bytes = (select coalesce(sum((o ->> 'bytes')::bigint), 0)
                                                    from jsonb_array_elements(p_objects) o))
     and not exists (select from jsonb_array_elements(p_objects) with ordinality as o (object, position)
                      where o.object ->> 'key' is distinct from object_key
                        || case when position > 1 then '_part' || position else '' end);
  if not found then
    raise exception 'segment % of partition % is not exported, or not to these objects with % rows and % '
      'bytes, or has another proof than %', p_number, p_id, p_rows, p_bytes, p_proof
      using errcode = 'PA001'; -- StateConflict
  end if;
end
$$;

-- The objects of a segment did not match the table: it is exported again by the next run.
create or replace function partition_archiver.record_mismatch(p_id bigint, p_number integer) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'quarantined', 'exported');
begin
  update partition_archiver.segment
     set state = 'planned', object_key = null, exported_rows = null, exported_files = null,
       exported_bytes = null, sent_sha256 = null, proof = 'two-readings', stream_version = null,
       compression = null, stored_bytes = null, exported_at = null,
       mismatched_at = case when sent_sha256 is null then mismatched_at else clock_timestamp() end
   where archive_id = l.archive_id and number = p_number and state = 'exported';
  update partition_archiver.partition set state = 'quarantined', exported_at = null where id = p_id;
end
$$;

reset role;
