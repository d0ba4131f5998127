-- Drop: shares nothing with what writes. The dropping role may call these functions and nothing else.

set role archiver_owner;

-- Whether a partition was dropped: for a commit whose answer was lost.
create or replace function partition_archiver.is_dropped(p_id bigint) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return exists (select from partition_archiver.partition where id = p_id and state = 'dropped');

-- What the dropper looks up in S3 before it drops: the manifest by VersionId. NotDue unless the partition is
-- verified and its grace period over.
create or replace function partition_archiver.drop_evidence(p_id bigint,
    out manifest_key text, out manifest_version_id text, out manifest_sha256 text, out archive_id uuid,
      out row_count bigint)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_row partition_archiver.partition;
begin
  select l.manifest_key, l.manifest_version_id, l.manifest_sha256, l.archive_id, l.row_count
    into manifest_key, manifest_version_id, manifest_sha256, archive_id, row_count
    from partition_archiver.partition l
   where l.id = p_id and l.state = 'verified' and l.drop_after <= now();
  if not found then
    select * into v_row from partition_archiver.partition l where l.id = p_id;
    if not found then
      raise exception 'the ledger has no partition %', p_id using errcode = 'PA020'; -- NotInLedger
    elsif v_row.state <> 'verified' then
      raise exception 'partition % is %, and only a verified partition is dropped', p_id, v_row.state
        using errcode = 'PA007'; -- NotDue
    elsif v_row.drop_after is null then
      raise exception 'partition % has no scheduled drop: its set had "drop": false when it was verified',
        p_id using errcode = 'PA007'; -- NotDue
    end if;
    raise exception 'the grace period of partition % ends at %', p_id, v_row.drop_after
      using errcode = 'PA007'; -- NotDue
  end if;
end
$$;

-- Drops one partition whose archive is verified. Returns the name it had. Nothing is scanned under the lock:
-- since the fence stands and its catalog rows are those of the quarantine, the contents are those that were
-- verified.
create or replace function partition_archiver.drop_verified(p_id bigint, p_manifest_version_id text)
  returns text
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition;
  v_changed text;
  v_dependents text[];
begin
  -- An older snapshot could not see what was committed while this transaction waited for the lock.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'transaction isolation is %', current_setting('transaction_isolation')
      using errcode = 'PA001'; -- StateConflict
  end if;
  -- Nothing that the application uses is held meanwhile, and only autovacuum uses a table in
  -- quarantine.
  perform partition_archiver.set_long_lock_timeout();
  select * into l from partition_archiver.partition where id = p_id for update;
  if not found then
    raise exception 'the ledger has no partition %', p_id using errcode = 'PA020'; -- NotInLedger
  end if;
  if l.state <> 'verified' then
    raise exception 'partition % is %, not verified', p_id, l.state using errcode = 'PA001'; -- StateConflict
  end if;
  if l.system_identifier <> partition_archiver.system_identifier()
    or l.database_name <> current_database() then
    raise exception 'ledger row % belongs to database "%" of another system: this ledger was copied', p_id,
      l.database_name
      using errcode = 'PA002'; -- IdentityChanged
  end if;
  if l.drop_after is null then
    raise exception 'partition % has no scheduled drop: its set had "drop": false when it was verified', p_id
      using errcode = 'PA007'; -- NotDue
  end if;
  if l.drop_after > clock_timestamp() then
    raise exception 'the grace period of partition % ends at %', p_id, l.drop_after
      using errcode = 'PA007'; -- NotDue
  end if;
  if not coalesce((select bool_and(partition_archiver.is_proven(s)) from partition_archiver.segment s
                    where s.archive_id = l.archive_id), false) then
    raise exception 'partition % has segments without the proof that the ledger asks for', p_id
      using errcode = 'PA008'; -- PlanIncomplete
  end if;
  if partition_archiver.is_one_reading_in_doubt()
     and exists (select from partition_archiver.segment s
                  where s.archive_id = l.archive_id and s.proof = 'one-reading') then
    raise exception 'partition % was proven by one reading, and another segment that was streamed did not '
      'match', p_id using errcode = 'PA024'; -- ProofInDoubt
  end if;
  if p_manifest_version_id is distinct from l.manifest_version_id then
    raise exception 'the manifest that was looked at is not the one that partition % was verified with', p_id
      using errcode = 'PA001'; -- StateConflict
  end if;

  begin
    execute format('lock table only partition_archiver_quarantine.%I in access exclusive mode',
      l.quarantine_name);
  exception when undefined_table then
    raise exception 'table partition_archiver_quarantine.% is gone, and it was not dropped by '
      'partition-archiver', l.quarantine_name using errcode = 'PA002'; -- IdentityChanged
  when insufficient_privilege then
    raise exception 'table partition_archiver_quarantine.% is another one now, or was given to another owner',
      l.quarantine_name using errcode = 'PA002'; -- IdentityChanged
  end;
  if to_regclass(format('partition_archiver_quarantine.%I',
    l.quarantine_name)) is distinct from l.table_oid::regclass then
    raise exception 'table partition_archiver_quarantine.% is another one now', l.quarantine_name
      using errcode = 'PA002'; -- IdentityChanged
  end if;
  if exists (select from pg_class where oid = l.table_oid and (relkind <> 'r' or relispartition))
     or exists (select from pg_inherits where l.table_oid in (inhrelid, inhparent)) then
    raise exception 'partition % is attached or has children', p_id using errcode = 'PA003'; -- SealBroken
  end if;
  v_changed := partition_archiver.seal_changes(l.seal, partition_archiver.seal_of(l.table_oid));
  if v_changed is not null then
    raise exception 'the seal of partition % is broken: % changed since the quarantine', p_id, v_changed
      using errcode = 'PA003'; -- SealBroken
  end if;
  v_dependents := partition_archiver.dependents_of(l.table_oid);
  if v_dependents is not null then
    raise exception 'partition % is depended upon by %', p_id, array_to_string(v_dependents, ', ')
      using errcode = 'PA006'; -- HasDependents
  end if;

  execute format('drop table partition_archiver_quarantine.%I restrict', l.quarantine_name);
  update partition_archiver.partition set state = 'dropped', dropped_at = clock_timestamp() where id = p_id;
  return format('%I.%I', l.table_schema, l.table_name);
end
$$;

reset role;
