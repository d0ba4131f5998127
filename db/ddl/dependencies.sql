-- DDL archive: what was found, by name, and what has to be there before the table can be made again.

set role archiver_owner;

-- What was found, by name: try_ddl compares it with what the trial made.
create or replace function partition_archiver.ddl_objects(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'name', name, 'detail', detail)
    order by kind, name collate "C"), '[]')
    from (
      select case contype when 'f' then 'foreign key' else 'constraint' end as kind, conname as name,
             -- NO INHERIT is said of these two only; the others keep there whether they came with a
             -- partitioned table.
             concat_ws(' ', contype, condeferrable, condeferred, convalidated,
               case when contype in ('c', 'n') then connoinherit end)
               as detail
        from pg_constraint where conrelid = p_table and conparentid = 0 and contype <> 't'
      union all
      select 'index', k.relname, concat_ws(' ', am.amname, i.indisunique, i.indisprimary, i.indisclustered,
        i.indisreplident,
               i.indnatts, i.indnkeyatts, i.indpred is not null, k.reloptions)
        from pg_index i join pg_class k on k.oid = i.indexrelid join pg_am am on am.oid = k.relam
          where i.indrelid = p_table
      union all
      select case when tgconstrrelid <> 0 then 'foreign trigger' else 'trigger' end, tgname,
        concat_ws(' ', tgtype, tgenabled)
        from pg_trigger where tgrelid = p_table and not tgisinternal
          and not starts_with(tgname::text, 'partition_archiver_fence')
      union all
      select 'rule', rulename, concat_ws(' ', ev_type, is_instead, ev_enabled) from pg_rewrite
        where ev_class = p_table
      union all
      select 'policy', polname, concat_ws(' ', polcmd, polpermissive, cardinality(polroles)) from pg_policy
        where polrelid = p_table
      union all
      select 'statistics', stxname, stxkind::text from pg_statistic_ext where stxrelid = p_table
      union all
      select 'sequence', s.name, concat_ws(' ', s.is_identity, format_type(q.seqtypid, null),
        partition_archiver.ddl_sequence_options(s.oid))
        from partition_archiver.owned_sequences(p_table) s join pg_sequence q on q.seqrelid = s.oid
      union all
      select 'table', '', concat_ws(' ', relpersistence, relreplident, relrowsecurity, relforcerowsecurity,
        reloptions)
        from pg_class where oid = p_table
    ) o
$$;

-- CREATE statement of an enum, a domain or a composite type; null for others.
create or replace function partition_archiver.type_definition(p_type oid) returns text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select case t.typtype
    when 'e' then format('CREATE TYPE %s AS ENUM (%s)', x.name,
      (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum
        where enumtypid = t.oid))
    when 'd' then format('CREATE DOMAIN %s AS %s%s%s%s%s', x.name, format_type(t.typbasetype, t.typtypmod),
      (select format(' COLLATE %I.%I', n.nspname, l.collname) from pg_collation l
        join pg_namespace n on n.oid = l.collnamespace
        where l.oid = t.typcollation
          and t.typcollation <> (select b.typcollation from pg_type b where b.oid = t.typbasetype)),
      ' DEFAULT ' || coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)),
      case when t.typnotnull then ' NOT NULL' end,
      (select string_agg(format(' CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), ''
        order by conname collate "C")
         from pg_constraint where contypid = t.oid and contype = 'c'))
    when 'c' then format('CREATE TYPE %s AS (%s)', x.name,
      (select string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                (select format(' COLLATE %I.%I', n.nspname, l.collname) from pg_collation l
                  join pg_namespace n on n.oid = l.collnamespace
                  where l.oid = a.attcollation and a.attcollation <> y.typcollation)), ', ' order by a.attnum)
         from pg_attribute a join pg_type y on y.oid = a.atttypid
        where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)) end
    from pg_type t cross join lateral (select format_type(t.oid, null) as name) x
   where t.oid = p_type and (t.typtype <> 'c' or (select relkind from pg_class where oid = t.typrelid) = 'c')
$$;

-- What belongs to a table and is made with it. is_structure: a role that makes the structure needs what it
-- refers to, which foreign keys and constraint triggers from another table are no part of. is_called: its
-- functions are called, for each row that is loaded or by CREATE TRIGGER, which asks for the right to; those
-- of a default or a policy are not.
create or replace function partition_archiver.ddl_own(p_table oid)
  returns table (classid oid, objid oid, is_structure boolean, is_called boolean)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select 'pg_class'::regclass::oid, p_table, true, false
  union all select 'pg_type'::regclass, t.oid, true, false from pg_class c join pg_type r on r.oid = c.reltype
    join pg_type t on t.oid in (r.oid, r.typarray) where c.oid = p_table
  union all select 'pg_attrdef'::regclass, d.oid, true, a.attgenerated <> '' from pg_attrdef d
    join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where d.adrelid = p_table
  union all select 'pg_constraint'::regclass, oid, contype <> 'f', contype <> 'f' from pg_constraint
    where conrelid = p_table and conparentid = 0
  union all select 'pg_class'::regclass, indexrelid, true, true from pg_index where indrelid = p_table
  union all select 'pg_trigger'::regclass, oid, tgconstrrelid = 0, tgconstrrelid = 0 from pg_trigger
    where tgrelid = p_table and not tgisinternal and not starts_with(tgname::text, 'partition_archiver_fence')
  union all select 'pg_rewrite'::regclass, oid, true, false from pg_rewrite where ev_class = p_table
  union all select 'pg_policy'::regclass, oid, true, false from pg_policy where polrelid = p_table
  union all select 'pg_statistic_ext'::regclass, oid, true, false from pg_statistic_ext
    where stxrelid = p_table
  union all select 'pg_class'::regclass, oid, true, false from partition_archiver.owned_sequences(p_table)
$$;

-- What a table refers to outside itself: types and the types in them, functions, operators, operator classes,
-- and so on. Functions that an operator or the check of a domain calls are not listed by pg_depend beside the
-- table: they are added.
create or replace function partition_archiver.ddl_referenced(p_table oid)
  returns table (classid oid, objid oid, is_structure boolean, is_called boolean)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with recursive own as materialized (select * from partition_archiver.ddl_own(p_table)),
  direct as materialized (
    select d.refclassid as classid, d.refobjid as objid, bool_or(o.is_structure) as is_structure,
      bool_or(o.is_called) as is_called
      from own o join pg_depend d on d.classid = o.classid and d.objid = o.objid
     where (d.refclassid, d.refobjid) not in (select w.classid, w.objid from own w)
       and not (d.refclassid = 'pg_namespace'::regclass
         and o.classid in ('pg_class'::regclass, 'pg_type'::regclass))
       and not exists (select from pg_class k where d.refclassid = 'pg_class'::regclass
         and k.oid = d.refobjid and k.relkind in ('i', 'I'))
     group by 1, 2),
  type (oid, is_structure) as (
    select objid, is_structure from direct where classid = 'pg_type'::regclass
    union
    select e.oid, type.is_structure from type join pg_type t on t.oid = type.oid cross join lateral (
      select t.typelem union select t.typbasetype
      union select a.atttypid from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0
        and not a.attisdropped
      union select r.rngsubtype from pg_range r where r.rngtypid = t.oid
      union select r.rngtypid from pg_range r where r.rngmultitypid = t.oid) e (oid)
     where e.oid >= 16384)
  select classid, objid, is_structure, is_called from direct where classid <> 'pg_type'::regclass
  union all
  select 'pg_type'::regclass, t.oid, bool_or(type.is_structure), false from type
    join pg_type t on t.oid = type.oid
   where not (t.typcategory = 'A' and t.typelem <> 0) group by t.oid
$$;

-- What has to be there before the table can be made again: types (and the types in them), domains, enums,
-- collations, functions, operator classes, tables, sequences, schemas, roles, tablespaces, and the extensions
-- that bring them. Publications are listed too: a restored table is in none. Built-in objects are not listed.
create or replace function partition_archiver.ddl_dependencies(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with needed (classid, objid) as materialized (
    select classid, objid from partition_archiver.ddl_referenced(p_table)
    union
    select d.refclassid, d.refobjid from partition_archiver.ddl_own(p_table) o
      join pg_shdepend d on d.classid = o.classid and d.objid = o.objid
     where d.dbid = (select oid from pg_database where datname = current_database())
    union
    select 'pg_authid'::regclass, relowner from pg_class where oid = p_table
    union
    -- Those of tables with rows, and of their indexes, are not in pg_shdepend.
    select 'pg_tablespace'::regclass, reltablespace from pg_class
     where reltablespace <> 0
       and (oid = p_table or oid in (select indexrelid from pg_index where indrelid = p_table))),
  named as (
    select i.type as kind, i.identity, case when n.classid = 'pg_type'::regclass
      then partition_archiver.type_definition(n.objid) end
             as definition, e.extname as extension
      from needed n cross join lateral pg_identify_object(n.classid, n.objid, 0) i
      left join pg_depend d on d.classid = n.classid and d.objid = n.objid and d.deptype = 'e'
      left join pg_extension e on e.oid = d.refobjid
    union all
    select 'publication', quote_ident(p.pubname), null, null
      from pg_publication_rel r join pg_publication p on p.oid = r.prpubid where r.prrelid = p_table)
  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('kind', kind, 'identity', identity,
    'definition', definition,
           'extension', extension)) order by kind, identity collate "C"), '[]')
    from (select * from named
          union select 'extension', quote_ident(extension), null, null from named
            where extension is not null) x
$$;

reset role;
