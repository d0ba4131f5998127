-- Restore, before anything is made: what the archived DDL depends on, and what the target lacks.

set role archiver_owner;

-- Schema and name at the beginning of an identity as pg_identify_object() prints it, without what follows.
create or replace function partition_archiver.identity_parts(p_identity text, out schema text, out name text)
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select m[1], m[2] from regexp_match(p_identity, '^("(?:[^"]|"")+"|[^". (]+)\.("(?:[^"]|"")+"|[^" (]+)') m
$$;

-- Whether an object that the archived DDL depends on is there. Null where that cannot be told from its name
-- alone.
create or replace function partition_archiver.dependency_exists(p_kind text, p_identity text) returns boolean
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return case
    when p_kind in ('table', 'view', 'materialized view', 'foreign table', 'sequence', 'composite type')
      then to_regclass(p_identity) is not null
    when p_kind = 'type' then to_regtype(p_identity) is not null
    when p_kind in ('function', 'procedure', 'aggregate') then to_regprocedure(p_identity) is not null
    when p_kind = 'operator' then to_regoperator(p_identity) is not null
    when p_kind = 'operator class' then exists (
      select from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace
        join pg_am a on a.oid = o.opcmethod
       where format('%I.%I USING %I', n.nspname, o.opcname, a.amname) = p_identity)
    when p_kind = 'schema' then to_regnamespace(p_identity) is not null
    when p_kind = 'collation' then to_regcollation(p_identity) is not null
    when p_kind = 'role' then to_regrole(p_identity) is not null
    when p_kind = 'extension' then exists (select from pg_extension where quote_ident(extname) = p_identity)
    when p_kind = 'tablespace' then exists (select from pg_tablespace where quote_ident(spcname) = p_identity)
    when p_kind = 'publication' then exists (select from pg_publication
      where quote_ident(pubname) = p_identity)
  end;
-- An argument of a type, or a schema, that is not there either.
exception
  when undefined_object or invalid_schema_name or undefined_table or syntax_error or invalid_name then
    return false;
  -- In a schema that archiver_owner may not use: what needs it will say so.
  when insufficient_privilege then
    return null;
end
$$;

-- Labels of an archived enum that the type of today has no more: rows that have them cannot be loaded into
-- it. Null where all are there, or it is no enum.
create or replace function partition_archiver.labels_gone(p_definition text, p_type regtype) returns text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with archived (label) as (
    select replace(case m[1] when 'E' then replace(m[2], '\\', '\') else m[2] end, '''''', '''')
      from regexp_matches(substr(p_definition, strpos(p_definition, ' AS ENUM (')),
        '(E?)''((?:[^'']|'''')*)''', 'g') m
     where p_definition like 'CREATE TYPE % AS ENUM (%')
  select format('has no label %s any more, but %s',
           string_agg(quote_literal(label), ', ') filter (where label not in (select enumlabel from pg_enum
             where enumtypid = p_type)),
           coalesce((select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum
                      where enumtypid = p_type and enumlabel not in (select label from archived)),
                        'none instead'))
    from archived having bool_or(label not in (select enumlabel from pg_enum where enumtypid = p_type))
$$;

-- Of the dependencies that an archive lists ([{kind, identity, definition, extension}]), those that are not
-- there, are another one, or were moved with their extension: with the qualified name that they had and have.
-- "prevents": rows cannot be loaded, or an object cannot be made. "statement" makes what is missing, where
-- one is known.
create or replace function partition_archiver.missing_dependencies(p_dependencies jsonb)
  returns table (kind text, identity text, problem text, statement text, prevents boolean, name text,
    moved_to text)
  language sql stable security definer set search_path = pg_catalog, pg_temp
    set quote_all_identifiers = off as $$
  with dependency as materialized (
    select d.kind, d.identity, d.definition, d.extension, i.schema, i.schema || '.' || i.name as name,
           partition_archiver.dependency_exists(d.kind, d.identity) as is_there,
             quote_ident(n.nspname) as extension_schema
      from jsonb_to_recordset(p_dependencies) as d (kind text, identity text, definition text, extension text)
      cross join lateral partition_archiver.identity_parts(d.identity) i
      left join pg_extension e on quote_ident(e.extname) = d.extension
      left join pg_namespace n on n.oid = e.extnamespace),
  placed as materialized (
    select d.*, case when d.extension_schema <> d.schema and d.is_there is not true
                      and partition_archiver.dependency_exists(d.kind,
                        replace(d.identity, d.schema || '.', d.extension_schema || '.')) is not false
                     then d.extension_schema || substr(d.name, length(d.schema) + 1) end as moved_to
      from dependency d),
  judged as (
    select p.*, case
             when p.moved_to is not null then format('is in schema %s now', p.extension_schema)
             when p.is_there is null then null
             when not p.is_there and p.extension is not null
               and p.extension_schema is null then 'is missing with extension ' || p.extension
             when not p.is_there and p.extension is not null then 'is missing in extension ' || p.extension
             when not p.is_there then 'is missing'
             when p.kind = 'type' and p.definition
               is distinct from partition_archiver.type_definition(to_regtype(p.identity))
               then coalesce(partition_archiver.labels_gone(p.definition, to_regtype(p.identity)),
                 'is there with another definition')
             when p.kind = 'tablespace' then 'may not be used by archiver_restore'
           end as problem
      from placed p where p.is_there is not true or p.kind = 'type' and p.definition is not null
         or p.kind = 'tablespace' and not has_tablespace_privilege('archiver_restore',
           (select oid from pg_tablespace where quote_ident(spcname) = p.identity), 'create')),
  listed as (
    select j.kind, j.identity, j.problem,
           case when j.kind = 'tablespace' and j.is_there
                  then format('grant create on tablespace %s to archiver_restore;', j.identity)
                when j.moved_to is not null or j.is_there then null
                when j.extension is not null
                  and j.extension_schema is not null then format('alter extension %s update;', j.extension)
                when j.extension is not null then null
                when j.kind = 'extension' then format('create extension %s%s;', j.identity,
                  (select ' schema ' || min(x.schema) from placed x where x.extension = j.identity))
                when j.kind in ('schema', 'role', 'sequence') then format('create %s %s;', j.kind, j.identity)
                else j.definition || ';' end as statement,
           j.moved_to is null and j.problem <> 'is there with another definition' as prevents, j.name,
             j.moved_to, j.definition
      from judged j where j.problem is not null
    union all
    -- Schemas of what is missing.
    select 'schema', x.schema, 'is missing', format('create schema %s;', x.schema), true, null, null, null
      from (select distinct p.schema from placed p where p.moved_to is null and p.is_there is false
        and p.extension_schema is null and p.schema is not null) x
     where to_regnamespace(x.schema) is null
       and not exists (select from placed p where (p.kind, p.identity) = ('schema', x.schema))),
  -- A type comes after those in its definition.
  depth as (
    with recursive d (identity, level) as (
      select l.identity, 0 from listed l where l.definition is not null
      union
      select l.identity, d.level + 1 from d join listed l on l.definition is not null
        and l.identity <> d.identity
         and strpos(substr(l.definition, length('CREATE DOMAIN ' || l.identity)), d.identity) > 0
         and d.level < 20)
    select d.identity, max(d.level) as level from d group by 1)
  select l.kind, l.identity, l.problem, l.statement, l.prevents, l.name, l.moved_to
    from listed l left join depth d on d.identity = l.identity
   order by coalesce(array_position(array['role', 'schema', 'extension', 'sequence', 'collation', 'type'],
     l.kind), 9), d.level, l.identity collate "C"
$$;

-- What a target lacks, in the order in which the statements can be run. Empty where a table can be made
-- there.
create or replace function partition_archiver.target_needs(p_schema name, p_owner name)
  returns table (kind text, identity text, problem text, statement text)
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with here as (
    select to_regnamespace(quote_ident(p_schema))::oid as schema,
      to_regrole(quote_ident(p_owner))::oid as owner)
  select 'role', quote_ident(p_owner), 'is missing', format('create role %I;', p_owner) from here
    where owner is null
  union all
  select 'schema', quote_ident(p_schema), 'is missing',
    format('create schema %I authorization %I;', p_schema, p_owner) from here where schema is null
  union all
  select 'schema', quote_ident(p_schema), 'belongs to partition-archiver', null
   where p_schema in ('partition_archiver', 'partition_archiver_quarantine', 'partition_archiver_trial',
     'partition_archiver_restore')
      or starts_with(p_schema, 'pg_') or p_schema = 'information_schema'
  union all
  select 'role', r.name, case when owner is null
    or not pg_has_role('archiver_owner', owner, 'usage') then format('is not a member of role %I', p_owner)
                              else format('may not use schema %I', p_schema) end,
         format('select partition_archiver.register_owner(%L, array[%L]::name[]);', p_owner, p_schema)
    from here cross join lateral (
      select min(w.name) as name from (values ('archiver_owner'), ('archiver_restore')) as w (name)
       where w.name = 'archiver_owner'
         and (owner is null or not pg_has_role('archiver_owner', owner, 'usage'))
          or schema is null or not has_schema_privilege(w.name::name, schema, 'usage')) r
   where r.name is not null
  union all
  select 'role', quote_ident(r.name), format('may not create tables in schema %I', p_schema),
    format('grant create on schema %I to %I;', p_schema, r.name)
    from here, (values (p_owner), ('archiver_owner'::name)) as r (name)
   where case when schema is null then r.name <> p_owner
              when to_regrole(quote_ident(r.name)) is null then true
              else not has_schema_privilege(to_regrole(quote_ident(r.name))::oid, schema, 'create') end
$$;

-- The archived DDL as statements for a target; the caller runs them as itself.
create or replace function partition_archiver.render_restore(p_ddl jsonb, p_schema name, p_name name,
  p_sections text[]) returns text[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return partition_archiver.render_ddl(p_ddl, p_schema, p_name, p_sections);

reset role;
