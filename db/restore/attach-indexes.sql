-- Restore, the indexes that an attach needs: ATTACH builds those that are missing while it holds the locks of
-- the default partition and of the tables that are referenced, for as long as it takes to read and sort the
-- whole table.

set role archiver_owner;

-- What is the same of two indexes on tables with the same columns: their definition after the name of the
-- table.
create or replace function partition_archiver.index_definition(p_index oid) returns text
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select case when x.indisunique then 'UNIQUE ' else '' end || substr(d.definition, length(d.prefix) + 1)
    from pg_index x
    join pg_class i on i.oid = x.indexrelid
    join pg_class c on c.oid = x.indrelid join pg_namespace n on n.oid = c.relnamespace
    cross join lateral (
      select pg_get_indexdef(p_index) as definition,
             format('CREATE %sINDEX %I ON %s%I.%I ', case when x.indisunique then 'UNIQUE ' else '' end,
               i.relname,
                    case c.relkind when 'p' then 'ONLY ' else '' end, n.nspname, c.relname) as prefix) d
   where x.indexrelid = p_index
$$;

-- Makes the indexes of a parent on a restored table, those that it does not have yet. AttachRefused where the
-- rows or the table do not allow one.
create or replace function partition_archiver.index_restored(p_partition_id bigint, p_parent_schema name,
  p_parent_name name) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp
    set quote_all_identifiers = off as $$
declare
  l partition_archiver.partition := partition_archiver.claim_restored(p_partition_id);
  v_table text := format('%I.%I', l.table_schema, l.table_name);
  v_parent oid := to_regclass(format('%I.%I', p_parent_schema, p_parent_name))::oid;
  v_before oid[];
  v_index record;
begin
  if exists (select from pg_inherits where inhrelid = l.table_oid) then
    return;
  end if;
  -- What is made from here on is made by this call.
  perform partition_archiver.hold_definition(l.table_oid);
  v_before := array(select indexrelid from pg_index where indrelid = l.table_oid);
  for v_index in
    select x.indexrelid, x.indisunique, pg_get_constraintdef(k.oid) as constraint_definition,
           partition_archiver.index_definition(x.indexrelid) as definition
      from pg_index x left join pg_constraint k on k.conindid = x.indexrelid and k.conrelid = x.indrelid
        and k.contype in ('p', 'u')
     where x.indrelid = v_parent and x.indisvalid
     order by x.indisprimary desc, x.indexrelid
  loop
    continue when exists (
      select from pg_index x left join pg_constraint k on k.conindid = x.indexrelid
        and k.conrelid = x.indrelid and k.contype in ('p', 'u')
       where x.indrelid = l.table_oid and x.indisvalid
         and partition_archiver.index_definition(x.indexrelid) = v_index.definition
         and (v_index.constraint_definition is null
           or pg_get_constraintdef(k.oid) = v_index.constraint_definition));
    begin
      if v_index.constraint_definition is not null then
        execute format('alter table %s add %s', v_table, v_index.constraint_definition);
      else
        execute format('create %sindex on %s %s', case when v_index.indisunique then 'unique ' else '' end,
          v_table,
          regexp_replace(v_index.definition, '^UNIQUE ', ''));
      end if;
    exception when others then
      if partition_archiver.passes_by_itself(sqlstate) then
        raise;
      end if;
      raise exception '% cannot be attached to %.%: %', v_table, p_parent_schema, p_parent_name, sqlerrm
        using errcode = 'PA017'; -- AttachRefused
    end;
  end loop;
  update partition_archiver.restore r
     set attach_indexes = r.attach_indexes || array(select indexrelid from pg_index
       where indrelid = l.table_oid and indexrelid <> all (v_before))
   where r.partition_id = p_partition_id;
end
$$;

reset role;
