-- Restore, the foreign keys that an attach needs: ATTACH makes those that are missing while it holds the
-- locks of the tables that are referenced, and reads the whole table for each of them meanwhile.

set role archiver_owner;

-- Makes the foreign keys of a parent on a restored table, those that it does not have yet, without reading
-- it. Not those to the parent itself, in which its rows are not yet.
create or replace function partition_archiver.reference_restored(p_partition_id bigint, p_parent_schema name,
  p_parent_name name) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp
    set quote_all_identifiers = off as $$
declare
  l partition_archiver.partition := partition_archiver.claim_restored(p_partition_id);
  v_parent oid := to_regclass(format('%I.%I', p_parent_schema, p_parent_name))::oid;
  v_before oid[];
  v_deadline constant timestamptz := partition_archiver.lock_deadline();
  v_key record;
begin
  if exists (select from pg_inherits where inhrelid = l.table_oid) then
    return;
  end if;
  -- What is made from here on is made by this call.
  perform partition_archiver.hold_definition(l.table_oid);
  v_before := array(select oid from pg_constraint where conrelid = l.table_oid);
  for v_key in
    select k.confrelid, pg_get_constraintdef(k.oid) as definition
      from pg_constraint k
      join pg_class c on c.oid = k.confrelid join pg_namespace n on n.oid = c.relnamespace
     where k.conrelid = v_parent and k.contype = 'f' and k.convalidated and k.confrelid <> v_parent
       -- A key to a partitioned table has parts.
       and not exists (select from pg_constraint r where r.oid = k.conparentid and r.conrelid = k.conrelid)
       and not exists (select from pg_constraint o where o.conrelid = l.table_oid and o.contype = 'f'
         and o.conparentid = 0
         and replace(pg_get_constraintdef(o.oid), ' NOT VALID', '') = pg_get_constraintdef(k.oid))
     order by n.nspname, c.relname, k.conname
  loop
    perform partition_archiver.lock_tree(v_key.confrelid, 'share row exclusive', v_deadline);
    execute format('alter table only %I.%I add %s not valid', l.table_schema, l.table_name,
      v_key.definition);
  end loop;
  update partition_archiver.restore r
     set attach_keys = r.attach_keys || array(select oid from pg_constraint
       where conrelid = l.table_oid and contype = 'f' and conparentid = 0 and oid <> all (v_before))
   where r.partition_id = p_partition_id;
end
$$;

-- Validates these keys, under locks that readers and writers of neither table notice. AttachRefused where
-- rows that they refer to are gone.
create or replace function partition_archiver.validate_references(p_partition_id bigint) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition := partition_archiver.claim_restored(p_partition_id);
  v_name name;
begin
  for v_name in
    select k.conname
      from partition_archiver.restore r cross join unnest(r.attach_keys) as made (oid)
      join pg_constraint k on k.oid = made.oid and k.conrelid = l.table_oid
     where r.partition_id = p_partition_id and not k.convalidated order by k.conname
  loop
    begin
      execute format('alter table %I.%I validate constraint %I', l.table_schema, l.table_name, v_name);
    exception when others then
      if partition_archiver.passes_by_itself(sqlstate) then
        raise;
      end if;
      raise exception '%.% cannot be attached: %', l.table_schema, l.table_name, sqlerrm
        using errcode = 'PA017'; -- AttachRefused
    end;
  end loop;
end
$$;

reset role;
