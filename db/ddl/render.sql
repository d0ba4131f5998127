-- DDL archive: statements from templates, and their trial.

set role archiver_owner;

-- Statements for a target, from templates. p_sections null means all, in an order in which they can be run;
-- each statement is without its semicolon.
create or replace function partition_archiver.render_ddl(p_ddl jsonb, p_schema name, p_name name,
  p_sections text[] default null)
  returns text[]
  language plpgsql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_marker constant text := p_ddl ->> 'marker';
  v_sections constant text[] := coalesce(p_sections,
    array['structure', 'sequence_values', 'foreign_keys', 'foreign_triggers', 'row_security', 'ownership']);
  v_tokens jsonb := jsonb_build_object('table', format('%I.%I', p_schema, p_name), 'name',
    quote_ident(p_name),
    'schema', quote_ident(p_schema), 'table literal', quote_literal(format('%I.%I', p_schema, p_name)));
  v_result text[] := '{}';
  v_section text;
  v_statement text;
  v_token text;
begin
  select v_tokens || coalesce(jsonb_object_agg('sequence ' || n, format('%I.%I', p_schema, name))
           || jsonb_object_agg('sequence literal ' || n, quote_literal(format('%I.%I', p_schema, name))),
             '{}')
    into v_tokens from jsonb_array_elements_text(p_ddl -> 'sequences') with ordinality as s (name, n);
  -- Statistics in a schema of their own stay there, but not on trial, where the original's are in the way.
  select v_tokens || coalesce(jsonb_object_agg('schema ' || n,
           quote_ident(case p_schema when 'partition_archiver_trial' then p_schema else name end)), '{}')
    into v_tokens from jsonb_array_elements_text(p_ddl -> 'schemas') with ordinality as s (name, n);

  foreach v_section in array v_sections loop
    if p_ddl -> v_section is null or jsonb_typeof(p_ddl -> v_section) <> 'array' then
      raise exception 'the archived DDL has no section "%"', v_section
        using errcode = 'PA011'; -- DdlNotReproducible
    end if;
    for v_statement in select * from jsonb_array_elements_text(p_ddl -> v_section) loop
      for v_token in select distinct m[1]
        from regexp_matches(v_statement, '\{' || v_marker || ':([a-z0-9_ ]+)\}', 'g') m loop
        v_statement := replace(v_statement, format('{%s:%s}', v_marker, v_token),
          coalesce(v_tokens ->> v_token, quote_ident(partition_archiver.ddl_alias(p_name, v_token))));
      end loop;
      if v_statement is null then
        raise exception 'the archived DDL has a token that nothing is known of'
          using errcode = 'PA011'; -- DdlNotReproducible
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
    from (select substring(p_token from '^name(_\d+)$') as suffix) s,
      generate_series(length(p_name::text), 0, -1) n
   where octet_length(left(p_name::text, n) || suffix) <= 63 order by n desc limit 1
$$;

-- Runs the structure on trial: in partition_archiver_trial, in a subtransaction that is always undone, and
-- compares what came of it with what was captured. Raises DdlNotReproducible with the number and kind of the
-- statement that failed.
--
-- Locks, all released again: those on the new table, and those that CREATE RULE takes on tables in the rule's
-- actions (of reading or writing, never one that stops readers or writers). Foreign keys and constraint
-- triggers FROM another table would lock that one and are left out, as are owners and grants. Waits for a
-- lock are for the caller to limit, and their errors pass as they are, to be tried again.
create or replace function partition_archiver.try_ddl(p_ddl jsonb) returns void
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD'
    set intervalstyle = 'postgres'
  set lc_monetary = 'C' set default_tablespace = ''
    set standard_conforming_strings = on set client_min_messages = warning as $$
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
    raise exception 'the DDL was refused: %', (select string_agg(r, '; ')
      from jsonb_array_elements_text(p_ddl -> 'refused') r)
      using errcode = 'PA011'; -- DdlNotReproducible
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
    v_made := partition_archiver.capture_ddl(to_regclass(format('partition_archiver_trial.%I',
      p_ddl ->> 'name')));
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
      v_error := sqlstate || ': ' || sqlerrm || coalesce(' ('
        || partition_archiver.suggest_fix(sqlstate, sqlerrm, null) || ')', '');
  end;
  if v_error is not null and v_number > 0 then
    raise exception 'statement % of % of the archived DDL (%) fails with %', v_number,
      cardinality(v_statements),
      substring(v_statement from '^[A-Z]+(?: (?:UNIQUE|UNLOGGED|CONSTRAINT))? [A-Z]+'), v_error
        using errcode = 'PA011'; -- DdlNotReproducible
  elsif v_error is not null then
    raise exception 'what the archived DDL made cannot be read: %', v_error
      using errcode = 'PA011'; -- DdlNotReproducible
  elsif v_difference is not null then
    raise exception 'the archived DDL makes another table: %', v_difference
      using errcode = 'PA011'; -- DdlNotReproducible
  end if;
end
$$;

-- The first difference between a capture and the capture of what it made, or null. Expressions are not
-- compared: the server prints some of them otherwise after it has read its own output, though they mean the
-- same.
create or replace function partition_archiver.ddl_difference(p_ddl jsonb, p_made jsonb) returns text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with capture as (
    select 'refused' as what, d.side, d.ddl -> 'refused' as value
      from (values (1, p_ddl), (2, p_made)) as d (side, ddl)
    union all
    select 'columns', d.side, (select jsonb_agg((c - 'number' - 'default')
      || jsonb_build_object('default', c -> 'default' <> 'null') order by n)
       from jsonb_array_elements(d.ddl -> 'columns') with ordinality as x (c, n))
         from (values (1, p_ddl), (2, p_made)) as d (side, ddl)
    union all
    select 'objects', d.side, (select jsonb_agg(o order by n)
      from jsonb_array_elements(d.ddl -> 'objects') with ordinality as x (o, n)
       where o ->> 'kind' not like 'foreign%') from (values (1, p_ddl), (2, p_made)) as d (side, ddl)
    union all
    select 'number of statements', d.side, to_jsonb(jsonb_array_length(d.ddl -> 'structure'))
      from (values (1, p_ddl), (2, p_made)) as d (side, ddl)),
  pair as (select a.what, a.value as expected, b.value as made from capture a
    join capture b on a.what = b.what and a.side = 1 and b.side = 2)
  select format('%s: %s instead of %s', what,
           coalesce((select y.v from jsonb_array_elements(case jsonb_typeof(made) when 'array' then made
             else jsonb_build_array(made) end) with ordinality as y (v, n)
             left join jsonb_array_elements(case jsonb_typeof(expected) when 'array' then expected
               else jsonb_build_array(expected) end) with ordinality as x (v, n) on x.n = y.n
             where y.v is distinct from x.v order by y.n limit 1)::text, 'nothing'),
           coalesce((select x.v from jsonb_array_elements(case jsonb_typeof(expected)
             when 'array' then expected else jsonb_build_array(expected) end) with ordinality as x (v, n)
             left join jsonb_array_elements(case jsonb_typeof(made) when 'array' then made
               else jsonb_build_array(made) end) with ordinality as y (v, n) on x.n = y.n
             where y.v is distinct from x.v order by x.n limit 1)::text, 'nothing'))
    from pair where made is distinct from expected limit 1
$$;

reset role;
