-- The DDL archive: what CREATE statements it takes to make a table again, read from the catalogs.
--
-- capture_ddl returns templates. In them the table, its schema and its owned sequences stand as tokens,
-- {<marker>:table} and the like, whose marker is a new UUID for each capture: text of the user's can look
-- like anything but that. render_ddl turns templates into statements for a schema and name of choice; try_ddl
-- runs them on trial. What these functions do not know they refuse: half a table is worse than none.
--
-- PostgreSQL 14 to 19: a catalog column that not all of these have is read from to_jsonb(row).
--
-- The files of db/ddl, one for each kind of object; this one has what the others share.

set role archiver_owner;

-- Where names of the table itself and of its sequences have been put by pg_get_expr and its kin, tokens.
-- capture_ddl has given them names that occur nowhere else. A name within a literal ('s.t'::regclass) is a
-- token of its own, since it has to be quoted as a literal too; name_1 is an alias that a rule made up from
-- the name.
create or replace function partition_archiver.ddl_template(p_text text, p_marker text) returns text
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select case when strpos(p_text, p_marker) = 0 then p_text else
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(p_text,
      '''partition_archiver_trial\.pa_' || p_marker || '''', '{' || p_marker || ':table literal}', 'g'),
      '''partition_archiver_trial\.ps_' || p_marker || '_(\d+)''', '{' || p_marker
        || ':sequence literal \1}', 'g'),
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

-- A number with its noun, for messages: '1 row', '2 rows'.
create or replace function partition_archiver.counted(p_count bigint, p_noun text) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
  return p_count || ' ' || p_noun || case when p_count = 1 then '' else 's' end;

-- Options as the catalogs keep them (name=value) as a list for WITH (...) or SET (...).
create or replace function partition_archiver.ddl_options(p_options text[], p_prefix text default '')
  returns text
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select string_agg(format('%s%I=%L', p_prefix, split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', '
    order by n)
    from unnest(p_options) with ordinality as u (o, n)
$$;

-- Options of a column, as they were set. PostgreSQL 15.20 keeps a version of each column among them,
-- pg_attver, which cannot be set; pg_dump leaves it out too, and servers without it
-- would refuse the statement.
create or replace function partition_archiver.column_options(p_options text[]) returns text[]
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select nullif(array(select o from unnest(p_options) with ordinality as u (o, n)
    where not starts_with(o, 'pg_attver=') order by n), '{}')
$$;

-- The extensions that an object goes with where they are dropped (ALTER ... DEPENDS ON EXTENSION).
create or replace function partition_archiver.ddl_extensions_of(p_class oid, p_object oid)
  returns table (extname name)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select e.extname from pg_depend d join pg_extension e on e.oid = d.refobjid
   where d.classid = p_class and d.objid = p_object and d.refclassid = 'pg_extension'::regclass
     and d.deptype = 'x' order by e.extname
$$;

-- START and the rest of a sequence.
create or replace function partition_archiver.ddl_sequence_options(p_sequence oid) returns text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select format('START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s',
           seqstart, seqincrement, seqmin, seqmax, seqcache, case when seqcycle then ' CYCLE' else '' end)
    from pg_sequence where seqrelid = p_sequence
$$;

reset role;
