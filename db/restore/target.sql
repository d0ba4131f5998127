-- Restore, before anything is made: what the archived DDL depends on, and whether the target can be.

set role archiver_owner;

-- Whether an object that the archived DDL depends on is there. Null where that cannot be told from its name alone.
create or replace function partition_archiver.dependency_exists(p_kind text, p_identity text) returns boolean
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return case
    when p_kind in ('table', 'view', 'materialized view', 'foreign table', 'sequence', 'composite type')
      then to_regclass(p_identity) is not null
    when p_kind = 'type' then to_regtype(p_identity) is not null
    when p_kind in ('function', 'procedure', 'aggregate') then to_regprocedure(p_identity) is not null
    when p_kind = 'operator' then to_regoperator(p_identity) is not null
    when p_kind = 'schema' then to_regnamespace(p_identity) is not null
    when p_kind = 'collation' then to_regcollation(p_identity) is not null
    when p_kind = 'role' then to_regrole(p_identity) is not null
    when p_kind = 'extension' then exists (select from pg_extension where quote_ident(extname) = p_identity)
    when p_kind = 'tablespace' then exists (select from pg_tablespace where quote_ident(spcname) = p_identity)
    when p_kind = 'publication' then exists (select from pg_publication where quote_ident(pubname) = p_identity)
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

-- Of the dependencies that an archive lists ([{kind, identity, definition, extension}]), those that are not there, and
-- types that are there with another definition. "statement" makes what is missing, where one is known.
create or replace function partition_archiver.missing_dependencies(p_dependencies jsonb)
  returns table (kind text, identity text, problem text, statement text)
  language sql stable security definer set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select d.kind, d.identity,
         case when e.is_there is false then 'is missing' else 'is there with another definition' end,
         coalesce(d.definition || ';', case
           when d.extension is not null then format('create extension %s;', d.extension)
           when d.kind in ('schema', 'role', 'extension', 'sequence') then format('create %s %s;', d.kind, d.identity) end)
    from jsonb_to_recordset(p_dependencies) as d (kind text, identity text, definition text, extension text)
    cross join lateral (select partition_archiver.dependency_exists(d.kind, d.identity) as is_there) e
   where case when e.is_there is null then false
              when not e.is_there then true
              else d.kind = 'type' and d.definition is not null
                and d.definition is distinct from partition_archiver.type_definition(to_regtype(d.identity)) end
   order by array_position(array['extension', 'role', 'schema', 'type'], d.kind), d.identity collate "C"
$$;

-- Why a table cannot be made here under this name for this owner. Empty where it can.
create or replace function partition_archiver.target_problems(p_schema name, p_name name, p_owner name) returns text[]
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select array(
    select format('there is no schema %1$I (create schema %1$I authorization %2$I; select partition_archiver.register_owner(%2$L, array[%1$L]::name[]); grant create on schema %1$I to archiver_owner;)',
        p_schema, p_owner)
     where to_regnamespace(quote_ident(p_schema)) is null
    union all
    select format('schema %I belongs to partition-archiver', p_schema)
      where p_schema in ('partition_archiver', 'partition_archiver_quarantine', 'partition_archiver_trial', 'partition_archiver_restore')
         or starts_with(p_schema, 'pg_') or p_schema = 'information_schema'
    union all
    select format('there is no role %I to own it', p_owner) where to_regrole(quote_ident(p_owner)) is null
    union all
    select format('archiver_owner is not a member of role %1$I (grant %1$I to archiver_owner;)', p_owner)
      where to_regrole(quote_ident(p_owner)) is not null and not pg_has_role('archiver_owner', to_regrole(quote_ident(p_owner)), 'usage')
    union all
    select format('role %s may not use schema %I (select partition_archiver.register_owner(%L, array[%L]::name[]);)', r.name, p_schema, p_owner, p_schema)
      from (values ('archiver_owner'), ('archiver_restore')) as r (name)
     where to_regnamespace(quote_ident(p_schema)) is not null
       and not has_schema_privilege(r.name::name, to_regnamespace(quote_ident(p_schema)), 'usage')
    union all
    select format('role %1$I may not create tables in schema %2$I (grant create on schema %2$I to %1$I;)', r.name, p_schema)
      from (values (p_owner), ('archiver_owner'::name)) as r (name)
     where to_regrole(quote_ident(r.name)) is not null and to_regnamespace(quote_ident(p_schema)) is not null
       and not has_schema_privilege(to_regrole(quote_ident(r.name)), to_regnamespace(quote_ident(p_schema)), 'create'))
$$;

-- The archived DDL as statements for a target; the caller runs them as itself.
create or replace function partition_archiver.render_restore(p_ddl jsonb, p_schema name, p_name name, p_sections text[]) returns text[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return partition_archiver.render_ddl(p_ddl, p_schema, p_name, p_sections);

reset role;
