-- Publications. A subscriber stops at the first row of a table that it does not have, and its slot keeps all
-- WAL from then on. So each publication that carries a table of the archiver or of a set, or would, is
-- refused until `acceptedPublications` of the configuration names it. This file has all that looks them up:
--
--   publications(tables)              those that carry the tables or would, with problem and remedy
--   unaccepted_publications(tables)   the same without the accepted ones: installation and preflight
--   publications_of(table)            how each publication of one table carries it: partition-table
--
-- The file is the first of the installation, whose transaction is rolled back if a publication is refused.
-- By psql, before it: set partition_archiver.accepted_publications = 'one, another';

set role archiver_owner;

-- p_tables: [{schema, table}], tables that are there or that will be; without a table, whatever is in the
-- schema. p_ours: the archiver's tables and pg_partman's configuration, too. `carries` names what each
-- publication carries of them, or would. Everything between the quotes is also run alone, before anything
-- is installed: the parameters have no names here.
create or replace function partition_archiver.publications(p_tables jsonb, p_ours boolean default true)
  returns table (publication name, owner name, carries text[], problem text, remedy text)
  language sql stable security invoker set search_path = pg_catalog, pg_temp as $publications$
  with target as (
    select x.schema, x."table", false as is_ours
      from jsonb_to_recordset(($1::text)::jsonb) as x (schema text, "table" text)
    union all
    select o.schema, o."table", true
      from (values ('partition_archiver', null), ('partition_archiver_quarantine', null),
        ('partition_archiver_restore', null),
                   (coalesce((select n.nspname::text from pg_extension e
                     join pg_namespace n on n.oid = e.extnamespace
                               where e.extname = 'pg_partman'), 'partman'), 'part_config')) as o (schema,
                                 "table")
     where $2::boolean),
  -- Each with its partitions, and with what it is a partition of: whichever is published, its rows are.
  relation as (
    select t.*, coalesce(n.oid, 0) as schema_oid, coalesce(r.relid, c.oid, 0) as relid,
      coalesce(k.relnamespace, n.oid, 0) as in_schema
      from target t
      left join pg_namespace n on n.nspname = t.schema
      left join pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'p')
        and (t."table" is null or c.relname = t."table")
      left join lateral (select relid from pg_partition_tree(c.oid)
        union select pg_partition_ancestors(c.oid)) r on true
      left join pg_class k on k.oid = r.relid),
  -- pg_publication_namespace is not there before 15, but what depends on what is.
  scope as (
    select p.oid, 'every table of the database' as what, null::oid as schema_oid, null::oid as relid
      from pg_publication p where p.puballtables
    union all
    select on_publication.refobjid, 'whatever is in schema ' || quote_ident(n.nspname), n.oid, null
      from pg_depend on_publication
      join pg_depend on_schema on on_schema.classid = on_publication.classid
        and on_schema.objid = on_publication.objid
      join pg_namespace n on n.oid = on_schema.refobjid
     where on_publication.classid = to_regclass('pg_catalog.pg_publication_namespace')
       and on_publication.refclassid = 'pg_catalog.pg_publication'::regclass
       and on_schema.refclassid = 'pg_catalog.pg_namespace'::regclass
    union all
    -- From 19 on, a row may also say that the table is left out.
    select pr.prpubid, 'table ' || pr.prrelid::regclass, null, pr.prrelid
      from pg_publication_rel pr where coalesce(to_jsonb(pr) ->> 'prexcept', 'false') <> 'true'),
  carried as (
    select s.oid, array_agg(distinct s.what) as scopes, bool_or(r.is_ours) as ours,
      bool_or(not r.is_ours) as others,
           array_agg(distinct case when r."table" is null then 'schema ' || quote_ident(r.schema)
                                   else quote_ident(r.schema) || '.' || quote_ident(r."table") end) as carries
      from scope s join relation r on s.schema_oid in (r.schema_oid, r.in_schema) or s.relid = r.relid
        or s.schema_oid is null and s.relid is null and not exists (
             select from pg_publication_rel pr where pr.prpubid = s.oid and pr.prrelid = r.relid
               and to_jsonb(pr) ->> 'prexcept' = 'true')
     group by s.oid),
  slots as (
    select coalesce(string_agg(format('%s (%s)', slot_name,
      case when active then 'active' else 'inactive' end), ', ' order by slot_name),
                    'none') as list
      from pg_replication_slots where slot_type = 'logical' and database = current_database()),
  -- What a publication of every table would name instead: the application's tables, or, from 15 on, their
  -- schemas.
  application as (
    select string_agg(c.oid::regclass::text, ', ' order by n.nspname, c.relname) as tables,
      count(*) as number,
           string_agg(distinct quote_ident(n.nspname), ', ') as schemas
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and c.relpersistence = 'p' and not c.relispartition and c.oid >= 16384
       and n.nspname not in ('information_schema', 'partition_archiver', 'partition_archiver_quarantine',
         'partition_archiver_restore', 'partition_archiver_trial')
       and not (left(c.relname, 9) = 'template_'
         and n.oid = (select extnamespace from pg_extension where extname = 'pg_partman'))
       and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
         and d.deptype = 'e'))
  select p.pubname, pg_get_userbyid(p.pubowner), c.carries,
         format('carries %s, thereby %s. %s%sLogical slots of this database: %s',
           array_to_string(c.scopes, ', '),
           array_to_string(c.carries, ', '),
           case when c.ours then 'A subscriber without these tables of the archiver stops at the first row '
             'that is written to one of them, and its slot keeps all WAL from then on. ' else '' end,
           case when c.others then format('A new partition has to be at the subscriber as well%s; one that '
             'was detached leaves the publication, and the subscriber keeps its rows. ',
             case when p.pubviaroot then ', if its table is partitioned there'
               else ', under the same name' end) else '' end,
           s.list),
         case
           when p.puballtables then format('Name its tables: begin; drop publication %1$I; create '
             'publication %1$I for %2$s with (publish = %3$L, publish_via_partition_root = %4$s%5$s); '
             'commit; and at each subscriber: alter subscription … refresh publication; ',
             p.pubname,
             case when a.number = 0 then 'table …'
                  when a.number <= 20 or current_setting('server_version_num')::integer < 150000
                    then 'table ' || a.tables
                  else 'tables in schema ' || a.schemas end,
             concat_ws(', ', case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
               case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end),
             p.pubviaroot::text, case when to_jsonb(p) ->> 'pubgencols' = 's'
               then ', publish_generated_columns = stored' else '' end)
             || case when current_setting('server_version_num')::integer >= 190000
                  then 'or leave ours out of it: for all tables except (table …); ' else '' end
           else 'Take them out of it: alter publication … drop …; ' end
         || case when c.ours then 'or make the archiver''s tables at the subscriber, empty: psql -d '
           '<subscriber> -f db/install.sql; ' else '' end
         || format('then accept it: "acceptedPublications": [%s] in the configuration (by psql: set '
           'partition_archiver.accepted_publications = %L;)',
              to_json(p.pubname::text), p.pubname)
    from carried c join pg_publication p on p.oid = c.oid cross join slots s cross join application a
   order by p.pubname
$publications$;

-- Those of them that the configuration does not accept. p_accepted: a list of names.
create or replace function partition_archiver.unaccepted_publications(p_tables jsonb, p_accepted jsonb)
  returns table (publication name, problem text, remedy text)
  language sql stable security invoker set search_path = pg_catalog, pg_temp as $$
  select p.publication, p.problem, p.remedy from partition_archiver.publications(p_tables) p
   where not p_accepted ? p.publication::text
$$;

-- The publications that carry a table: by its name, by its schema, or because they carry every table.
-- `via_root`: they send the rows of partitions as rows of the partitioned table. `member`: what
-- ALTER PUBLICATION … ADD TABLE says of it after its name; null where it is not carried by name.
create or replace function partition_archiver.publications_of(p_table oid)
  returns table (publication name, how text, via_root boolean, owner oid, keys_sent boolean, columns name[],
    member text)
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select p.pubname,
         case when p.puballtables then 'every table'
              when r.prrelid is not null then 'this table'
              else 'every table of its schema' end,
         p.pubviaroot, p.pubowner, p.pubupdate or p.pubdelete, l.columns,
         case when r.prrelid is not null then
           coalesce((select ' (' || string_agg(quote_ident(c), ', ' order by o) || ')'
             from unnest(l.columns) with ordinality as u (c, o)), '')
             || coalesce(' where (' || (to_jsonb(t) ->> 'rowfilter') || ')', '') end
    from pg_publication p
    join pg_class c on c.oid = p_table join pg_namespace n on n.oid = c.relnamespace
    join pg_publication_tables t on t.pubname = p.pubname and t.schemaname = n.nspname
      and t.tablename = c.relname
    left join pg_publication_rel r on r.prpubid = p.oid and r.prrelid = p_table and not p.puballtables
    -- Neither lists of columns nor filters of rows before 15.
    cross join lateral (
      select array(select a.attname from pg_attribute a
                    where a.attrelid = p_table and to_jsonb(r) -> 'prattrs' @> to_jsonb(a.attnum)
                    order by a.attnum) as columns
       where to_jsonb(r) ->> 'prattrs' is not null
      union all select null where to_jsonb(r) ->> 'prattrs' is null) l
$$;

reset role;

do $accepted$
declare
  v_accepted constant jsonb := (
    select coalesce(jsonb_agg(btrim(name)), '[]')
      from unnest(string_to_array(current_setting('partition_archiver.accepted_publications', true),
      ',')) as a (name));
  v_found record;
begin
  for v_found in select * from partition_archiver.unaccepted_publications('[]', v_accepted) loop
    raise exception 'publication % %', quote_ident(v_found.publication), v_found.problem
      using errcode = 'PA010', hint = v_found.remedy; -- PreflightFailed
  end loop;
end
$accepted$;
