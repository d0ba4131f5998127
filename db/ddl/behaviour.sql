-- DDL archive: extended statistics, triggers, rules, row security, comments.

set role archiver_owner;

-- Extended statistics, with the number of their schema where it is not the table's: they do not move along
-- with it.
create or replace function partition_archiver.ddl_statistics(p_table oid, p_marker text, p_schemas name[])
  returns table (oid oid, name text, owner name, target integer, definition text)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select s.oid, x.name, pg_get_userbyid(s.stxowner), coalesce((to_jsonb(s) ->> 'stxstattarget')::integer, -1),
         'CREATE STATISTICS ' || x.name || partition_archiver.ddl_template(
           substr(pg_get_statisticsobjdef(s.oid), 1 + length(format('CREATE STATISTICS %I.%I', n.nspname,
             s.stxname))), p_marker)
    from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
    cross join lateral (select format('{%s:schema%s}.%I', p_marker,
      coalesce(' ' || array_position(p_schemas, n.nspname), ''), s.stxname) as name) x
   where s.stxrelid = p_table order by s.stxname collate "C"
$$;

-- Triggers, rules, row security. A constraint trigger FROM another table locks that one, so it has a section
-- of its own.
create or replace function partition_archiver.ddl_behaviour(p_table oid, p_marker text, p_schemas name[])
  returns table (section text, statement text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  v_table text := format('{%s:table}', p_marker);
begin
  return query
    select 'structure', x.statement
      from partition_archiver.ddl_statistics(p_table, p_marker, p_schemas) s, lateral (values
        (s.definition),
        (case when s.target >= 0 then format('ALTER STATISTICS %s SET STATISTICS %s', s.name, s.target) end))
          as x (statement)
     where x.statement is not null;

  return query
    select case when t.tgconstrrelid <> 0 then 'foreign_triggers' else 'structure' end, x.statement
      from pg_trigger t, lateral (values
        (1, partition_archiver.ddl_template(pg_get_triggerdef(t.oid), p_marker)),
        (2, case when t.tgenabled <> 'O' then format('ALTER TABLE %s %s TRIGGER %I', v_table,
              case t.tgenabled when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA'
                else 'ENABLE ALWAYS' end, t.tgname) end)
        union all
        select 3, format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION %I', t.tgname, v_table, e.extname)
          from partition_archiver.ddl_extensions_of('pg_trigger'::regclass, t.oid) e
      ) as x (position, statement)
     where t.tgrelid = p_table and not t.tgisinternal
       and not starts_with(t.tgname::text, 'partition_archiver_fence')
       and x.statement is not null
     order by t.tgname collate "C", x.position;

  return query
    select 'structure', x.statement from pg_rewrite r, lateral (values
        (1, partition_archiver.ddl_template(rtrim(pg_get_ruledef(r.oid), ';'), p_marker)),
        (2, case when r.ev_enabled <> 'O' then format('ALTER TABLE %s %s RULE %I', v_table,
              case r.ev_enabled when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA'
                else 'ENABLE ALWAYS' end, r.rulename) end)
      ) as x (position, statement)
     where r.ev_class = p_table and x.statement is not null
     order by r.rulename collate "C", x.position;

  return query
    select 'structure', format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', polname, v_table,
             case when polpermissive then 'PERMISSIVE' else 'RESTRICTIVE' end,
             case polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE'
               when 'd' then 'DELETE' else 'ALL' end,
             (select string_agg(case r when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(r)) end, ', ')
               from unnest(polroles) r))
             || coalesce(' USING (' || partition_archiver.ddl_template(pg_get_expr(polqual, polrelid),
               p_marker) || ')', '')
             || coalesce(' WITH CHECK (' || partition_archiver.ddl_template(pg_get_expr(polwithcheck,
               polrelid), p_marker) || ')', '')
      from pg_policy where polrelid = p_table order by polname collate "C";

  return query
    select 'row_security', format('ALTER TABLE ONLY %s %s ROW LEVEL SECURITY', v_table, verb)
      from pg_class c, lateral (values (c.relrowsecurity, 'ENABLE'),
        (c.relforcerowsecurity, 'FORCE')) as x (is_so, verb)
     where c.oid = p_table and is_so;
end
$$;

-- Comments on all of it, each beside what it is on.
create or replace function partition_archiver.ddl_comments(p_table oid, p_marker text, p_schemas name[])
  returns table (section text, statement text)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select o.section, format('COMMENT ON %s IS %L', o.target, d.description)
    from (
      select 1 as position, 'structure' as section, 'pg_class'::regclass as classid, p_table as objid,
        0 as objsubid,
             format('TABLE {%s:table}', p_marker) as target
      union all
      select 2, 'structure', 'pg_class'::regclass, p_table, attnum,
        format('COLUMN {%s:table}.%I', p_marker, attname)
        from pg_attribute where attrelid = p_table and attnum > 0 and not attisdropped
      union all
      select 3, 'structure', 'pg_class'::regclass, oid, 0,
        format('SEQUENCE {%s:sequence %s}', p_marker, number)
        from partition_archiver.owned_sequences(p_table)
      union all
      select 4, case when k.contype = 'f' then 'foreign_keys'
        when t.tgconstrrelid <> 0 then 'foreign_triggers' else 'structure' end,
             'pg_constraint'::regclass, k.oid, 0, format('CONSTRAINT %I ON {%s:table}', k.conname, p_marker)
        from pg_constraint k left join pg_trigger t on k.contype = 't' and t.tgconstraint = k.oid
       where k.conrelid = p_table and k.conparentid = 0
      union all
      select 5, 'structure', 'pg_class'::regclass, k.oid, 0,
        format('INDEX {%s:schema}.%I', p_marker, k.relname)
        from pg_index i join pg_class k on k.oid = i.indexrelid where i.indrelid = p_table
      union all
      select 6, 'structure', 'pg_statistic_ext'::regclass, oid, 0, 'STATISTICS ' || name
        from partition_archiver.ddl_statistics(p_table, p_marker, p_schemas)
      union all
      select 7, case when tgconstrrelid <> 0 then 'foreign_triggers' else 'structure' end,
        'pg_trigger'::regclass, oid, 0,
             format('TRIGGER %I ON {%s:table}', tgname, p_marker)
        from pg_trigger where tgrelid = p_table and not tgisinternal
          and not starts_with(tgname::text, 'partition_archiver_fence')
      union all
      select 8, 'structure', 'pg_rewrite'::regclass, oid, 0,
        format('RULE %I ON {%s:table}', rulename, p_marker)
        from pg_rewrite where ev_class = p_table
      union all
      select 9, 'structure', 'pg_policy'::regclass, oid, 0,
        format('POLICY %I ON {%s:table}', polname, p_marker)
        from pg_policy where polrelid = p_table
    ) o join pg_description d on d.classoid = o.classid and d.objoid = o.objid and d.objsubid = o.objsubid
   order by o.position, o.objsubid, o.target collate "C"
$$;

reset role;
