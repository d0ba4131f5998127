-- Restore: what became of each archive of an execution, for its report.

set role archiver_owner;

-- Records what became of an archive in an execution. p_outcome: {partitionId, table, attachedTo, rows, bytes,
-- warnings, unmade} or {code, reason}.
create or replace function partition_archiver.record_restore_outcome(p_execution text, p_manifest_key text,
  p_outcome jsonb) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into partition_archiver.restore_outcome as o (execution, manifest_key, partition_id, restored_table,
    attached_to, row_count,
      byte_count, warnings, unmade, failed_code, failed_reason)
    values (p_execution, p_manifest_key, (p_outcome ->> 'partitionId')::bigint, p_outcome ->> 'table',
      p_outcome ->> 'attachedTo',
      (p_outcome ->> 'rows')::bigint, (p_outcome ->> 'bytes')::bigint,
        coalesce(p_outcome -> 'warnings', '[]'),
      coalesce(p_outcome -> 'unmade', '[]'),
      p_outcome ->> 'code', p_outcome ->> 'reason')
  on conflict (execution, manifest_key) do update
    set (partition_id, restored_table, attached_to, row_count, byte_count, warnings, unmade, failed_code,
      failed_reason, recorded_at) =
        (excluded.partition_id, excluded.restored_table, excluded.attached_to, excluded.row_count,
          excluded.byte_count,
         excluded.warnings, excluded.unmade, excluded.failed_code, excluded.failed_reason,
           excluded.recorded_at)
$$;

create or replace function partition_archiver.restore_outcomes(p_execution text)
  returns table (manifest_key text, partition_id bigint, restored_table text, attached_to text,
    row_count bigint, byte_count bigint,
                 warnings jsonb, unmade jsonb, failed_code text, failed_reason text)
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select o.manifest_key, o.partition_id, o.restored_table, o.attached_to, o.row_count, o.byte_count,
    o.warnings, o.unmade, o.failed_code,
         o.failed_reason
    from partition_archiver.restore_outcome o where o.execution = p_execution;
end;

reset role;
