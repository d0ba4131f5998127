-- The DDL archive: what CREATE statements it takes to make a table again, read from the catalogs.
--
-- capture_ddl answers templates. In them the table, its schema and its owned sequences stand as tokens,
-- {<marker>:table} and the like, whose marker is a new UUID for each capture: text of the user's can look like
-- anything but that. render_ddl turns templates into statements for a schema and name of choice; try_ddl runs them on
-- trial. What these functions do not know they refuse: half a table is worse than none.
--
-- PostgreSQL 14 to 18: a catalog column that not all of these have is read from to_jsonb(row).

set role archive_owner;

-- Where names of the table itself and of its sequences have been put by pg_get_expr and its kin, tokens.
-- capture_ddl has given them names that occur nowhere else. A name within a literal ('s.t'::regclass) is a token of
-- its own, since it has to be quoted as a literal too; name_1 is an alias that a rule made up from the name.
create or replace function partition_archiver.ddl_template(p_text text, p_marker text) returns text
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select case when strpos(p_text, p_marker) = 0 then p_text else
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(p_text,
      '''partition_archiver_trial\.pa_' || p_marker || '''', '{' || p_marker || ':table literal}', 'g'),
      '''partition_archiver_trial\.ps_' || p_marker || '_(\d+)''', '{' || p_marker || ':sequence literal \1}', 'g'),
      'partition_archiver_trial\.ps_' || p_marker || '_(\d+)', '{' || p_marker || ':sequence \1}', 'g'),
      'partition_archiver_trial\.pa_' || p_marker, '{' || p_marker || ':table}', 'g'),
      'pa_' || p_marker || '_(\d+)', '{' || p_marker || ':name_\1}', 'g'),
      'pa_' || p_marker, '{' || p_marker || ':name}', 'g') end
$$;

-- Sequences that belong to a column of the table (serial and identity), numbered in a stable order.
create or replace function partition_archiver.owned_sequences(p_table oid)
  returns table (number bigint, oid oid, name name, attnum integer, is_identity boolean)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select row_number() over (order by d.refobjsubid, k.oid), k.oid, k.relname, d.refobjsubid, d.deptype = 'i'
    from pg_depend d join pg_class k on k.oid = d.objid and k.relkind = 'S'
   where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
     and d.refobjid = p_table and d.refobjsubid > 0 and d.deptype in ('a', 'i')
$$;

-- What makes a table impossible to write down. Unlogged tables can be; quarantine has its own opinion of them.
create or replace function partition_archiver.ddl_refusals(p_table oid) returns text[]
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select array(
    select format('there is no table with OID %s', p_table) where not exists (select from pg_class where oid = p_table)
    union all
    select reason from pg_class c left join pg_am am on am.oid = c.relam, lateral (values
        (c.relkind <> 'r', format('it is not an ordinary table (relkind %s)', c.relkind)),
        (c.relpersistence not in ('p', 'u'), format('it is temporary (persistence %s)', c.relpersistence)),
        (c.reloftype <> 0, format('it is a typed table, of type %s', format_type(c.reloftype, null))),
        (c.relispartition, 'it is attached to a partitioned table'),
        (c.relkind = 'r' and am.amname is distinct from 'heap', 'its access method is ' || coalesce(quote_ident(am.amname), 'unknown')),
        (c.relreplident not in ('d', 'n', 'f', 'i'), format('its replica identity is unknown (%s)', c.relreplident))
      ) as r (is_so, reason) where c.oid = p_table and is_so
    union all
    select distinct case when inhrelid = p_table then 'it inherits from another table' else 'another table inherits from it' end
      from pg_inherits where inhrelid = p_table or inhparent = p_table
    union all
    select format('it belongs to extension %I', e.extname) from pg_depend d join pg_extension e on e.oid = d.refobjid
      where d.classid = 'pg_class'::regclass and d.objid = p_table and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'
    union all
    select format('column %I is of an unknown kind (generated %s, identity %s, storage %s, compression %s)',
             attname, attgenerated, attidentity, attstorage, attcompression)
      from pg_attribute a where attrelid = p_table and attnum > 0 and not attisdropped
       and (attgenerated not in ('', 's', 'v') or attidentity not in ('', 'a', 'd') or attstorage not in ('p', 'e', 'm', 'x')
            or attcompression not in ('', 'p', 'l')
            or attidentity <> '' and not exists (
                 select from partition_archiver.owned_sequences(p_table) s where s.is_identity and s.attnum = a.attnum))
    union all
    select format('sequence %I is logged otherwise than its table', s.name)
      from partition_archiver.owned_sequences(p_table) s join pg_class k on k.oid = s.oid
      join pg_class c on c.oid = p_table where s.is_identity and k.relpersistence <> c.relpersistence
    union all
    select format('index %I is invalid or not ready', k.relname) from pg_index i join pg_class k on k.oid = i.indexrelid
      where i.indrelid = p_table and not (i.indisvalid and i.indisready and i.indislive)
    union all
    select format('constraint %I is of unknown type %s', conname, contype) from pg_constraint
      where conrelid = p_table and contype not in ('c', 'f', 'n', 'p', 't', 'u', 'x')
    union all
    select format('the internal triggers of constraint %I are disabled or otherwise altered', k.conname)
      from pg_trigger t join pg_constraint k on k.oid = t.tgconstraint
      where t.tgrelid = p_table and t.tgisinternal and t.tgenabled <> 'O'
      group by k.conname
    union all
    select format('trigger %I is in unknown state %s', tgname, tgenabled) from pg_trigger
      where tgrelid = p_table and not tgisinternal and tgenabled not in ('O', 'D', 'R', 'A')
    union all
    select format('rule %I is ON SELECT or in unknown state %s', rulename, ev_enabled) from pg_rewrite
      where ev_class = p_table and (ev_type = '1' or ev_enabled not in ('O', 'D', 'R', 'A'))
    union all
    select format('policy %I is for unknown command %s', polname, polcmd) from pg_policy
      where polrelid = p_table and polcmd not in ('*', 'r', 'a', 'w', 'd')
  )
$$;

-- Options as the catalogs keep them (name=value) as a list for WITH (...) or SET (...).
create or replace function partition_archiver.ddl_options(p_options text[], p_prefix text default '') returns text
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select string_agg(format('%s%I=%L', p_prefix, split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ' order by n)
    from unnest(p_options) with ordinality as u (o, n)
$$;

-- Options of a column, as somebody set them. PostgreSQL 15.20 keeps a version of each column among them, pg_attver, which
-- it gives itself and lets nobody set; pg_dump leaves it out too, and servers without it would refuse the statement.
create or replace function partition_archiver.column_options(p_options text[]) returns text[]
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select nullif(array(select o from unnest(p_options) with ordinality as u (o, n) where not starts_with(o, 'pg_attver=') order by n), '{}')
$$;

-- START and the rest of a sequence.
create or replace function partition_archiver.ddl_sequence_options(p_sequence oid) returns text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select format('START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s',
           seqstart, seqincrement, seqmin, seqmax, seqcache, case when seqcycle then ' CYCLE' else '' end)
    from pg_sequence where seqrelid = p_sequence
$$;

-- The columns, each with the line that defines it in CREATE TABLE. PostgreSQL 18 names NOT NULL constraints: those
-- are written among the constraints.
create or replace function partition_archiver.ddl_columns(p_table oid, p_marker text)
  returns table (attnum integer, line text, facts jsonb)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select a.attnum,
         format('%I %s', a.attname, x.type)
           || case a.attcompression when 'p' then ' COMPRESSION pglz' when 'l' then ' COMPRESSION lz4' else '' end
           || coalesce(' COLLATE ' || x.collation, '')
           || case when a.attgenerated = 's' then format(' GENERATED ALWAYS AS (%s) STORED', x.expression)
                   when a.attgenerated = 'v' then format(' GENERATED ALWAYS AS (%s) VIRTUAL', x.expression)
                   when a.attidentity <> '' then format(' GENERATED %s AS IDENTITY (SEQUENCE NAME {%s:sequence %s} %s)',
                     case a.attidentity when 'a' then 'ALWAYS' else 'BY DEFAULT' end, p_marker, s.number,
                     partition_archiver.ddl_sequence_options(s.oid))
                   when x.expression is not null then ' DEFAULT ' || x.expression
                   else '' end
           || case when a.attnotnull and not x.is_named_not_null then ' NOT NULL' else '' end,
         jsonb_build_object('number', a.attnum, 'name', a.attname, 'type', x.type, 'collation', x.collation,
           'not_null', a.attnotnull, 'generated', a.attgenerated, 'identity', a.attidentity, 'default', x.expression,
           'storage', a.attstorage, 'compression', a.attcompression, 'options', to_jsonb(partition_archiver.column_options(a.attoptions)),
           'statistics', coalesce((to_jsonb(a) ->> 'attstattarget')::integer, -1))
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join partition_archiver.owned_sequences(p_table) s on s.attnum = a.attnum and s.is_identity
    cross join lateral (select
      format_type(a.atttypid, a.atttypmod) as type,
      (select format('%I.%I', n.nspname, l.collname) from pg_collation l join pg_namespace n on n.oid = l.collnamespace
        where l.oid = a.attcollation and a.attcollation <> t.typcollation) as collation,
      partition_archiver.ddl_template(pg_get_expr(d.adbin, d.adrelid), p_marker) as expression,
      exists (select from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'n' and k.conkey = array[a.attnum])
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
    select 'structure', format('CREATE %sSEQUENCE {%s:sequence %s} AS %s %s', case k.relpersistence when 'u' then 'UNLOGGED ' else '' end,
             p_marker, s.number, format_type(q.seqtypid, null), partition_archiver.ddl_sequence_options(s.oid))
      from partition_archiver.owned_sequences(p_table) s
      join pg_sequence q on q.seqrelid = s.oid join pg_class k on k.oid = s.oid
     where not s.is_identity order by s.number;

  return query
    select 'structure', format(E'CREATE %sTABLE %s (%s)\nUSING %I%s%s', case c.relpersistence when 'u' then 'UNLOGGED ' else '' end,
             v_table,
             (select E'\n  ' || string_agg(line, E',\n  ' order by rank, position) || E'\n' from (
                select 0 as rank, row_number() over (order by attnum) as position, line
                  from partition_archiver.ddl_columns(p_table, p_marker)
                union all
                select 1, row_number() over (order by conname collate "C"),
                       format('CONSTRAINT %I %s', conname, partition_archiver.ddl_template(pg_get_constraintdef(oid), p_marker))
                  from pg_constraint where conrelid = p_table and contype in ('c', 'n') and convalidated and conparentid = 0) l),
             am.amname,
             E'\nWITH (' || nullif(concat_ws(', ', partition_archiver.ddl_options(c.reloptions),
                                     partition_archiver.ddl_options(t.reloptions, 'toast.')), '') || ')',
             (select format(E'\nTABLESPACE %I', spcname) from pg_tablespace where oid = c.reltablespace))
      from pg_class c join pg_am am on am.oid = c.relam left join pg_class t on t.oid = c.reltoastrelid
     where c.oid = p_table;

  return query
    select 'structure', format('ALTER SEQUENCE {%s:sequence %s} OWNED BY %s.%I', p_marker, s.number, v_table, a.attname)
      from partition_archiver.owned_sequences(p_table) s
      join pg_attribute a on a.attrelid = p_table and a.attnum = s.attnum
     where not s.is_identity order by s.number;

  return query
    select 'structure', format('ALTER TABLE ONLY %s ALTER COLUMN %I SET %s', v_table, a.attname, change)
      from pg_attribute a join pg_type t on t.oid = a.atttypid, lateral (values
        (1, case when a.attstorage <> t.typstorage then 'STORAGE ' ||
              case a.attstorage when 'p' then 'PLAIN' when 'e' then 'EXTERNAL' when 'm' then 'MAIN' else 'EXTENDED' end end),
        (2, case when coalesce((to_jsonb(a) ->> 'attstattarget')::integer, -1) >= 0
              then 'STATISTICS ' || (to_jsonb(a) ->> 'attstattarget') end),
        (3, '(' || partition_archiver.ddl_options(partition_archiver.column_options(a.attoptions)) || ')')) as x (position, change)
     where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and change is not null
     order by a.attnum, position;
end
$$;

-- Constraints and indexes. pg_get_constraintdef leaves out options and tablespace of the index behind a constraint.
-- A constraint with a parent (conparentid) is part of another one, of a foreign key to a partitioned table, say.
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
      select k.relname, 1 as position, partition_archiver.ddl_template(pg_get_indexdef(k.oid), p_marker) as statement
        from pg_index i join pg_class k on k.oid = i.indexrelid
       where i.indrelid = p_table
         and not exists (select from pg_constraint x where x.conindid = k.oid and x.conrelid = p_table and x.contype in ('p', 'u', 'x'))
      union all
      select k.relname, 2, format('ALTER INDEX %s.%I SET (%s)', v_schema, k.relname, partition_archiver.ddl_options(k.reloptions))
        from pg_index i join pg_class k on k.oid = i.indexrelid
       where i.indrelid = p_table and k.reloptions is not null
         and exists (select from pg_constraint x where x.conindid = k.oid and x.conrelid = p_table and x.contype in ('p', 'u', 'x'))
      union all
      select k.relname, 3, format('ALTER INDEX %s.%I SET TABLESPACE %I', v_schema, k.relname, s.spcname)
        from pg_index i join pg_class k on k.oid = i.indexrelid join pg_tablespace s on s.oid = k.reltablespace
       where i.indrelid = p_table
      union all
      select k.relname, 3 + a.attnum, format('ALTER INDEX %s.%I ALTER COLUMN %s SET STATISTICS %s',
               v_schema, k.relname, a.attnum, to_jsonb(a) ->> 'attstattarget')
        from pg_index i join pg_class k on k.oid = i.indexrelid join pg_attribute a on a.attrelid = k.oid
       where i.indrelid = p_table and coalesce((to_jsonb(a) ->> 'attstattarget')::integer, -1) >= 0
      union all
      select k.relname, 100, format('ALTER TABLE %s CLUSTER ON %I', v_table, k.relname)
        from pg_index i join pg_class k on k.oid = i.indexrelid where i.indrelid = p_table and i.indisclustered
    ) x order by relname collate "C", position;

  -- Replica identity by an index that was dropped since is none.
  return query
    select 'structure', format('ALTER TABLE ONLY %s REPLICA IDENTITY %s', v_table,
             case when c.relreplident = 'f' then 'FULL' when c.relreplident = 'n' or k.relname is null then 'NOTHING'
                  else format('USING INDEX %I', k.relname) end)
      from pg_class c
      left join pg_index i on i.indrelid = c.oid and i.indisreplident and c.relreplident = 'i'
      left join pg_class k on k.oid = i.indexrelid
     where c.oid = p_table and c.relreplident <> 'd';
end
$$;

-- Extended statistics, with the number of their schema where it is not the table's: they do not move along with it.
create or replace function partition_archiver.ddl_statistics(p_table oid, p_marker text, p_schemas name[])
  returns table (oid oid, name text, owner name, target integer, definition text)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select s.oid, x.name, pg_get_userbyid(s.stxowner), coalesce((to_jsonb(s) ->> 'stxstattarget')::integer, -1),
         'CREATE STATISTICS ' || x.name || partition_archiver.ddl_template(
           substr(pg_get_statisticsobjdef(s.oid), 1 + length(format('CREATE STATISTICS %I.%I', n.nspname, s.stxname))), p_marker)
    from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
    cross join lateral (select format('{%s:schema%s}.%I', p_marker,
      coalesce(' ' || array_position(p_schemas, n.nspname), ''), s.stxname) as name) x
   where s.stxrelid = p_table order by s.stxname collate "C"
$$;

-- Triggers, rules, row security. A constraint trigger FROM another table locks that one, so it has a section of its own.
create or replace function partition_archiver.ddl_behaviour(p_table oid, p_marker text, p_schemas name[])
  returns table (section text, statement text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  v_table text := format('{%s:table}', p_marker);
begin
  return query
    select 'structure', x.statement from partition_archiver.ddl_statistics(p_table, p_marker, p_schemas) s, lateral (values
        (s.definition),
        (case when s.target >= 0 then format('ALTER STATISTICS %s SET STATISTICS %s', s.name, s.target) end)) as x (statement)
     where x.statement is not null;

  return query
    select case when t.tgconstrrelid <> 0 then 'foreign_triggers' else 'structure' end, x.statement
      from pg_trigger t, lateral (values
        (1, partition_archiver.ddl_template(pg_get_triggerdef(t.oid), p_marker)),
        (2, case when t.tgenabled <> 'O' then format('ALTER TABLE %s %s TRIGGER %I', v_table,
              case t.tgenabled when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end, t.tgname) end)
      ) as x (position, statement)
     where t.tgrelid = p_table and not t.tgisinternal and not starts_with(t.tgname::text, 'partition_archiver_fence')
       and x.statement is not null
     order by t.tgname collate "C", x.position;

  return query
    select 'structure', x.statement from pg_rewrite r, lateral (values
        (1, partition_archiver.ddl_template(rtrim(pg_get_ruledef(r.oid), ';'), p_marker)),
        (2, case when r.ev_enabled <> 'O' then format('ALTER TABLE %s %s RULE %I', v_table,
              case r.ev_enabled when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end, r.rulename) end)
      ) as x (position, statement)
     where r.ev_class = p_table and x.statement is not null
     order by r.rulename collate "C", x.position;

  return query
    select 'structure', format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', polname, v_table,
             case when polpermissive then 'PERMISSIVE' else 'RESTRICTIVE' end,
             case polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE' else 'ALL' end,
             (select string_agg(case r when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(r)) end, ', ') from unnest(polroles) r))
             || coalesce(' USING (' || partition_archiver.ddl_template(pg_get_expr(polqual, polrelid), p_marker) || ')', '')
             || coalesce(' WITH CHECK (' || partition_archiver.ddl_template(pg_get_expr(polwithcheck, polrelid), p_marker) || ')', '')
      from pg_policy where polrelid = p_table order by polname collate "C";

  return query
    select 'row_security', format('ALTER TABLE ONLY %s %s ROW LEVEL SECURITY', v_table, verb)
      from pg_class c, lateral (values (c.relrowsecurity, 'ENABLE'), (c.relforcerowsecurity, 'FORCE')) as x (is_so, verb)
     where c.oid = p_table and is_so;
end
$$;

-- Comments on all of it, each beside what it is on.
create or replace function partition_archiver.ddl_comments(p_table oid, p_marker text, p_schemas name[])
  returns table (section text, statement text)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select o.section, format('COMMENT ON %s IS %L', o.target, d.description)
    from (
      select 1 as position, 'structure' as section, 'pg_class'::regclass as classid, p_table as objid, 0 as objsubid,
             format('TABLE {%s:table}', p_marker) as target
      union all
      select 2, 'structure', 'pg_class'::regclass, p_table, attnum, format('COLUMN {%s:table}.%I', p_marker, attname)
        from pg_attribute where attrelid = p_table and attnum > 0 and not attisdropped
      union all
      select 3, 'structure', 'pg_class'::regclass, oid, 0, format('SEQUENCE {%s:sequence %s}', p_marker, number)
        from partition_archiver.owned_sequences(p_table)
      union all
      select 4, case when k.contype = 'f' then 'foreign_keys' when t.tgconstrrelid <> 0 then 'foreign_triggers' else 'structure' end,
             'pg_constraint'::regclass, k.oid, 0, format('CONSTRAINT %I ON {%s:table}', k.conname, p_marker)
        from pg_constraint k left join pg_trigger t on k.contype = 't' and t.tgconstraint = k.oid
       where k.conrelid = p_table and k.conparentid = 0
      union all
      select 5, 'structure', 'pg_class'::regclass, k.oid, 0, format('INDEX {%s:schema}.%I', p_marker, k.relname)
        from pg_index i join pg_class k on k.oid = i.indexrelid where i.indrelid = p_table
      union all
      select 6, 'structure', 'pg_statistic_ext'::regclass, oid, 0, 'STATISTICS ' || name
        from partition_archiver.ddl_statistics(p_table, p_marker, p_schemas)
      union all
      select 7, case when tgconstrrelid <> 0 then 'foreign_triggers' else 'structure' end, 'pg_trigger'::regclass, oid, 0,
             format('TRIGGER %I ON {%s:table}', tgname, p_marker)
        from pg_trigger where tgrelid = p_table and not tgisinternal and not starts_with(tgname::text, 'partition_archiver_fence')
      union all
      select 8, 'structure', 'pg_rewrite'::regclass, oid, 0, format('RULE %I ON {%s:table}', rulename, p_marker)
        from pg_rewrite where ev_class = p_table
      union all
      select 9, 'structure', 'pg_policy'::regclass, oid, 0, format('POLICY %I ON {%s:table}', polname, p_marker)
        from pg_policy where polrelid = p_table
    ) o join pg_description d on d.classoid = o.classid and d.objoid = o.objid and d.objsubid = o.objsubid
   order by o.position, o.objsubid, o.target collate "C"
$$;

-- Grants on a table with its columns, or on a sequence, in an order in which they can be given: who passes a right on
-- must hold it first. A grantor other than the owner has to grant it itself, by SET ROLE.
create or replace function partition_archiver.ddl_grants(p_relation oid, p_target text)
  returns table (section text, statement text)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with recursive relation as (
    select c.oid, c.relacl, c.relowner, quote_ident(pg_get_userbyid(c.relowner)) as owner,
           case c.relkind when 'S' then 'SEQUENCE ' else 'TABLE ' end || p_target as target
      from pg_class c where c.oid = p_relation),
  item as (
    select 0 as attnum, null::name as attname, ord, grantor, grantee, privilege_type, is_grantable
      from relation, aclexplode(relacl) with ordinality as x (grantor, grantee, privilege_type, is_grantable, ord)
    union all
    select a.attnum, a.attname, ord, grantor, grantee, privilege_type, is_grantable
      from pg_attribute a, aclexplode(a.attacl) with ordinality as x (grantor, grantee, privilege_type, is_grantable, ord)
     where a.attrelid = p_relation and a.attnum > 0 and not a.attisdropped),
  reached as (
    select i.*, 0 as level from item i, relation r where i.grantor = r.relowner
    union
    select i.*, r.level + 1 from reached r join item i on i.grantor = r.grantee and i.privilege_type = r.privilege_type
       and r.attnum in (0, i.attnum) where r.is_grantable and r.level < 50),
  placed as (
    select i.*, coalesce((select min(level) from reached r where (r.attnum, r.ord, r.grantor, r.grantee, r.privilege_type)
                            = (i.attnum, i.ord, i.grantor, i.grantee, i.privilege_type)), 99) as level from item i),
  granted as (
    select level, attnum, min(ord) as ord, grantor,
           format('GRANT %s ON %s TO %s%s',
             string_agg(privilege_type || coalesce(' (' || quote_ident(attname) || ')', ''), ', ' order by ord),
             r.target, case grantee when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(grantee)) end,
             case when is_grantable then ' WITH GRANT OPTION' else '' end) as statement,
           case when grantor <> r.relowner then quote_ident(pg_get_userbyid(grantor)) end as other
      from placed, relation r group by level, attnum, grantor, grantee, is_grantable, r.target, r.relowner)
  select 'ownership', x.statement from (
    select -1 as level, 0 as attnum, n as ord, 0 as position,
           format('REVOKE ALL ON %s FROM %s', target, whom) as statement
      from relation, lateral (values (1, 'PUBLIC'), (2, owner)) as w (n, whom) where relacl is not null
    union all
    select g.level, g.attnum, g.ord, p.position, p.statement from granted g, lateral (values
        (1, 'SET ROLE ' || g.other), (2, g.statement), (3, case when g.other is not null then 'RESET ROLE' end)) as p (position, statement)
     where p.statement is not null) x
   order by x.level, x.attnum, x.ord, x.position
$$;

-- Owners, grants, security labels: what names roles.
create or replace function partition_archiver.ddl_ownership(p_table oid, p_marker text, p_schemas name[])
  returns table (section text, statement text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  v_table text := format('{%s:table}', p_marker);
begin
  return query
    select 'ownership', format('ALTER TABLE %s OWNER TO %I', v_table, pg_get_userbyid(relowner)) from pg_class where oid = p_table;
  return query
    select 'ownership', format('ALTER STATISTICS %s OWNER TO %I', name, owner)
      from partition_archiver.ddl_statistics(p_table, p_marker, p_schemas);
  return query select * from partition_archiver.ddl_grants(p_table, v_table);
  return query
    select g.section, g.statement from partition_archiver.owned_sequences(p_table) s,
      lateral partition_archiver.ddl_grants(s.oid, format('{%s:sequence %s}', p_marker, s.number)) g;
  return query
    select 'ownership', format('SECURITY LABEL FOR %I ON %s IS %L', l.provider,
             case when a.attname is null then 'TABLE ' || v_table else format('COLUMN %s.%I', v_table, a.attname) end, l.label)
      from pg_seclabel l left join pg_attribute a on a.attrelid = l.objoid and a.attnum = l.objsubid and l.objsubid > 0
     where l.classoid = 'pg_class'::regclass and l.objoid = p_table order by l.objsubid, l.provider;
end
$$;

-- What was found, by name: try_ddl compares it with what the trial made.
create or replace function partition_archiver.ddl_objects(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'name', name, 'detail', detail) order by kind, name collate "C"), '[]')
    from (
      select case contype when 'f' then 'foreign key' else 'constraint' end as kind, conname as name,
             -- NO INHERIT is said of these two only; the others keep there whether they came with a partitioned table.
             concat_ws(' ', contype, condeferrable, condeferred, convalidated, case when contype in ('c', 'n') then connoinherit end)
               as detail
        from pg_constraint where conrelid = p_table and conparentid = 0 and contype <> 't'
      union all
      select 'index', k.relname, concat_ws(' ', am.amname, i.indisunique, i.indisprimary, i.indisclustered, i.indisreplident,
               i.indnatts, i.indnkeyatts, i.indpred is not null, k.reloptions)
        from pg_index i join pg_class k on k.oid = i.indexrelid join pg_am am on am.oid = k.relam where i.indrelid = p_table
      union all
      select case when tgconstrrelid <> 0 then 'foreign trigger' else 'trigger' end, tgname, concat_ws(' ', tgtype, tgenabled)
        from pg_trigger where tgrelid = p_table and not tgisinternal and not starts_with(tgname::text, 'partition_archiver_fence')
      union all
      select 'rule', rulename, concat_ws(' ', ev_type, is_instead, ev_enabled) from pg_rewrite where ev_class = p_table
      union all
      select 'policy', polname, concat_ws(' ', polcmd, polpermissive, cardinality(polroles)) from pg_policy where polrelid = p_table
      union all
      select 'statistics', stxname, stxkind::text from pg_statistic_ext where stxrelid = p_table
      union all
      select 'sequence', s.name, concat_ws(' ', s.is_identity, format_type(q.seqtypid, null), partition_archiver.ddl_sequence_options(s.oid))
        from partition_archiver.owned_sequences(p_table) s join pg_sequence q on q.seqrelid = s.oid
      union all
      select 'table', '', concat_ws(' ', relpersistence, relreplident, relrowsecurity, relforcerowsecurity, reloptions)
        from pg_class where oid = p_table
    ) o
$$;

-- CREATE statement of an enum, a domain or a composite type; null for others.
create or replace function partition_archiver.type_definition(p_type oid) returns text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select case t.typtype
    when 'e' then format('CREATE TYPE %s AS ENUM (%s)', x.name,
      (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum where enumtypid = t.oid))
    when 'd' then format('CREATE DOMAIN %s AS %s%s%s%s%s', x.name, format_type(t.typbasetype, t.typtypmod),
      (select format(' COLLATE %I.%I', n.nspname, l.collname) from pg_collation l join pg_namespace n on n.oid = l.collnamespace
        where l.oid = t.typcollation and t.typcollation <> (select b.typcollation from pg_type b where b.oid = t.typbasetype)),
      ' DEFAULT ' || coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)),
      case when t.typnotnull then ' NOT NULL' end,
      (select string_agg(format(' CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), '' order by conname collate "C")
         from pg_constraint where contypid = t.oid and contype = 'c'))
    when 'c' then format('CREATE TYPE %s AS (%s)', x.name,
      (select string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                (select format(' COLLATE %I.%I', n.nspname, l.collname) from pg_collation l join pg_namespace n on n.oid = l.collnamespace
                  where l.oid = a.attcollation and a.attcollation <> y.typcollation)), ', ' order by a.attnum)
         from pg_attribute a join pg_type y on y.oid = a.atttypid
        where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)) end
    from pg_type t cross join lateral (select format_type(t.oid, null) as name) x
   where t.oid = p_type and (t.typtype <> 'c' or (select relkind from pg_class where oid = t.typrelid) = 'c')
$$;

-- What has to be there before the table can be made again: types (and the types in them), domains, enums, collations,
-- functions, operator classes, tables, sequences, schemas, roles, tablespaces, and the extensions that bring them.
-- Publications are listed too: a restored table is in none. Built-in objects are not listed.
create or replace function partition_archiver.ddl_dependencies(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with recursive own (classid, objid) as materialized (
    select 'pg_class'::regclass::oid, p_table
    union all select 'pg_type'::regclass, t.oid from pg_class c join pg_type r on r.oid = c.reltype
      join pg_type t on t.oid in (r.oid, r.typarray) where c.oid = p_table
    union all select 'pg_attrdef'::regclass, oid from pg_attrdef where adrelid = p_table
    union all select 'pg_constraint'::regclass, oid from pg_constraint where conrelid = p_table and conparentid = 0
    union all select 'pg_class'::regclass, indexrelid from pg_index where indrelid = p_table
    union all select 'pg_trigger'::regclass, oid from pg_trigger
      where tgrelid = p_table and not tgisinternal and not starts_with(tgname::text, 'partition_archiver_fence')
    union all select 'pg_rewrite'::regclass, oid from pg_rewrite where ev_class = p_table
    union all select 'pg_policy'::regclass, oid from pg_policy where polrelid = p_table
    union all select 'pg_statistic_ext'::regclass, oid from pg_statistic_ext where stxrelid = p_table
    union all select 'pg_class'::regclass, oid from partition_archiver.owned_sequences(p_table)),
  direct (classid, objid) as materialized (
    select distinct d.refclassid, d.refobjid from own o join pg_depend d on d.classid = o.classid and d.objid = o.objid
     where (d.refclassid, d.refobjid) not in (select classid, objid from own)
       and not (d.refclassid = 'pg_namespace'::regclass and o.classid in ('pg_class'::regclass, 'pg_type'::regclass))
       and not exists (select from pg_class k where d.refclassid = 'pg_class'::regclass and k.oid = d.refobjid and k.relkind in ('i', 'I'))),
  type (oid) as (
    select objid from direct where classid = 'pg_type'::regclass
    union
    select e.oid from type join pg_type t on t.oid = type.oid cross join lateral (
      select t.typelem union select t.typbasetype
      union select a.atttypid from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
      union select r.rngsubtype from pg_range r where r.rngtypid = t.oid
      union select r.rngtypid from pg_range r where r.rngmultitypid = t.oid) e (oid)
     where e.oid >= 16384),
  needed (classid, objid) as materialized (
    select classid, objid from direct where classid <> 'pg_type'::regclass
    union
    select 'pg_type'::regclass, t.oid from type join pg_type t on t.oid = type.oid
     where not (t.typcategory = 'A' and t.typelem <> 0)
    union
    select d.refclassid, d.refobjid from own o join pg_shdepend d on d.classid = o.classid and d.objid = o.objid
     where d.dbid = (select oid from pg_database where datname = current_database())
    union
    select 'pg_authid'::regclass, relowner from pg_class where oid = p_table),
  named as (
    select i.type as kind, i.identity, case when n.classid = 'pg_type'::regclass then partition_archiver.type_definition(n.objid) end
             as definition, e.extname as extension
      from needed n cross join lateral pg_identify_object(n.classid, n.objid, 0) i
      left join pg_depend d on d.classid = n.classid and d.objid = n.objid and d.deptype = 'e'
      left join pg_extension e on e.oid = d.refobjid
    union all
    select 'publication', quote_ident(p.pubname), null, null
      from pg_publication_rel r join pg_publication p on p.oid = r.prpubid where r.prrelid = p_table)
  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('kind', kind, 'identity', identity, 'definition', definition,
           'extension', extension)) order by kind, identity collate "C"), '[]')
    from (select * from named
          union all select distinct 'extension', quote_ident(extension), null, null from named where extension is not null) x
$$;

-- The DDL of a detached table, as templates. Call it under ACCESS EXCLUSIVE, before foreign keys, row security, owner or
-- names of indexes are changed; where the table has been moved or renamed already, say what it was called.
--
-- Answers marker, schema and name (the original ones), refused (reasons; nothing else counts unless it is empty),
-- the sections structure, foreign_keys, foreign_triggers, row_security, sequence_values and ownership (arrays of
-- templates), sequences and schemas (what the tokens' numbers mean), columns, objects, dependencies, and settings
-- (under which the statements have to be run).
--
-- How: within a subtransaction that is always undone, the table goes into partition_archiver_trial and it and its
-- sequences get names made of the marker, so that everything the server prints of them can be told from any other
-- text. The caller must be a member of the table's owner.
create or replace function partition_archiver.capture_ddl(
    p_table oid, p_original_schema name default null, p_original_name name default null) returns jsonb
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC' set datestyle = 'ISO, YMD'
  set intervalstyle = 'postgres' set extra_float_digits = 1 set bytea_output = 'hex' set lc_monetary = 'C' as $$
declare
  v_marker constant text := replace(gen_random_uuid()::text, '-', '');
  v_refused text[] := partition_archiver.ddl_refusals(p_table);
  v_own_schema name;
  v_schemas name[];
  v_sequences jsonb;
  v_sections jsonb;
  v_columns jsonb;
  v_objects jsonb;
  v_dependencies jsonb;
  v_done boolean := false;
  v_sequence record;
begin
  select n.nspname, coalesce(p_original_schema, n.nspname), coalesce(p_original_name, c.relname)
    into v_own_schema, p_original_schema, p_original_name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = p_table;
  v_sections := jsonb_build_object('structure', '[]'::jsonb, 'foreign_keys', '[]'::jsonb, 'foreign_triggers', '[]'::jsonb,
    'row_security', '[]'::jsonb, 'sequence_values', '[]'::jsonb, 'ownership', '[]'::jsonb);

  if v_refused = '{}' then
    select coalesce(jsonb_agg(name order by number), '[]') into v_sequences from partition_archiver.owned_sequences(p_table);
    v_schemas := array(
      select distinct n.nspname from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
       where s.stxrelid = p_table and n.nspname not in (v_own_schema, p_original_schema) order by 1);
    v_objects := partition_archiver.ddl_objects(p_table);
    v_dependencies := partition_archiver.ddl_dependencies(p_table);
    v_sections := v_sections || jsonb_build_object('sequence_values', partition_archiver.ddl_sequence_values(p_table, v_marker));
    begin
      -- One at a time: tables of several schemas have indexes of the same names, and two sessions that put them into the
      -- one schema in different orders would wait for each other. Ends with the subtransaction.
      perform pg_advisory_xact_lock(hashtext('partition_archiver_trial'), 0);
      if v_own_schema <> 'partition_archiver_trial' then
        execute format('alter table %s set schema partition_archiver_trial', p_table::regclass);
      end if;
      execute format('alter table %s rename to %I', p_table::regclass, 'pa_' || v_marker);
      for v_sequence in select * from partition_archiver.owned_sequences(p_table) loop
        execute format('alter sequence %s rename to %I', v_sequence.oid::regclass, format('ps_%s_%s', v_marker, v_sequence.number));
      end loop;

      select v_sections || jsonb_object_agg(section, statements) into v_sections from (
        select section, jsonb_agg(statement order by position, ordinality) as statements from (
          select 1 as position, * from partition_archiver.ddl_table(p_table, v_marker) with ordinality
          union all select 2, * from partition_archiver.ddl_indexes(p_table, v_marker) with ordinality
          union all select 3, * from partition_archiver.ddl_behaviour(p_table, v_marker, v_schemas) with ordinality
          union all select 4, * from partition_archiver.ddl_comments(p_table, v_marker, v_schemas) with ordinality
          union all select 5, * from partition_archiver.ddl_ownership(p_table, v_marker, v_schemas) with ordinality) s
         group by section) x;
      select jsonb_agg(facts order by attnum) into v_columns from partition_archiver.ddl_columns(p_table, v_marker);
      v_done := true;
      raise exception 'undo' using errcode = 'PA000';
    exception when sqlstate 'PA000' then
      if not v_done then
        raise;
      end if;
    end;
    v_refused := partition_archiver.ddl_leftovers(v_sections, v_marker);
  end if;

  return v_sections || jsonb_build_object('marker', v_marker, 'schema', p_original_schema, 'name', p_original_name,
    'refused', to_jsonb(v_refused), 'sequences', coalesce(v_sequences, '[]'), 'schemas', to_jsonb(coalesce(v_schemas, '{}')),
    'columns', coalesce(v_columns, '[]'), 'objects', coalesce(v_objects, '[]'), 'dependencies', coalesce(v_dependencies, '[]'),
    'server_version', current_setting('server_version'),
    'settings', jsonb_build_object('search_path', 'pg_catalog', 'TimeZone', 'UTC', 'DateStyle', 'ISO, YMD', 'IntervalStyle', 'postgres',
      'lc_monetary', 'C', 'default_tablespace', '', 'standard_conforming_strings', 'on', 'check_function_bodies', 'off'));
end
$$;

-- Where the owned sequences stand: part of the data, which rows that come back with them rely on.
create or replace function partition_archiver.ddl_sequence_values(p_table oid, p_marker text) returns jsonb
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_result jsonb := '[]';
  v_sequence record;
  v_last record;
begin
  for v_sequence in select * from partition_archiver.owned_sequences(p_table) order by number loop
    execute format('select last_value, is_called from %s', v_sequence.oid::regclass) into v_last;
    v_result := v_result || to_jsonb(format('SELECT pg_catalog.setval({%s:sequence literal %s}, %s, %L)',
      p_marker, v_sequence.number, v_last.last_value, v_last.is_called));
  end loop;
  return v_result;
end
$$;

-- Names that no token could be made of: within a literal that is more than the name, or of an object of the table's
-- schema that moved along. Comments are the user's own text and not looked at.
create or replace function partition_archiver.ddl_leftovers(p_sections jsonb, p_marker text) returns text[]
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select array(
    select distinct format('%s %s refers to the table or its schema in a way that cannot be rewritten', x.kind, x.number)
      from (
        select s.section as kind, t.number, t.statement from jsonb_each(p_sections) as s (section, statements),
          lateral jsonb_array_elements_text(s.statements) with ordinality as t (statement, number)
         where t.statement !~ '^(COMMENT ON|SECURITY LABEL) ') x
     where strpos(x.statement, 'partition_archiver_trial.') > 0
        or strpos(regexp_replace(x.statement, '\{' || p_marker || ':[a-z0-9_ ]+\}', '', 'g'), p_marker) > 0
        or (strpos(x.statement, p_marker) > 0 and exists (
              select from regexp_matches(x.statement, '"(?:[^"]|"")*"|''(?:[^'']|'''')*''', 'g') m
               where left(m[1], 1) = '''' and strpos(m[1], p_marker) > 0)))
$$;

-- Statements for a target, from templates. p_sections null means all, in an order in which they can be run; each
-- statement is without its semicolon.
create or replace function partition_archiver.render_ddl(p_ddl jsonb, p_schema name, p_name name, p_sections text[] default null)
  returns text[]
  language plpgsql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_marker constant text := p_ddl ->> 'marker';
  v_sections constant text[] := coalesce(p_sections,
    array['structure', 'sequence_values', 'foreign_keys', 'foreign_triggers', 'row_security', 'ownership']);
  v_tokens jsonb := jsonb_build_object('table', format('%I.%I', p_schema, p_name), 'name', quote_ident(p_name),
    'schema', quote_ident(p_schema), 'table literal', quote_literal(format('%I.%I', p_schema, p_name)));
  v_result text[] := '{}';
  v_section text;
  v_statement text;
  v_token text;
begin
  select v_tokens || coalesce(jsonb_object_agg('sequence ' || n, format('%I.%I', p_schema, name))
           || jsonb_object_agg('sequence literal ' || n, quote_literal(format('%I.%I', p_schema, name))), '{}')
    into v_tokens from jsonb_array_elements_text(p_ddl -> 'sequences') with ordinality as s (name, n);
  -- Statistics in a schema of their own stay there, but not on trial, where the original's are in the way.
  select v_tokens || coalesce(jsonb_object_agg('schema ' || n,
           quote_ident(case p_schema when 'partition_archiver_trial' then p_schema else name end)), '{}')
    into v_tokens from jsonb_array_elements_text(p_ddl -> 'schemas') with ordinality as s (name, n);

  foreach v_section in array v_sections loop
    if p_ddl -> v_section is null or jsonb_typeof(p_ddl -> v_section) <> 'array' then
      raise exception 'the archived DDL has no section "%"', v_section using errcode = 'PA011';
    end if;
    for v_statement in select * from jsonb_array_elements_text(p_ddl -> v_section) loop
      for v_token in select distinct m[1] from regexp_matches(v_statement, '\{' || v_marker || ':([a-z0-9_ ]+)\}', 'g') m loop
        v_statement := replace(v_statement, format('{%s:%s}', v_marker, v_token),
          coalesce(v_tokens ->> v_token, quote_ident(partition_archiver.ddl_alias(p_name, v_token))));
      end loop;
      if v_statement is null then
        raise exception 'the archived DDL has a token that nothing is known of' using errcode = 'PA011';
      end if;
      v_result := v_result || v_statement;
    end loop;
  end loop;
  return v_result;
end
$$;

-- An alias that the server made of the table's name and a number, cut to 63 bytes as the server does.
create or replace function partition_archiver.ddl_alias(p_name name, p_token text) returns text
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select left(p_name::text, n) || suffix
    from (select substring(p_token from '^name(_\d+)$') as suffix) s, generate_series(length(p_name::text), 0, -1) n
   where octet_length(left(p_name::text, n) || suffix) <= 63 order by n desc limit 1
$$;

-- Runs the structure on trial: in partition_archiver_trial, in a subtransaction that is always undone, and compares
-- what came of it with what was captured. Raises PA011 with the number and kind of the statement that failed.
--
-- Locks, all released again: those on the new table, and those that CREATE RULE takes on tables in the rule's actions
-- (of reading or writing, never one that stops readers or writers). Foreign keys and constraint triggers FROM another
-- table would lock that one and are left out, as are owners and grants. Waits for a lock are for the caller to limit,
-- and their errors pass as they are, to be tried again.
create or replace function partition_archiver.try_ddl(p_ddl jsonb) returns void
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres'
  set lc_monetary = 'C' set default_tablespace = '' set standard_conforming_strings = on set client_min_messages = warning as $$
declare
  v_statements text[];
  v_statement text;
  v_number integer := 0;
  v_made jsonb;
  v_difference text;
  v_error text;
  v_done boolean := false;
begin
  if p_ddl -> 'refused' <> '[]' then
    raise exception 'the DDL was refused: %', (select string_agg(r, '; ') from jsonb_array_elements_text(p_ddl -> 'refused') r)
      using errcode = 'PA011';
  end if;
  v_statements := partition_archiver.render_ddl(p_ddl, 'partition_archiver_trial', (p_ddl ->> 'name')::name,
    array['structure', 'row_security']);
  begin
    perform pg_advisory_xact_lock(hashtext('partition_archiver_trial'), 0); -- as in capture_ddl
    foreach v_statement in array v_statements loop
      v_number := v_number + 1;
      execute v_statement;
    end loop;
    v_number := 0;
    v_made := partition_archiver.capture_ddl(to_regclass(format('partition_archiver_trial.%I', p_ddl ->> 'name')));
    v_difference := partition_archiver.ddl_difference(p_ddl, v_made);
    v_done := true;
    raise exception 'undo' using errcode = 'PA000';
  exception
    when sqlstate 'PA000' then
      -- An immutable function of the user's may be evaluated by CREATE INDEX, and may raise anything.
      if not v_done then
        v_error := 'PA000: raised by a statement';
      end if;
    when lock_not_available or deadlock_detected or admin_shutdown or insufficient_resources then
      raise;
    when others then
      v_error := sqlstate || ': ' || sqlerrm;
  end;
  if v_error is not null and v_number > 0 then
    raise exception 'statement % of % of the archived DDL (%) fails with %', v_number, cardinality(v_statements),
      substring(v_statement from '^[A-Z]+(?: (?:UNIQUE|UNLOGGED|CONSTRAINT))? [A-Z]+'), v_error using errcode = 'PA011';
  elsif v_error is not null then
    raise exception 'what the archived DDL made cannot be read: %', v_error using errcode = 'PA011';
  elsif v_difference is not null then
    raise exception 'the archived DDL makes another table: %', v_difference using errcode = 'PA011';
  end if;
end
$$;

-- The first difference between a capture and the capture of what it made, or null. Expressions are not compared: the
-- server prints some of them otherwise after it has read its own output, though they mean the same.
create or replace function partition_archiver.ddl_difference(p_ddl jsonb, p_made jsonb) returns text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with capture as (
    select 'refused' as what, d.side, d.ddl -> 'refused' as value from (values (1, p_ddl), (2, p_made)) as d (side, ddl)
    union all
    select 'columns', d.side, (select jsonb_agg((c - 'number' - 'default') || jsonb_build_object('default', c -> 'default' <> 'null') order by n)
       from jsonb_array_elements(d.ddl -> 'columns') with ordinality as x (c, n)) from (values (1, p_ddl), (2, p_made)) as d (side, ddl)
    union all
    select 'objects', d.side, (select jsonb_agg(o order by n) from jsonb_array_elements(d.ddl -> 'objects') with ordinality as x (o, n)
       where o ->> 'kind' not like 'foreign%') from (values (1, p_ddl), (2, p_made)) as d (side, ddl)
    union all
    select 'number of statements', d.side, to_jsonb(jsonb_array_length(d.ddl -> 'structure')) from (values (1, p_ddl), (2, p_made)) as d (side, ddl)),
  pair as (select a.what, a.value as expected, b.value as made from capture a join capture b on a.what = b.what and a.side = 1 and b.side = 2)
  select format('%s: %s instead of %s', what,
           coalesce((select y.v from jsonb_array_elements(case jsonb_typeof(made) when 'array' then made else jsonb_build_array(made) end) with ordinality as y (v, n)
             left join jsonb_array_elements(case jsonb_typeof(expected) when 'array' then expected else jsonb_build_array(expected) end) with ordinality as x (v, n) on x.n = y.n
             where y.v is distinct from x.v order by y.n limit 1)::text, 'nothing'),
           coalesce((select x.v from jsonb_array_elements(case jsonb_typeof(expected) when 'array' then expected else jsonb_build_array(expected) end) with ordinality as x (v, n)
             left join jsonb_array_elements(case jsonb_typeof(made) when 'array' then made else jsonb_build_array(made) end) with ordinality as y (v, n) on x.n = y.n
             where y.v is distinct from x.v order by x.n limit 1)::text, 'nothing'))
    from pair where made is distinct from expected limit 1
$$;

-- The parent of a partition, as far as it helps whoever restores one without it: its columns, key, constraints and
-- indexes, and section attach of render_ddl, which puts the partition back. p_bound is as pg_get_expr printed it.
create or replace function partition_archiver.capture_parent(p_parent oid, p_bound text) returns jsonb
  language sql stable
  set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC' set datestyle = 'ISO, YMD'
  set intervalstyle = 'postgres' set extra_float_digits = 1 set bytea_output = 'hex' set lc_monetary = 'C' as $$
  select jsonb_build_object(
      'marker', m.marker, 'refused', '[]'::jsonb, 'sequences', '[]'::jsonb, 'schemas', '[]'::jsonb,
      'schema', n.nspname, 'name', c.relname, 'owner', pg_get_userbyid(c.relowner),
      'partition_key', pg_get_partkeydef(c.oid), 'bound', p_bound,
      'columns', (select jsonb_agg(facts order by attnum) from partition_archiver.ddl_columns(c.oid, m.marker)),
      'definition', format(E'CREATE TABLE %I.%I (\n  %s\n)\nPARTITION BY %s', n.nspname, c.relname,
        (select string_agg(format('%I %s%s%s', facts ->> 'name', facts ->> 'type', ' COLLATE ' || (facts ->> 'collation'),
            case when (facts ->> 'not_null')::boolean then ' NOT NULL' end), E',\n  ' order by attnum)
           from partition_archiver.ddl_columns(c.oid, m.marker)), pg_get_partkeydef(c.oid)),
      'constraints', (select coalesce(jsonb_agg(format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, conname,
          pg_get_constraintdef(oid)) order by conname collate "C"), '[]')
         from pg_constraint where conrelid = c.oid and contype in ('c', 'p', 'u', 'x', 'f') and conparentid = 0),
      'indexes', (select coalesce(jsonb_agg(pg_get_indexdef(indexrelid) order by indexrelid::regclass::text collate "C"), '[]')
         from pg_index i where indrelid = c.oid
          and not exists (select from pg_constraint x where x.conindid = i.indexrelid and x.conrelid = c.oid)),
      'attach', jsonb_build_array(format('ALTER TABLE %I.%I ATTACH PARTITION {%s:table} %s', n.nspname, c.relname, m.marker, p_bound)))
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    cross join (select replace(gen_random_uuid()::text, '-', '') as marker) m
   where c.oid = p_parent
$$;

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select oid from pg_proc where pronamespace = 'partition_archiver'::regnamespace
       and (proname like 'ddl\_%' or proname in ('owned_sequences', 'column_options', 'type_definition', 'capture_ddl', 'render_ddl', 'try_ddl', 'capture_parent'))
  loop
    execute format('revoke all on function %s from public', v_function);
  end loop;
end
$$;

reset role;
