import type postgres from 'postgres';

/** Settings that every function has that has any (db/schema/grants.sql), and the usual search_path. */
const COMMON = [
  'search_path=pg_catalog, pg_temp',
  'standard_conforming_strings=on',
  'quote_all_identifiers=off',
  'datestyle=ISO, YMD',
  'intervalstyle=postgres',
  'extra_float_digits=1',
  'bytea_output=hex',
  'array_nulls=on',
  'transform_null_equals=off',
  'jit=off',
];

/** Schemas, functions and relations of the archiver as text: owner, rights, and what a caller sees. */
export async function installedSchema(sql: postgres.Sql): Promise<string> {
  const lines = await sql<{ line: string }[]>`
    with
    -- "archiver_read: select, insert; archiver_maintain: select", without what an owner has anyway.
    granted as (
      select a.class, a.oid, string_agg(a.grantee || ': ' || a.rights, '; ' order by a.grantee collate "C") as grants
        from (
          select o.class, o.oid, case x.grantee when 0 then 'PUBLIC' else x.grantee::regrole::text end as grantee,
                 string_agg(lower(x.privilege_type), ', ' order by x.privilege_type) as rights
            from (
              select 'n' as class, oid, nspowner as owner, coalesce(nspacl, acldefault('n', nspowner)) as acl from pg_namespace
              union all
              select 'f', oid, proowner, coalesce(proacl, acldefault('f', proowner)) from pg_proc
              union all
              select 'r', oid, relowner, coalesce(relacl, acldefault('r', relowner)) from pg_class where relkind in ('r', 'v', 'p')
            ) o cross join aclexplode(o.acl) x
           where x.grantee <> o.owner
           group by o.class, o.oid, x.grantee
        ) a group by a.class, a.oid),
    schemas as (
      select oid, nspname, nspowner from pg_namespace where nspname like 'partition\_archiver%'),
    functions as (
      select s.nspname, p.proname, p.oid, p.oid::regprocedure::text as signature,
             format('function %s.%s(%s)%s', s.nspname, p.proname, pg_get_function_arguments(p.oid),
                    ' returns ' || pg_get_function_result(p.oid)) as head,
             concat_ws(', ', l.lanname, case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
                       case when p.prosecdef then 'security definer' else 'security invoker' end,
                       case when p.proisstrict then 'strict' end, case when p.proleakproof then 'leakproof' end,
                       'owner ' || p.proowner::regrole::text) as kind,
             (select string_agg(setting, ', ' order by setting collate "C") from unnest(p.proconfig) as setting
               where lower(split_part(setting, '=', 1)) || '=' || split_part(setting, '=', 2) <> all (${COMMON})) as settings,
             case when p.prosecdef and not coalesce(array_to_string(p.proconfig, ' ') ~ 'search_path=', false)
                  then 'search_path is the caller’s' end as open
        from pg_proc p join schemas s on s.oid = p.pronamespace join pg_language l on l.oid = p.prolang
       where not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')),
    relations as (
      select s.nspname, c.relname, c.oid, case c.relkind when 'v' then 'view' else 'table' end as kind, c.relowner
        from pg_class c join schemas s on s.oid = c.relnamespace where c.relkind in ('r', 'v', 'p'))
    select line from (
      select 1 as part, nspname as major, '' as minor, 0 as n,
             format('schema %s: owner %s%s', nspname, nspowner::regrole, '; ' || g.grants) as line
        from schemas s left join granted g on g.class = 'n' and g.oid = s.oid
      union all
      select 2, r.nspname, r.relname, 0, format(E'\n%s %s.%s: owner %s%s%s', kind, nspname, relname, relowner::regrole, '; ' || g.grants,
             E'\n  -- ' || obj_description(r.oid, 'pg_class'))
        from relations r left join granted g on g.class = 'r' and g.oid = r.oid
      union all
      select 2, r.nspname, r.relname, a.attnum,
             format('  %s %s%s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' end,
                    case when a.attidentity <> '' then ' generated as identity' end,
                    case when a.attgenerated <> '' then ' generated: ' else ' default ' end || pg_get_expr(d.adbin, d.adrelid),
                    ' -- ' || col_description(r.oid, a.attnum))
        from relations r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
      union all
      select 2, r.nspname, r.relname, 10000 + row_number() over (partition by r.oid order by k.contype, k.conname collate "C"),
             format('  constraint %s %s', k.conname, pg_get_constraintdef(k.oid))
        from relations r join pg_constraint k on k.conrelid = r.oid and k.contype in ('c', 'f', 'p', 'u', 'x')
      union all
      select 2, r.nspname, r.relname, 20000 + row_number() over (partition by r.oid order by x.relname collate "C"),
             '  ' || pg_get_indexdef(i.indexrelid)
        from relations r join pg_index i on i.indrelid = r.oid join pg_class x on x.oid = i.indexrelid
       where not exists (select from pg_constraint k where k.conindid = i.indexrelid)
      union all
      select 2, r.nspname, r.relname, 30000 + row_number() over (partition by r.oid order by t.tgname collate "C"),
             '  ' || pg_get_triggerdef(t.oid)
        from relations r join pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal
      union all
      select 3, nspname, signature, 0,
             concat_ws(E'\n  ', E'\n' || head, kind || coalesce('; ' || g.grants, ''), settings, open, '-- ' || obj_description(f.oid, 'pg_proc'))
        from functions f left join granted g on g.class = 'f' and g.oid = f.oid
    ) lines order by part, major collate "C", minor collate "C", n`;
  return `${lines.map(({ line }) => line).join('\n')}\n`;
}
