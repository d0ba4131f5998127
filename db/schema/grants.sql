-- Who may do what. Everything is revoked from PUBLIC first, so that a new function starts with no grants.

set role archiver_owner;

revoke all on schema partition_archiver, partition_archiver_quarantine, partition_archiver_trial,
  partition_archiver_restore from public;
revoke all on all functions in schema partition_archiver from public;
revoke all on all tables in schema partition_archiver from public;

-- A trigger function is not checked when it fires, only when the trigger is made.
grant usage on schema partition_archiver to archiver_maintain, archiver_read, archiver_stream, archiver_drop;
grant usage on schema partition_archiver_quarantine to archiver_read, archiver_stream, archiver_trial;

grant select on partition_archiver.partition, partition_archiver.segment, partition_archiver.event,
  partition_archiver.run
  to archiver_maintain, archiver_read;

grant execute on function
  partition_archiver.schema_version(),
  partition_archiver.oldest_supported_version(),
  partition_archiver.system_identifier(),
  partition_archiver.partition_set(oid),
  partition_archiver.bound_time(text, regtype, text, text),
  partition_archiver.period(timestamptz, timestamptz, text, text),
  partition_archiver.attached_partitions(oid, text),
  partition_archiver.attached_partitions(oid, regtype, text, text),
  partition_archiver.highest_id(oid),
  partition_archiver.candidates(oid, timestamptz),
  partition_archiver.health(oid, text),
  partition_archiver.forecast(oid, text, bigint),
  partition_archiver.forecast_drops(oid, numeric),
  partition_archiver.expiring(oid, text),
  partition_archiver.set_references(jsonb),
  partition_archiver.set_advice(jsonb),
  partition_archiver.refusals(oid),
  partition_archiver.dependents_of(oid),
  partition_archiver.column_list(oid),
  partition_archiver.plan(oid, bigint),
  partition_archiver.preflight(jsonb, jsonb),
  partition_archiver.publications(jsonb, boolean),
  partition_archiver.progress(oid, text, timestamptz)
to archiver_maintain, archiver_read;

-- Maintenance detaches with its own rights, those of the sets' owners.
grant execute on function
  partition_archiver.detach_partition(oid, oid),
  partition_archiver.detach_refusals(oid),
  partition_archiver.inbound_references(oid, oid, oid[]),
  partition_archiver.describe_references(oid, oid, oid[]),
  partition_archiver.leaving_before(oid, jsonb),
  partition_archiver.lock_referenced(oid, text, timestamptz),
  partition_archiver.lock_referencing(oid, timestamptz),
  partition_archiver.lock_tree(oid, text, timestamptz),
  partition_archiver.tree_of(oid),
  partition_archiver.lock_deadline(),
  partition_archiver.set_lock_timeout_until(timestamptz)
to archiver_maintain;

grant execute on function
  partition_archiver.record_inventory(oid, text),
  partition_archiver.wait_for_autovacuum(oid),
  partition_archiver.wait_for_autovacuum_of_default(oid),
  partition_archiver.hold_definition(oid),
  partition_archiver.set_long_lock_timeout(),
  partition_archiver.set_lock_timeout(),
  partition_archiver.quarantine(bigint, bigint),
  partition_archiver.adopt(oid, oid, text, text, text)
to archiver_maintain;

grant execute on function
  partition_archiver.begin_segment(bigint, integer, boolean),
  partition_archiver.record_export(bigint, integer, text, bigint, integer, bigint),
  partition_archiver.record_stream(bigint, integer, jsonb),
  partition_archiver.refuse_row_out_of_bounds(),
  partition_archiver.split_segment(bigint, integer, bigint),
  partition_archiver.record_match(bigint, integer, jsonb, bigint, bigint, text, text, boolean, text),
  partition_archiver.record_mismatch(bigint, integer),
  partition_archiver.begin_commit(bigint),
  partition_archiver.count_whole(bigint, uuid),
  partition_archiver.commit_archive(bigint, uuid, text, text, text, bigint, bigint, numeric, boolean),
  partition_archiver.schedule_drop(bigint, numeric),
  partition_archiver.block(bigint, text, text),
  partition_archiver.record_failure(bigint, text, text),
  partition_archiver.record_run(timestamptz, text, boolean, jsonb, integer, integer, integer, text)
to archiver_read;

-- What puts data into the bucket says what it sent, and never what was found there.
grant select on partition_archiver.partition, partition_archiver.segment to archiver_stream;
grant execute on function
  partition_archiver.begin_segment(bigint, integer, boolean),
  partition_archiver.record_stream(bigint, integer, jsonb),
  partition_archiver.refuse_row_out_of_bounds(),
  partition_archiver.split_segment(bigint, integer, bigint)
to archiver_stream;

grant execute on function
  partition_archiver.is_dropped(bigint),
  partition_archiver.drop_evidence(bigint),
  partition_archiver.drop_verified(bigint, text)
to archiver_drop;

-- Restore. archiver_restore runs archived DDL as itself, so it may do nothing but this.
grant usage on schema partition_archiver to archiver_restore;
grant usage, create on schema partition_archiver_restore to archiver_restore;
grant execute on function
  partition_archiver.schema_version(),
  partition_archiver.publications(jsonb, boolean),
  partition_archiver.missing_dependencies(jsonb),
  partition_archiver.target_needs(name, name),
  partition_archiver.render_restore(jsonb, name, name, text[]),
  partition_archiver.attach_problems(name, name, name, text, text, jsonb, text),
  partition_archiver.find_restore(jsonb),
  partition_archiver.begin_restore(jsonb, jsonb),
  partition_archiver.record_restore_table(bigint, jsonb),
  partition_archiver.begin_import(bigint, integer),
  partition_archiver.record_import(bigint, integer, bigint),
  partition_archiver.claim_restore_statement(bigint),
  partition_archiver.record_restore_statement(bigint, integer, jsonb),
  partition_archiver.passes_by_itself(text),
  partition_archiver.failure_in_words(text, text, text),
  partition_archiver.assert_same_text(text),
  partition_archiver.run_restore_statement(bigint),
  partition_archiver.plan_restore_proof(bigint),
  partition_archiver.begin_restore_range(bigint, integer),
  partition_archiver.record_restore_range(bigint, integer, bigint, bigint, text),
  partition_archiver.prove_restore(bigint),
  partition_archiver.cancel_restore(bigint),
  partition_archiver.publish_restore(bigint),
  partition_archiver.published(bigint),
  partition_archiver.record_restore_outcome(text, text, jsonb),
  partition_archiver.restore_outcomes(text),
  partition_archiver.finish_drill(bigint),
  partition_archiver.cancel_old_drills(interval),
  partition_archiver.days_since_drill(),
  partition_archiver.unvalidated_foreign_keys(bigint),
  partition_archiver.validate_restored(bigint, name),
  partition_archiver.check_attach(bigint, name, name),
  partition_archiver.assert_not_listed(uuid),
  partition_archiver.undo_attach(bigint),
  partition_archiver.bound_restored(bigint),
  partition_archiver.index_restored(bigint, name, name),
  partition_archiver.reference_restored(bigint, name, name),
  partition_archiver.validate_references(bigint),
  partition_archiver.attach_restored(bigint, name, name)
to archiver_restore;
grant select on partition_archiver.restore, partition_archiver.restore_segment,
  partition_archiver.restore_statement,
  partition_archiver.restore_range, partition_archiver.restore_outcome, partition_archiver.drill,
    partition_archiver.audit
  to archiver_maintain, archiver_read;
grant select on partition_archiver.listing to archiver_maintain, archiver_read;
grant execute on function
  partition_archiver.days_since_successful_run(),
  partition_archiver.days_since_drill(),
  partition_archiver.days_in_partitioning(),
  partition_archiver.record_audit(text, bigint, bigint, bigint),
  partition_archiver.days_since_audit()
to archiver_read;

grant execute on function
  partition_archiver.resume(bigint),
  partition_archiver.release(bigint, name),
  partition_archiver.begin_reverify(bigint),
  partition_archiver.upgrade_ledger(bigint, boolean, name),
  partition_archiver.identity_mismatches()
to archiver_maintain;
grant execute on function
  partition_archiver.reverify_source(bigint, integer),
  partition_archiver.record_reverified(bigint, integer, text, bigint, bigint, text),
  partition_archiver.record_reverify_mismatch(bigint, integer, text),
  partition_archiver.finish_reverify(bigint, text),
  partition_archiver.begin_listing(text, jsonb, bigint, integer, integer),
  partition_archiver.end_listing(text, jsonb, jsonb),
  partition_archiver.begin_withdrawal(uuid)
to archiver_read;

reset role;

-- A database may have taken CONNECT from PUBLIC. What the administrator may not grant, preflight lists.
do $connect$
declare
  v_role text;
begin
  foreach v_role in array array['archiver_maintain', 'archiver_read', 'archiver_stream', 'archiver_drop',
    'archiver_restore'] loop
    if not pg_catalog.has_database_privilege(v_role, current_database(), 'connect') then
      execute format('grant connect on database %I to %I', current_database(), v_role);
    end if;
  end loop;
exception when insufficient_privilege then
  null;
end
$connect$;
