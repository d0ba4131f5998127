-- Guard: an event trigger that refuses to drop a table of the ledger in any way other than drop_verified.
-- Optional, and not part of install.sql: event triggers are for superusers, and for rds_superuser on RDS. Run
-- it as an administrator after install.sql; safe to run again. It also stops pg_partman where a set has
-- retention_keep_table = false.
--
-- Not guarded: what was dropped, restored, or released to its owner. Where an attached partition and its rows
-- are to go for good without an archive, say so first, by its name or its parent's, as the error shows it:
--
--   set partition_archiver.drop_without_archive = 'shop.orders';
--
-- To take the guard away: drop event trigger partition_archiver_guard;

set default_transaction_read_only = off; -- where the database is read-only for others
set role archiver_owner;

create or replace function partition_archiver.guard_drop() returns event_trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  set standard_conforming_strings = on set jit = off as $$
declare
  v_object record;
  v_stack text;
  v_allowed constant text[] :=
    regexp_split_to_array(current_setting('partition_archiver.drop_without_archive', true), '\s*,\s*');
begin
  get diagnostics v_stack = pg_context;
  for v_object in
    select o.object_identity as name, l.id, coalesce(l.state, 'unknown to the ledger') as state,
      o.schema_name = 'partition_archiver_quarantine' or l.quarantine_name is not null as is_quarantined,
           case when l.id is not null then format('%I.%I', l.parent_schema, l.parent_name) end as parent
      from pg_event_trigger_dropped_objects() o
      left join partition_archiver.partition l on l.table_oid = o.objid
        and l.state not in ('dropped', 'missing', 'restored', 'released')
           and l.system_identifier = partition_archiver.system_identifier()
           and l.database_name = current_database()
     where o.classid = 'pg_class'::regclass and o.objsubid = 0 and o.object_type = 'table'
       and not o.is_temporary
       and (l.id is not null or o.schema_name = 'partition_archiver_quarantine')
  loop
    -- The call stack names functions with their schema where the search path has none, as in drop_verified.
    continue when v_object.state = 'verified'
      and v_stack ~ ' partition_archiver\.drop_verified\(bigint,text\) ';
    continue when not v_object.is_quarantined
      and (v_object.name = any (v_allowed) or v_object.parent = any (v_allowed));
    raise exception 'table % may not be dropped: it is % and has no verified archive that '
      'partition-archiver would drop it for',
        v_object.name, v_object.state
      using errcode = 'PA012', -- StateConflict
            hint = case when v_object.is_quarantined
              then 'Have it dropped, or released to its owner, by partition-archiver.'
              else format('Detach it, and it is archived and dropped once it is past the retention. To drop '
                'it with its rows and without an archive, first: set '
                'partition_archiver.drop_without_archive = %L;', v_object.name) end;
  end loop;
end
$$;
revoke all on function partition_archiver.guard_drop() from public;

reset role;

do $guard$
begin
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'partition_archiver_guard') then
    create event trigger partition_archiver_guard
  on sql_drop execute function partition_archiver.guard_drop();
  end if;
end
$guard$;
comment on event trigger partition_archiver_guard
  is 'partition-archiver: refuses to drop a table of the ledger that has no verified archive';
