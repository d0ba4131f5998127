-- DDL archive: the capture of a table, and of the parent that it was a partition of.

set role archiver_owner;

-- The DDL of a detached table, as templates. Call it under ACCESS EXCLUSIVE, before foreign keys, row
-- security, owner or names of indexes are changed; where the table has been moved or renamed already, say
-- what it was called.
--
-- Returns marker, schema and name (the original ones), refused (reasons; nothing else counts unless it is
-- empty), the sections structure, foreign_keys, foreign_triggers, row_security, sequence_values and ownership
-- (arrays of templates), sequences and schemas (what the tokens' numbers mean), columns, objects,
-- dependencies, and settings (under which the statements have to be run).
--
-- How: within a subtransaction that is always undone, the table goes into partition_archiver_trial and it and
-- its sequences get names made of the marker, so that everything the server prints of them can be told from
-- any other text. The caller must be a member of the table's owner.
create or replace function partition_archiver.capture_ddl(
    p_table oid, p_original_schema name default null, p_original_name name default null) returns jsonb
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC'
    set datestyle = 'ISO, YMD'
  set intervalstyle = 'postgres' set extra_float_digits = 1 set bytea_output = 'hex'
    set lc_monetary = 'C' as $$
declare
  v_marker constant text := replace(gen_random_uuid()::text, '-', '');
  v_refused text[] := partition_archiver.ddl_refusals(p_table);
  v_own_schema name;
  v_schemas name[];
  v_sequences jsonb;
  v_sections jsonb;
  v_columns jsonb;
  v_objects jsonb;
  v_dependencies jsonb;
  v_done boolean := false;
  v_sequence record;
begin
  select n.nspname, coalesce(p_original_schema, n.nspname), coalesce(p_original_name, c.relname)
    into v_own_schema, p_original_schema, p_original_name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = p_table;
  v_sections := jsonb_build_object('structure', '[]'::jsonb, 'foreign_keys', '[]'::jsonb, 'foreign_triggers',
    '[]'::jsonb,
    'row_security', '[]'::jsonb, 'sequence_values', '[]'::jsonb, 'ownership', '[]'::jsonb);

  if v_refused = '{}' then
    select coalesce(jsonb_agg(name order by number), '[]') into v_sequences
      from partition_archiver.owned_sequences(p_table);
    v_schemas := array(
      select distinct n.nspname from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
       where s.stxrelid = p_table and n.nspname not in (v_own_schema, p_original_schema) order by 1);
    v_objects := partition_archiver.ddl_objects(p_table);
    v_dependencies := partition_archiver.ddl_dependencies(p_table);
    v_sections := v_sections || jsonb_build_object('sequence_values',
      partition_archiver.ddl_sequence_values(p_table, v_marker));
    begin
      -- One at a time: tables of several schemas have indexes of the same names, and two sessions that put
      -- them into the one schema in different orders would wait for each other. Ends with the subtransaction.
      perform pg_advisory_xact_lock(hashtext('partition_archiver_trial'), 0);
      if v_own_schema <> 'partition_archiver_trial' then
        execute format('alter table %s set schema partition_archiver_trial', p_table::regclass);
      end if;
      execute format('alter table %s rename to %I', p_table::regclass, 'pa_' || v_marker);
      for v_sequence in select * from partition_archiver.owned_sequences(p_table) loop
        execute format('alter sequence %s rename to %I', v_sequence.oid::regclass,
          format('ps_%s_%s', v_marker, v_sequence.number));
      end loop;

      select v_sections || jsonb_object_agg(section, statements) into v_sections from (
        select section, jsonb_agg(statement order by position, ordinality) as statements from (
          select 1 as position, * from partition_archiver.ddl_table(p_table, v_marker) with ordinality
          union all select 2, * from partition_archiver.ddl_indexes(p_table, v_marker) with ordinality
          union all select 3, * from partition_archiver.ddl_behaviour(p_table, v_marker,
            v_schemas) with ordinality
          union all select 4, * from partition_archiver.ddl_comments(p_table, v_marker,
            v_schemas) with ordinality
          union all select 5, * from partition_archiver.ddl_ownership(p_table, v_marker,
            v_schemas) with ordinality) s
         group by section) x;
      select jsonb_agg(facts order by attnum) into v_columns
        from partition_archiver.ddl_columns(p_table, v_marker);
      v_done := true;
      raise exception 'undo' using errcode = 'PA000';
    exception when sqlstate 'PA000' then
      if not v_done then
        raise;
      end if;
    end;
    v_refused := partition_archiver.ddl_leftovers(v_sections, v_marker);
  end if;

  return v_sections || jsonb_build_object('marker', v_marker, 'schema', p_original_schema, 'name',
    p_original_name,
    'refused', to_jsonb(v_refused), 'sequences', coalesce(v_sequences, '[]'), 'schemas',
      to_jsonb(coalesce(v_schemas, '{}')),
    'columns', coalesce(v_columns, '[]'), 'objects', coalesce(v_objects, '[]'), 'dependencies',
      coalesce(v_dependencies, '[]'),
    'server_version', current_setting('server_version'),
    'settings', jsonb_build_object('search_path', 'pg_catalog', 'TimeZone', 'UTC', 'DateStyle', 'ISO, YMD',
      'IntervalStyle', 'postgres',
      'lc_monetary', 'C', 'default_tablespace', '', 'standard_conforming_strings', 'on',
        'check_function_bodies', 'off'));
end
$$;

-- Where the owned sequences stand: part of the data, which rows that come back with them rely on.
create or replace function partition_archiver.ddl_sequence_values(p_table oid, p_marker text) returns jsonb
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_result jsonb := '[]';
  v_sequence record;
  v_last record;
begin
  for v_sequence in select * from partition_archiver.owned_sequences(p_table) order by number loop
    execute format('select last_value, is_called from %s', v_sequence.oid::regclass) into v_last;
    v_result := v_result || to_jsonb(format('SELECT pg_catalog.setval({%s:sequence literal %s}, %s, %L)',
      p_marker, v_sequence.number, v_last.last_value, v_last.is_called));
  end loop;
  return v_result;
end
$$;

-- Names that no token could be made of: within a literal that is more than the name, or of an object of the
-- table's schema that moved along. Comments are the user's own text and not looked at.
create or replace function partition_archiver.ddl_leftovers(p_sections jsonb, p_marker text) returns text[]
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select array(
    select distinct format('%s %s refers to the table or its schema in a way that cannot be rewritten',
      x.kind, x.number)
      from (
        select s.section as kind, t.number, t.statement
          from jsonb_each(p_sections) as s (section, statements),
          lateral jsonb_array_elements_text(s.statements) with ordinality as t (statement, number)
         where t.statement !~ '^(COMMENT ON|SECURITY LABEL) ') x
     where strpos(x.statement, 'partition_archiver_trial.') > 0
        or strpos(regexp_replace(x.statement, '\{' || p_marker || ':[a-z0-9_ ]+\}', '', 'g'), p_marker) > 0
        or (strpos(x.statement, p_marker) > 0 and exists (
              select from regexp_matches(x.statement, '"(?:[^"]|"")*"|''(?:[^'']|'''')*''', 'g') m
               where left(m[1], 1) = '''' and strpos(m[1], p_marker) > 0)))
$$;

reset role;
