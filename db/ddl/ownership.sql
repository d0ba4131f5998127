-- DDL archive: owners, grants, security labels.

set role archiver_owner;

-- Grants on a table with its columns, or on a sequence, in an order in which they can be given: who passes a
-- right on must hold it first. A grantor other than the owner has to grant it itself, by SET ROLE.
create or replace function partition_archiver.ddl_grants(p_relation oid, p_target text)
  returns table (section text, statement text)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with recursive relation as (
    select c.oid, c.relacl, c.relowner, quote_ident(pg_get_userbyid(c.relowner)) as owner,
           case c.relkind when 'S' then 'SEQUENCE ' else 'TABLE ' end || p_target as target
      from pg_class c where c.oid = p_relation),
  item as (
    select 0 as attnum, null::name as attname, ord, grantor, grantee, privilege_type, is_grantable
      from relation, aclexplode(relacl) with ordinality as x (grantor, grantee, privilege_type, is_grantable,
        ord)
    union all
    select a.attnum, a.attname, ord, grantor, grantee, privilege_type, is_grantable
      from pg_attribute a, aclexplode(a.attacl) with ordinality as x (grantor, grantee, privilege_type,
        is_grantable, ord)
     where a.attrelid = p_relation and a.attnum > 0 and not a.attisdropped),
  reached as (
    select i.*, 0 as level from item i, relation r where i.grantor = r.relowner
    union
    select i.*, r.level + 1 from reached r join item i on i.grantor = r.grantee
      and i.privilege_type = r.privilege_type
       and r.attnum in (0, i.attnum) where r.is_grantable and r.level < 50),
  placed as (
    select i.*, coalesce((select min(level) from reached r
      where (r.attnum, r.ord, r.grantor, r.grantee, r.privilege_type)
                            = (i.attnum, i.ord, i.grantor, i.grantee, i.privilege_type)), 99) as level
                              from item i),
  granted as (
    select level, attnum, min(ord) as ord, grantor,
           format('GRANT %s ON %s TO %s%s',
             string_agg(privilege_type || coalesce(' (' || quote_ident(attname) || ')', ''), ', '
               order by ord),
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
        (1, 'SET ROLE ' || g.other), (2, g.statement),
          (3, case when g.other is not null then 'RESET ROLE' end)) as p (position, statement)
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
    select 'ownership', format('ALTER TABLE %s OWNER TO %I', v_table, pg_get_userbyid(relowner))
      from pg_class where oid = p_table;
  return query
    select 'ownership', format('ALTER STATISTICS %s OWNER TO %I', name, owner)
      from partition_archiver.ddl_statistics(p_table, p_marker, p_schemas);
  return query select * from partition_archiver.ddl_grants(p_table, v_table);
  return query
    select g.section, g.statement from partition_archiver.owned_sequences(p_table) s,
      lateral partition_archiver.ddl_grants(s.oid, format('{%s:sequence %s}', p_marker, s.number)) g;
  return query
    select 'ownership', format('SECURITY LABEL FOR %I ON %s IS %L', l.provider,
             case when a.attname is null then 'TABLE ' || v_table
               else format('COLUMN %s.%I', v_table, a.attname) end, l.label)
      from pg_seclabel l left join pg_attribute a on a.attrelid = l.objoid and a.attnum = l.objsubid
        and l.objsubid > 0
     where l.classoid = 'pg_class'::regclass and l.objoid = p_table order by l.objsubid, l.provider;
end
$$;

reset role;
