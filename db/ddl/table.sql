-- DDL archive: columns, the table with its sequences, constraints and indexes.

set role archiver_owner;

-- The columns, each with the line that defines it in CREATE TABLE. PostgreSQL 18 names NOT NULL constraints:
-- those are written among the constraints.
create or replace function partition_archiver.ddl_columns(p_table oid, p_marker text)
  returns table (attnum integer, line text, facts jsonb)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select a.attnum,
         format('%I %s', a.attname, x.type)
           || case a.attcompression when 'p' then ' COMPRESSION pglz' when 'l' then ' COMPRESSION lz4'
             else '' end
           || coalesce(' COLLATE ' || x.collation, '')
           || case when a.attgenerated = 's' then format(' GENERATED ALWAYS AS (%s) STORED', x.expression)
                   when a.attgenerated = 'v' then format(' GENERATED ALWAYS AS (%s) VIRTUAL', x.expression)
                   when a.attidentity <> '' then format(' GENERATED %s AS IDENTITY (SEQUENCE NAME '
                     '{%s:sequence %s} %s)',
                     case a.attidentity when 'a' then 'ALWAYS' else 'BY DEFAULT' end, p_marker, s.number,
                     partition_archiver.ddl_sequence_options(s.oid))
                   when x.expression is not null then ' DEFAULT ' || x.expression
                   else '' end
           || case when a.attnotnull and not x.is_named_not_null then ' NOT NULL' else '' end,
         jsonb_build_object('number', a.attnum, 'name', a.attname, 'type', x.type, 'collation', x.collation,
           'not_null', a.attnotnull, 'generated', a.attgenerated, 'identity', a.attidentity, 'default',
             x.expression,
           'storage', a.attstorage, 'compression', a.attcompression, 'options',
             to_jsonb(partition_archiver.column_options(a.attoptions)),
           'statistics', coalesce((to_jsonb(a) ->> 'attstattarget')::integer, -1))
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join partition_archiver.owned_sequences(p_table) s on s.attnum = a.attnum and s.is_identity
    cross join lateral (select
      format_type(a.atttypid, a.atttypmod) as type,
      (select format('%I.%I', n.nspname, l.collname) from pg_collation l
        join pg_namespace n on n.oid = l.collnamespace
        where l.oid = a.attcollation and a.attcollation <> t.typcollation) as collation,
      partition_archiver.ddl_template(pg_get_expr(d.adbin, d.adrelid), p_marker) as expression,
      exists (select from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'n'
        and k.conkey = array[a.attnum])
        as is_named_not_null) x
   where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped
$$;

-- CREATE TABLE with its sequences, and what is said of columns afterwards.
create or replace function partition_archiver.ddl_table(p_table oid, p_marker text)
  returns table (section text, statement text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  v_table text := format('{%s:table}', p_marker);
begin
  return query
    select 'structure', format('CREATE %sSEQUENCE {%s:sequence %s} AS %s %s',
      case k.relpersistence when 'u' then 'UNLOGGED ' else '' end,
             p_marker, s.number, format_type(q.seqtypid, null),
               partition_archiver.ddl_sequence_options(s.oid))
      from partition_archiver.owned_sequences(p_table) s
      join pg_sequence q on q.seqrelid = s.oid join pg_class k on k.oid = s.oid
     where not s.is_identity order by s.number;

  return query
    select 'structure', format(E'CREATE %sTABLE %s (%s)\nUSING %I%s%s',
      case c.relpersistence when 'u' then 'UNLOGGED ' else '' end,
             v_table,
             (select E'\n  ' || string_agg(line, E',\n  ' order by rank, position) || E'\n' from (
                select 0 as rank, row_number() over (order by attnum) as position, line
                  from partition_archiver.ddl_columns(p_table, p_marker)
                union all
                select 1, row_number() over (order by conname collate "C"),
                       format('CONSTRAINT %I %s', conname,
                         partition_archiver.ddl_template(pg_get_constraintdef(oid), p_marker))
                  from pg_constraint where conrelid = p_table and contype in ('c', 'n') and convalidated
                    and conparentid = 0) l),
             am.amname,
             E'\nWITH (' || nullif(concat_ws(', ', partition_archiver.ddl_options(c.reloptions),
                                     partition_archiver.ddl_options(t.reloptions, 'toast.')), '') || ')',
             (select format(E'\nTABLESPACE %I', spcname) from pg_tablespace where oid = c.reltablespace))
      from pg_class c join pg_am am on am.oid = c.relam left join pg_class t on t.oid = c.reltoastrelid
     where c.oid = p_table;

  return query
    select 'structure', format('ALTER SEQUENCE {%s:sequence %s} OWNED BY %s.%I', p_marker, s.number, v_table,
      a.attname)
      from partition_archiver.owned_sequences(p_table) s
      join pg_attribute a on a.attrelid = p_table and a.attnum = s.attnum
     where not s.is_identity order by s.number;

  return query
    select 'structure', format('ALTER TABLE ONLY %s ALTER COLUMN %I SET %s', v_table, a.attname, change)
      from pg_attribute a join pg_type t on t.oid = a.atttypid, lateral (values
        (1, case when a.attstorage <> t.typstorage then 'STORAGE ' ||
              case a.attstorage when 'p' then 'PLAIN' when 'e' then 'EXTERNAL' when 'm' then 'MAIN'
                else 'EXTENDED' end end),
        (2, case when coalesce((to_jsonb(a) ->> 'attstattarget')::integer, -1) >= 0
              then 'STATISTICS ' || (to_jsonb(a) ->> 'attstattarget') end),
        (3, '(' || partition_archiver.ddl_options(partition_archiver.column_options(a.attoptions))
          || ')')) as x (position, change)
     where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and change is not null
     order by a.attnum, position;
end
$$;

-- Constraints and indexes. pg_get_constraintdef leaves out options and tablespace of the index behind a
-- constraint. A constraint with a parent (conparentid) is part of another one, of a foreign key to a
-- partitioned table, say.
create or replace function partition_archiver.ddl_indexes(p_table oid, p_marker text)
  returns table (section text, statement text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  v_table text := format('{%s:table}', p_marker);
  v_schema text := format('{%s:schema}', p_marker);
begin
  return query
    select case contype when 'f' then 'foreign_keys' else 'structure' end,
           format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s', v_table, conname,
             partition_archiver.ddl_template(pg_get_constraintdef(oid), p_marker))
      from pg_constraint
     where conrelid = p_table and conparentid = 0
       and (contype in ('p', 'u', 'x', 'f') or contype in ('c', 'n') and not convalidated)
     order by strpos('cnpuxf', contype::text), conname collate "C";

  return query
    select 'structure', statement from (
      select k.relname, 1 as position, partition_archiver.ddl_template(pg_get_indexdef(k.oid),
        p_marker) as statement
        from pg_index i join pg_class k on k.oid = i.indexrelid
       where i.indrelid = p_table
         and not exists (select from pg_constraint x where x.conindid = k.oid and x.conrelid = p_table
           and x.contype in ('p', 'u', 'x'))
      union all
      select k.relname, 2, format('ALTER INDEX %s.%I SET (%s)', v_schema, k.relname,
        partition_archiver.ddl_options(k.reloptions))
        from pg_index i join pg_class k on k.oid = i.indexrelid
       where i.indrelid = p_table and k.reloptions is not null
         and exists (select from pg_constraint x where x.conindid = k.oid and x.conrelid = p_table
           and x.contype in ('p', 'u', 'x'))
      union all
      select k.relname, 3, format('ALTER INDEX %s.%I SET TABLESPACE %I', v_schema, k.relname, s.spcname)
        from pg_index i join pg_class k on k.oid = i.indexrelid
          join pg_tablespace s on s.oid = k.reltablespace
       where i.indrelid = p_table
      union all
      select k.relname, 3 + a.attnum, format('ALTER INDEX %s.%I ALTER COLUMN %s SET STATISTICS %s',
               v_schema, k.relname, a.attnum, to_jsonb(a) ->> 'attstattarget')
        from pg_index i join pg_class k on k.oid = i.indexrelid join pg_attribute a on a.attrelid = k.oid
       where i.indrelid = p_table and coalesce((to_jsonb(a) ->> 'attstattarget')::integer, -1) >= 0
      union all
      select k.relname, 99, format('ALTER INDEX %s.%I DEPENDS ON EXTENSION %I', v_schema, k.relname,
        e.extname)
        from pg_index i join pg_class k on k.oid = i.indexrelid
          cross join partition_archiver.ddl_extensions_of('pg_class'::regclass, k.oid) e
       where i.indrelid = p_table
      union all
      select k.relname, 100, format('ALTER TABLE %s CLUSTER ON %I', v_table, k.relname)
        from pg_index i join pg_class k on k.oid = i.indexrelid where i.indrelid = p_table
          and i.indisclustered
    ) x order by relname collate "C", position, statement collate "C";

  -- Replica identity by an index that was dropped since is none.
  return query
    select 'structure', format('ALTER TABLE ONLY %s REPLICA IDENTITY %s', v_table,
             case when c.relreplident = 'f' then 'FULL' when c.relreplident = 'n'
               or k.relname is null then 'NOTHING'
                  else format('USING INDEX %I', k.relname) end)
      from pg_class c
      left join pg_index i on i.indrelid = c.oid and i.indisreplident and c.relreplident = 'i'
      left join pg_class k on k.oid = i.indexrelid
     where c.oid = p_table and c.relreplident <> 'd';
end
$$;

reset role;
