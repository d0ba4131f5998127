-- Return to owner: a quarantined table becomes again what it was.

set role archiver_owner;

-- The role that a quarantined table is returned to: the one that is given, or its owner by OID, whatever that
-- is called now, or by name. DependencyMissing where there is none, or archiver_owner may not
-- give it a table.
create or replace function partition_archiver.receiver_of(l partition_archiver.partition, p_owner name)
  returns name
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_owner name := coalesce(p_owner, (select rolname from pg_roles where oid = l.original_owner_oid),
    l.original_owner);
begin
  if to_regrole(quote_ident(v_owner)) is null then
    raise exception 'partition % belonged to role %, which was dropped since, or renamed: name another '
      'owner (release % --owner <role>)',
      l.id, quote_ident(v_owner), l.id using errcode = 'PA014'; -- DependencyMissing
  elsif not pg_has_role('archiver_owner', to_regrole(quote_ident(v_owner))::oid, 'usage') then
    raise exception 'role archiver_owner is not a member of role %, to which partition % is returned: '
      'grant % to archiver_owner;',
      quote_ident(v_owner), l.id, quote_ident(v_owner) using errcode = 'PA014'; -- DependencyMissing
  end if;
  return v_owner;
end
$$;

-- Gives indexes and sequences of a table that was returned to its owner the names that they had: by OID, else
-- (an index that was built again by REINDEX CONCURRENTLY) by the name that it had in quarantine, else by its
-- definition. Returns what has no name of its own again.
create or replace function partition_archiver.give_names_back(l partition_archiver.partition) returns text[]
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_object record;
  v_now record;
  v_given oid[] := '{}';
  v_notes text[] := '{}';
  v_statements constant text[] := partition_archiver.render_ddl(l.ddl, l.table_schema, l.table_name,
    array['structure']);
begin
  for v_object in
    select case x.kind when 'S' then 'sequence' else 'index' end as kind, x.name, x.oid,
      partition_archiver.name_with_oid(x.name, x.oid) as quarantine_name
      from jsonb_to_recordset(l.original_names) as x (oid oid, kind "char", name name)
     order by exists (select from pg_class c where c.oid = x.oid) desc
  loop
    -- An index may be gone with a function or an operator class of the application's. Materialized: else the
    -- definition of each index of the database is read, which waits where its table is locked.
    with candidate as materialized (
      select c.oid, c.relname from pg_class c
       where c.oid = v_object.oid or c.oid in (select indexrelid from pg_index where indrelid = l.table_oid))
    select c.oid, c.relname into v_now from candidate c
     where c.oid <> all (v_given)
       and (c.oid = v_object.oid or c.relname = v_object.quarantine_name
            or substr(pg_get_indexdef(c.oid), strpos(pg_get_indexdef(c.oid), ' ON '))
               in (select substr(s, strpos(s, ' ON ')) from unnest(v_statements) s
                    where starts_with(s, format('CREATE INDEX %I ON ', v_object.name))
                      or starts_with(s, format('CREATE UNIQUE INDEX %I ON ', v_object.name))))
     order by c.oid = v_object.oid desc, c.relname = v_object.quarantine_name desc limit 1;
    if v_now.oid is null then
      v_notes := v_notes || format('%s %I is not there any more', v_object.kind, v_object.name);
      continue;
    end if;
    v_given := v_given || v_now.oid;
    continue when v_now.relname = v_object.name;
    if exists (select from pg_class where relname = v_object.name
      and relnamespace = to_regnamespace(quote_ident(l.table_schema))) then
      v_notes := v_notes || format('%s %I is called %I: the name was taken',
        v_object.kind, v_object.name, v_now.relname);
      continue;
    end if;
    execute format('alter %s %I.%I rename to %I', v_object.kind, l.table_schema, v_now.relname,
      v_object.name);
  end loop;
  return v_notes || array(
    select format('index %I was made in quarantine', c.relname) from pg_index i
      join pg_class c on c.oid = i.indexrelid
     where i.indrelid = l.table_oid and c.oid <> all (v_given) order by 1);
end
$$;

-- Hands a quarantined table back: its own schema, names, owner, foreign keys and row security; the fence
-- goes. The plan and the archive id are void; a second quarantine mints a new one. The row is released.
-- p_owner: another owner.
create or replace function partition_archiver.return_to_owner(p_id bigint, p_owner name default null)
  returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'quarantined', 'exported', 'verified',
    'blocked');
  v_table text := format('%I.%I', l.table_schema, l.table_name);
  v_owner name;
  v_statement text;
  v_deadline timestamptz;
begin
  if l.quarantine_name is null then
    raise exception 'partition % is not in quarantine', p_id using errcode = 'PA001'; -- StateConflict
  end if;
  v_owner := partition_archiver.receiver_of(l, p_owner);
  perform partition_archiver.wait_for_autovacuum(l.table_oid);
  perform partition_archiver.set_lock_timeout();
  begin
    execute format('lock table only partition_archiver_quarantine.%I in access exclusive mode',
      l.quarantine_name);
  exception when undefined_table or insufficient_privilege then
    raise exception 'table partition_archiver_quarantine.% is gone or another one now', l.quarantine_name
      using errcode = 'PA002'; -- IdentityChanged
  end;
  if to_regclass(format('partition_archiver_quarantine.%I',
    l.quarantine_name)) is distinct from l.table_oid::regclass then
    raise exception 'table partition_archiver_quarantine.% is another one now', l.quarantine_name
      using errcode = 'PA002'; -- IdentityChanged
  end if;
  if to_regnamespace(quote_ident(l.table_schema)) is null then
    raise exception 'table partition_archiver_quarantine.% came from schema %, which was renamed or dropped '
      'since: rename it back, or make it again (create schema % authorization %;), then release the '
      'partition again',
      quote_ident(l.quarantine_name), quote_ident(l.table_schema), quote_ident(l.table_schema),
        quote_ident(v_owner) using errcode = 'PA004'; -- PartitionRefused
  end if;
  if to_regclass(v_table) is not null then
    raise exception 'the name % is taken by another table now', v_table
      using errcode = 'PA004', -- PartitionRefused
      hint = 'Rename or move that table, then try again.';
  end if;

  -- A fence that was lifted by mistake does not keep the table from its owner.
  execute format('drop trigger if exists partition_archiver_fence_row on partition_archiver_quarantine.%I',
    l.quarantine_name);
  execute format('drop trigger if exists partition_archiver_fence_truncate on '
    'partition_archiver_quarantine.%I', l.quarantine_name);
  execute format('revoke select on partition_archiver_quarantine.%I from archiver_read, archiver_stream, '
    'archiver_trial', l.quarantine_name);
  execute format('alter table partition_archiver_quarantine.%I set schema %I', l.quarantine_name,
    l.table_schema);
  execute format('alter table %I.%I rename to %I', l.table_schema, l.quarantine_name, l.table_name);
  foreach v_statement in array partition_archiver.give_names_back(l) loop
    insert into partition_archiver.event (partition_id, from_state, to_state, note)
      values (p_id, l.state, 'released', v_statement);
  end loop;
  -- Each foreign key waits for a lock on what it references, while those before it hold theirs.
  v_deadline := partition_archiver.lock_deadline();
  foreach v_statement in array partition_archiver.render_ddl(l.ddl, l.table_schema, l.table_name,
    array['foreign_keys', 'row_security']) loop
    begin
      if v_statement ~ '^ALTER TABLE .* FOREIGN KEY ' then
        perform partition_archiver.lock_tree(
          to_regclass(partition_archiver.referenced_table(v_statement))::oid, 'share row exclusive',
          v_deadline);
        -- Validating would hold a lock on the live referenced table for as long as the scan takes. PostgreSQL
        -- accepts NOT VALID twice.
        execute v_statement || ' NOT VALID';
      else
        execute v_statement;
      end if;
    exception when undefined_table or undefined_column or invalid_schema_name or invalid_foreign_key then
      -- What it referenced went meanwhile, which would have taken the foreign key with it.
      insert into partition_archiver.event (partition_id, from_state, to_state, note)
        values (p_id, l.state, 'released', format('left out: %s (%s)', v_statement, sqlerrm));
    end;
  end loop;
  execute format('alter table %s owner to %I', v_table, v_owner);

  update partition_archiver.partition
     set state = 'released', blocked_state = null, blocked_code = null, blocked_reason = null,
         archive_id = null, quarantine_name = null, original_owner = null, original_owner_oid = null,
           original_names = null, seal = null, ddl = null,
         column_list = null, row_count = null, byte_count = null, manifest_key = null,
           manifest_version_id = null,
         manifest_sha256 = null, counted_whole = null, table_bytes = null, drop_after = null,
           quarantined_at = null, exported_at = null, verified_at = null
   where id = p_id;
  delete from partition_archiver.segment where archive_id = l.archive_id;
end
$$;

reset role;
