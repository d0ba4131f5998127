-- Restore, attaching a restored table to a parent.

set role archiver_owner;

-- A restored table for a step after its publication, claimed until this transaction ends. SegmentBusy while
-- another session is at one: the server finishes a step whose client is gone, however long that takes.
create or replace function partition_archiver.claim_restored(p_partition_id bigint)
  returns partition_archiver.partition
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('partition_archiver attach ' || p_partition_id, 0)) then
    raise exception 'another session validates or attaches the restored table of partition % just now',
      p_partition_id using errcode = 'PA005'; -- SegmentBusy
  end if;
  -- Autovacuum comes to a table soon after it was loaded.
  perform partition_archiver.wait_for_autovacuum(table_oid) from partition_archiver.partition
    where id = p_partition_id;
  perform partition_archiver.set_lock_timeout();
  l := partition_archiver.claim(p_partition_id, 'restored');
  if to_regclass(format('%I.%I', l.table_schema, l.table_name))::oid is distinct from l.table_oid then
    raise exception 'table %.% is another one now', l.table_schema, l.table_name
      using errcode = 'PA002'; -- IdentityChanged
  end if;
  return l;
end
$$;

-- Refuses to attach a restored table where it cannot be, or would not stay: AttachRefused with the reasons,
-- or ArchiveListed. Changes nothing.
create or replace function partition_archiver.check_attach(p_partition_id bigint, p_parent_schema name,
  p_parent_name name) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  l partition_archiver.partition := partition_archiver.claim_restored(p_partition_id);
  v_problems text[];
begin
  if exists (select from pg_inherits where inhrelid = l.table_oid
    and inhparent = to_regclass(format('%I.%I', p_parent_schema, p_parent_name))) then
    return;
  end if;
  -- In another table than the one it came from, its rows are no rows of that set.
  perform partition_archiver.assert_not_listed(r.archive_id) from partition_archiver.restore r
    where r.partition_id = p_partition_id and r.partition ->> 'parentSchema' = p_parent_schema
      and r.partition ->> 'parentName' = p_parent_name;
  v_problems := partition_archiver.attach_problems(p_parent_schema, p_parent_name, l.control_column,
    l.lower_bound, l.upper_bound,
    (select jsonb_agg(facts) from partition_archiver.ddl_columns(l.table_oid, 'none')), l.time_zone);
  if v_problems <> '{}' then
    raise exception '%.% cannot be attached to %.%: %', l.table_schema, l.table_name, p_parent_schema,
      p_parent_name, array_to_string(v_problems, '; ')
      using errcode = 'PA017'; -- AttachRefused
  end if;
end
$$;

-- Says of a restored table what bounds its rows have, so that ATTACH takes it from there: while it reads the
-- table itself, the default partition of the parent is locked, and with it every query that may need that
-- one. AttachRefused where a row has others.
create or replace function partition_archiver.bound_restored(p_partition_id bigint) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
    set datestyle = 'ISO, YMD' as $$
declare
  l partition_archiver.partition := partition_archiver.claim_restored(p_partition_id);
  v_table text := format('%I.%I', l.table_schema, l.table_name);
begin
  if exists (select from pg_inherits where inhrelid = l.table_oid)
     or exists (select from pg_constraint where conrelid = l.table_oid
       and conname = 'partition_archiver_bounds') then
    return;
  end if;
  execute format('alter table %s add constraint partition_archiver_bounds check (%2$I is not null and %2$I '
    '>= %3$L and %2$I < %4$L)',
    v_table, l.control_column, l.lower_bound, l.upper_bound);
exception when check_violation then
  raise exception '% cannot be attached: it has rows out of the bounds that it had', v_table
    using errcode = 'PA017'; -- AttachRefused
end
$$;

-- Attaches a restored table to a parent, its own or another one. AttachRefused with the reasons where it
-- cannot be, or would not stay.
create or replace function partition_archiver.attach_restored(p_partition_id bigint, p_parent_schema name,
  p_parent_name name) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  l partition_archiver.partition := partition_archiver.claim_restored(p_partition_id);
  v_table text := format('%I.%I', l.table_schema, l.table_name);
  v_parent oid := to_regclass(format('%I.%I', p_parent_schema, p_parent_name))::oid;
  v_deadline timestamptz;
begin
  if exists (select from pg_inherits where inhrelid = l.table_oid and inhparent = v_parent) then
    return;
  end if;
  perform partition_archiver.wait_for_autovacuum_of_default(v_parent);
  perform partition_archiver.check_attach(p_partition_id, p_parent_schema, p_parent_name);
  perform partition_archiver.require_withdrawn(r.archive_id) from partition_archiver.restore r
    where r.partition_id = p_partition_id and r.partition ->> 'parentSchema' = p_parent_schema
      and r.partition ->> 'parentName' = p_parent_name;
  perform partition_archiver.bound_restored(p_partition_id);
  v_deadline := partition_archiver.lock_deadline();
  -- In the application's order: a delete from a referenced table has that one before it comes here.
  perform partition_archiver.lock_referenced(v_parent, 'share row exclusive', v_deadline);
  perform partition_archiver.set_lock_timeout_until(v_deadline);
  begin
    execute format('alter table %I.%I attach partition %s for values from (%L) to (%L)', p_parent_schema,
      p_parent_name, v_table,
      l.lower_bound, l.upper_bound);
  exception when others then
    if partition_archiver.passes_by_itself(sqlstate) then
      raise;
    end if;
    -- The message of a violated bound or constraint names tables and columns, and no values.
    raise exception '% cannot be attached to %.%: %', v_table, p_parent_schema, p_parent_name, sqlerrm
      using errcode = 'PA017'; -- AttachRefused
  end;
  execute format('alter table %s drop constraint partition_archiver_bounds', v_table);
  update partition_archiver.partition
     set parent_oid = v_parent, parent_schema = p_parent_schema, parent_name = p_parent_name,
       last_attached_at = now(),
         attach_statement = format('alter table %I.%I attach partition %s %s', p_parent_schema,
           p_parent_name, v_table, l.bounds)
   where id = p_partition_id;
  update partition_archiver.restore set attach_indexes = '{}', attach_keys = '{}'
   where partition_id = p_partition_id;
end
$$;

-- Takes away what was made on a restored table for an attach that was refused: the check of its bounds,
-- indexes and foreign keys. Nothing of a table that is attached.
create or replace function partition_archiver.undo_attach(p_partition_id bigint) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition := partition_archiver.claim_restored(p_partition_id);
  v_deadline constant timestamptz := partition_archiver.lock_deadline();
  v_index record;
  v_key record;
begin
  if exists (select from pg_inherits where inhrelid = l.table_oid) then
    return;
  end if;
  execute format('alter table %I.%I drop constraint if exists partition_archiver_bounds', l.table_schema,
    l.table_name);
  for v_index in
    select c.relname, k.conname
      from partition_archiver.restore r cross join unnest(r.attach_indexes) as made (oid)
      join pg_index x on x.indexrelid = made.oid and x.indrelid = l.table_oid
      join pg_class c on c.oid = made.oid
      left join pg_constraint k on k.conindid = made.oid and k.conrelid = l.table_oid
        and k.contype in ('p', 'u')
     where r.partition_id = p_partition_id
  loop
    if v_index.conname is not null then
      execute format('alter table %I.%I drop constraint %I restrict', l.table_schema, l.table_name,
        v_index.conname);
    else
      execute format('drop index %I.%I restrict', l.table_schema, v_index.relname);
    end if;
  end loop;
  for v_key in
    select k.conname, k.confrelid
      from partition_archiver.restore r cross join unnest(r.attach_keys) as made (oid)
      join pg_constraint k on k.oid = made.oid and k.conrelid = l.table_oid
     where r.partition_id = p_partition_id
  loop
    perform partition_archiver.lock_tree(v_key.confrelid, 'access exclusive', v_deadline);
    execute format('alter table %I.%I drop constraint %I restrict', l.table_schema, l.table_name,
      v_key.conname);
  end loop;
  update partition_archiver.restore set attach_indexes = '{}', attach_keys = '{}'
   where partition_id = p_partition_id;
end
$$;

reset role;
