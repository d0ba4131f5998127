-- Restore, names in partition_archiver_restore. An archived index has one name, and so have a sequence and a
-- statistics object; tables of several restores with the same names are there at the same time: two of one
-- archive, or of two sets whose tables have one name. So each object has its name only in a transaction that
-- makes it or a statement of which names it, and otherwise one with its OID, until the table is published.

set role archiver_owner;

-- Indexes, sequences and statistics of the table of a restore that have the schema of its own.
create or replace function partition_archiver.restored_objects(p_table oid)
  returns table (kind text, oid oid, name name)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select 'index', c.oid, c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = p_table
  union all
  select 'sequence', s.oid, s.name from partition_archiver.owned_sequences(p_table) s
  union all
  select 'statistics', s.oid, s.stxname from pg_statistic_ext s
    where s.stxrelid = p_table and s.stxnamespace = 'partition_archiver_restore'::regnamespace
$$;

-- Gives the objects of a restore names with their OIDs, and records those that they had.
create or replace function partition_archiver.hide_restored_names(p_id bigint) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  r partition_archiver.restore;
  v_object record;
begin
  select * into r from partition_archiver.restore where id = p_id;
  for v_object in
    select o.kind, o.oid, o.name from partition_archiver.restored_objects(r.work_oid) o
     where coalesce(r.original_names ->> o.oid::text, o.name) = o.name order by o.name
  loop
    execute format('alter %s partition_archiver_restore.%I rename to %I', v_object.kind, v_object.name,
      partition_archiver.name_with_oid(v_object.name, v_object.oid));
    update partition_archiver.restore
       set original_names = original_names || jsonb_build_object(v_object.oid, v_object.name)
     where id = p_id and not original_names ? v_object.oid::text;
  end loop;
end
$$;

-- Gives the objects that a statement names the names that they had.
create or replace function partition_archiver.show_restored_names(p_id bigint, p_statement text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  r partition_archiver.restore;
  v_object record;
begin
  select * into r from partition_archiver.restore where id = p_id;
  for v_object in
    select o.kind, o.name, n.original
      from partition_archiver.restored_objects(r.work_oid) o
      cross join lateral (select r.original_names ->> o.oid::text as original) n
     where n.original <> o.name
       -- As it is, or in a constant such as that of nextval().
       and (strpos(p_statement, quote_ident(n.original)) > 0
         or strpos(replace(replace(p_statement, '''''', ''''), '\\', '\'), quote_ident(n.original)) > 0)
     order by n.original
  loop
    execute format('alter %s partition_archiver_restore.%I rename to %I', v_object.kind, v_object.name,
      v_object.original);
  end loop;
end
$$;

reset role;
