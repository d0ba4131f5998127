-- Preflight: the rights that a set's partitions can be tried and restored with. A right that is missing would
-- block each partition when it is already detached.

set role archiver_owner;

-- What the structure of a table needs and archiver_trial or archiver_restore may not use: one line a grant.
create or replace function partition_archiver.missing_rights(p_table oid)
  returns table (what text, roles text, remedy text)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with referenced as materialized (
    select r.classid, r.objid, i.type, i.schema, i.identity, r.is_called
      from partition_archiver.ddl_referenced(p_table) r
        cross join lateral pg_identify_object(r.classid, r.objid, 0) i
     where r.is_structure),
  -- Functions that are called: by name, by an operator, by the check constraint of a domain.
  called (oid) as (
    select objid from referenced where classid = 'pg_proc'::regclass and is_called
    union select o.oprcode from referenced r join pg_operator o on r.classid = 'pg_operator'::regclass
      and o.oid = r.objid where r.is_called
    union select d.refobjid from referenced r join pg_constraint k on r.classid = 'pg_type'::regclass
      and k.contypid = r.objid
      join pg_depend d on d.classid = 'pg_constraint'::regclass and d.objid = k.oid
        and d.refclassid = 'pg_proc'::regclass),
  wanted (position, what, grantable, role, is_held) as (
    select distinct 1, 'schema ' || schema, 'usage on schema ' || schema, w.role,
           has_schema_privilege(w.role, to_regnamespace(schema)::oid, 'usage')
      from referenced, (values ('archiver_trial'::name), ('archiver_restore')) as w (role)
     where to_regnamespace(schema) is not null
       and schema not in ('partition_archiver', 'partition_archiver_quarantine')
    union all
    select 2, 'type ' || identity, 'usage on type ' || identity, w.role,
      has_type_privilege(w.role, objid, 'usage')
      from referenced, (values ('archiver_trial'::name), ('archiver_restore')) as w (role)
        where classid = 'pg_type'::regclass
    union all
    select 3, 'function ' || c.oid::regprocedure, 'execute on function ' || c.oid::regprocedure, w.role,
      has_function_privilege(w.role, c.oid, 'execute')
      from called c join pg_proc p on p.oid = c.oid,
        (values ('archiver_trial'::name), ('archiver_restore')) as w (role))
  select w.what, string_agg(w.role, ' and ' order by w.role desc),
    format('grant %s to %s;', w.grantable, string_agg(w.role, ', ' order by w.role desc))
    from wanted w where not w.is_held group by w.position, w.what, w.grantable
      order by w.position, w.what collate "C"
$$;

-- The same for tablespaces: those of all partitions and their indexes, since old ones are moved to slower
-- disks one by one; and those of the parent and its indexes, where new partitions go, for which pg_partman
-- needs a right, too. The database's own tablespace is 0 and needs none.
create or replace function partition_archiver.missing_tablespaces(p_parent oid)
  returns table (what text, roles text, remedy text)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with tables (oid, is_parent) as (
    select p_parent, true
    -- The default partition is never archived.
    union all
    select i.inhrelid, false from pg_inherits i join pg_partitioned_table p on p.partrelid = i.inhparent
     where i.inhparent = p_parent and i.inhrelid <> p.partdefid),
  relation (oid, is_parent) as (
    select * from tables
    union all select x.indexrelid, t.is_parent from tables t join pg_index x on x.indrelid = t.oid),
  used as (
    select s.oid, s.spcname, bool_or(r.is_parent) as is_parent
      from relation r join pg_class c on c.oid = r.oid join pg_tablespace s on s.oid = c.reltablespace
     group by s.oid, s.spcname)
  select 'tablespace ' || quote_ident(u.spcname), string_agg(w.role, ' and ' order by w.role desc),
    format('grant create on tablespace %I to %s;', u.spcname, string_agg(w.role, ', ' order by w.role desc))
    from used u cross join (values ('archiver_trial'::name, false), ('archiver_restore', false),
      ('archiver_maintain', true)) as w (role, for_new)
   where (u.is_parent or not w.for_new) and not has_tablespace_privilege(w.role, u.oid, 'create')
   group by u.oid, u.spcname order by u.spcname
$$;

-- The same for sets, as preflight lists it: the parent, and the partition that leaves next, which may have
-- more of its own.
create or replace function partition_archiver.rights_to_restore(p_sets jsonb)
  returns table (subject text, problem text, remedy text)
  language sql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC'
    set datestyle = 'ISO, YMD' as $$
  select min(format('%I.%I', s.schema, s."table")),
    format('%s may not use %s, which %srestoring a partition needs', m.roles, m.what,
      case when strpos(m.roles, 'archiver_maintain') > 0 then 'making or ' else '' end), m.remedy
    from jsonb_to_recordset(p_sets) as s (schema name, "table" name)
    -- By name: to_regclass() fails in a schema that archiver_owner may not use.
    join pg_namespace n on n.nspname = s.schema
    join pg_class c on c.relnamespace = n.oid and c.relname = s."table" and c.relkind = 'p'
    cross join lateral (
      select r.* from (
        select c.oid
        union all
        (select i.inhrelid from pg_inherits i join pg_class p on p.oid = i.inhrelid and p.relkind = 'r'
          where i.inhparent = c.oid
          order by i.inhrelid limit 1)) t (oid)
        cross join lateral partition_archiver.missing_rights(t.oid) r
      union all
      select * from partition_archiver.missing_tablespaces(c.oid)) m
   group by m.roles, m.what, m.remedy order by min(m.remedy) like 'grant usage on schema %' desc, m.remedy
$$;

reset role;
