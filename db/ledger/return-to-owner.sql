-- Return to owner: a quarantined table becomes again what it was.

set role archiver_owner;

-- Hands a quarantined table back: its own schema, names, owner, foreign keys and row security; the fence goes.
-- The plan and the archive id are void; a second quarantine mints a new one. The row is released.
create or replace function partition_archiver.return_to_owner(p_id bigint) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'quarantined', 'exported', 'verified', 'blocked');
  v_table text := format('%I.%I', l.table_schema, l.table_name);
  v_object record;
  v_statement text;
  v_deadline timestamptz;
begin
  if l.quarantine_name is null then
    raise exception 'partition % is not in quarantine', p_id using errcode = 'PA001';
  end if;
  perform partition_archiver.set_lock_timeout();
  begin
    execute format('lock table only partition_archiver_quarantine.%I in access exclusive mode', l.quarantine_name);
  exception when undefined_table or insufficient_privilege then
    raise exception 'table partition_archiver_quarantine.% is gone or another one now', l.quarantine_name using errcode = 'PA002';
  end;
  if to_regclass(format('partition_archiver_quarantine.%I', l.quarantine_name)) is distinct from l.table_oid::regclass then
    raise exception 'table partition_archiver_quarantine.% is another one now', l.quarantine_name using errcode = 'PA002';
  end if;
  if to_regnamespace(quote_ident(l.table_schema)) is null then
    raise exception 'table partition_archiver_quarantine.% came from schema %, which was renamed or dropped since: rename it back, or make it again (create schema % authorization %;), then release the partition again',
      quote_ident(l.quarantine_name), quote_ident(l.table_schema), quote_ident(l.table_schema), quote_ident(l.original_owner) using errcode = 'PA004';
  end if;
  if to_regclass(v_table) is not null then
    raise exception 'the name % is taken by another table now', v_table using errcode = 'PA004',
      hint = 'Rename or move that table, then try again.';
  end if;

  -- Whoever lifted the fence by mistake gets the table back all the same.
  execute format('drop trigger if exists partition_archiver_fence_row on partition_archiver_quarantine.%I', l.quarantine_name);
  execute format('drop trigger if exists partition_archiver_fence_truncate on partition_archiver_quarantine.%I', l.quarantine_name);
  execute format('revoke select on partition_archiver_quarantine.%I from archiver_read, archiver_trial', l.quarantine_name);
  execute format('alter table partition_archiver_quarantine.%I set schema %I', l.quarantine_name, l.table_schema);
  execute format('alter table %I.%I rename to %I', l.table_schema, l.quarantine_name, l.table_name);
  -- An index may be gone with a function or an operator class of the application's.
  for v_object in
    select x.kind, x.name, c.relname from jsonb_to_recordset(l.original_names) as x (oid oid, kind "char", name name) join pg_class c on c.oid = x.oid
  loop
    execute format('alter %s %I.%I rename to %I', case v_object.kind when 'S' then 'sequence' else 'index' end,
      l.table_schema, v_object.relname, v_object.name);
  end loop;
  -- Each foreign key waits for a lock on what it references, while those before it hold theirs.
  v_deadline := partition_archiver.lock_deadline();
  foreach v_statement in array partition_archiver.render_ddl(l.ddl, l.table_schema, l.table_name, array['foreign_keys', 'row_security']) loop
    perform partition_archiver.set_lock_timeout_until(v_deadline);
    begin
      -- Validating would hold a lock on the live referenced table for as long as the scan takes. Said twice it is as well.
      execute v_statement || case when v_statement ~ ' FOREIGN KEY ' then ' NOT VALID' else '' end;
    exception when undefined_table or undefined_column or invalid_schema_name or invalid_foreign_key then
      -- What it referenced went meanwhile, which would have taken the foreign key with it.
      insert into partition_archiver.event (partition_id, from_state, to_state, note)
        values (p_id, l.state, 'released', format('left out: %s (%s)', v_statement, sqlerrm));
    end;
  end loop;
  execute format('alter table %s owner to %I', v_table, l.original_owner);

  update partition_archiver.partition
     set state = 'released', blocked_state = null, blocked_code = null, blocked_reason = null,
         archive_id = null, quarantine_name = null, original_owner = null, original_names = null, seal = null, ddl = null,
         column_list = null, row_count = null, byte_count = null, manifest_key = null, manifest_version_id = null,
         manifest_sha256 = null, drop_after = null, quarantined_at = null, exported_at = null, verified_at = null
   where id = p_id;
  delete from partition_archiver.segment where archive_id = l.archive_id;
end
$$;

reset role;
