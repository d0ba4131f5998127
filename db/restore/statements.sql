-- Restore, the statements that follow the data, each separately. What cannot be made is recorded with the
-- reason, and the next one is run: a function that fails costs an index, and not the rows.

set role archiver_owner;

-- Whether an error says nothing of the statement: the next try may succeed. Classes of connection,
-- transaction rollback, resources, operator intervention, and system error; a lock; a writer that became a
-- reader; damaged data; a name that something else has in the schema of restores for now.
create or replace function partition_archiver.passes_by_itself(p_sqlstate text) returns boolean
  language sql immutable set search_path = pg_catalog, pg_temp
  return p_sqlstate ~ '^(08|40|53|57|58)' or p_sqlstate in ('55P03', '25006', '42P07', 'XX001', 'XX002');

-- The function that raised an error, by its name, from the error's context; null where the context names none
-- that there is. Functions of partition_archiver ran the statement and are not meant.
create or replace function partition_archiver.function_in_context(p_context text) returns text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(q.signature, n.signature)
    from regexp_split_to_table(p_context, E'\n') with ordinality as l (line, number)
    cross join lateral (select
      (regexp_match(l.line, '^PL/pgSQL function (.+\)) line \d+ '))[1] as qualified,
      (regexp_match(l.line, '^(?:SQL|PL/\w+) function "(.+)"'))[1] as plain) m
    left join lateral (select p.oid::regprocedure::text as signature from pg_proc p
      where p.oid::regprocedure::text = m.qualified) q on true
    left join lateral (select min(p.oid::regprocedure::text) as signature from pg_proc p
      where p.proname = m.plain) n on true
   where coalesce(q.signature, n.signature) is not null
     and coalesce(q.signature, n.signature) not like 'partition\_archiver%'
   order by l.number limit 1
$$;

-- An error in words without values of rows, with the way out where there is one. The message is kept where
-- its class speaks of definitions and rights (0A, 3F, 42), and left out elsewhere.
create or replace function partition_archiver.failure_in_words(p_sqlstate text, p_message text,
  p_context text) returns text
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (
    select format('SQLSTATE %s%s%s%s', p_sqlstate, ' in function ' || f.function,
             case when p_sqlstate ~ '^(0A|3F|42)' then ': ' || split_part(p_message, E'\n', 1) end,
             ' (' || partition_archiver.suggest_fix(p_sqlstate, p_message, f.function) || ')')
      from (select partition_archiver.function_in_context(p_context) as function) f);

-- Records a statement that was run, or that failed: p_failed is {code, reason, notValid}; with "notValid" a
-- check constraint is there, and only its validation is missing.
create or replace function partition_archiver.record_restore_statement(p_id bigint, p_number integer,
  p_failed jsonb default null)
  returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  r partition_archiver.restore := partition_archiver.claim_restore(p_id, 'begun');
  v_statement text;
begin
  update partition_archiver.restore set statements_done = p_number where id = p_id
    and statements_done = p_number - 1;
  if not found then
    raise exception 'restore % has done % statements, not %', p_id, r.statements_done, p_number - 1
      using errcode = 'PA001'; -- StateConflict
  end if;
  perform partition_archiver.hide_restored_names(p_id);
  if p_failed is null then
    return;
  end if;
  select coalesce(s.target_statement, s.statement) into v_statement
    from partition_archiver.restore_statement s where s.restore_id = p_id and s.number = p_number;
  if (p_failed ->> 'notValid')::boolean then
    v_statement := regexp_replace(v_statement,
      '^(ALTER TABLE ONLY (?:[^" ]|"(?:[^"]|"")*")+) ADD CONSTRAINT ((?:[^" ]|"(?:[^"]|"")*")+) CHECK .*$',
        '\1 VALIDATE CONSTRAINT \2');
  end if;
  update partition_archiver.restore
     set unmade = unmade || jsonb_build_object('statement', v_statement, 'code', p_failed ->> 'code',
       'reason', p_failed ->> 'reason')
   where id = p_id;
end
$$;

-- Refuses to give a column that was loaded as text its type where the type writes a value in another way than
-- the archive does (an attribute with fewer digits, say): the rows would not be the archived ones any more.
create or replace function partition_archiver.assert_same_text(p_statement text) returns void
  language plpgsql stable security invoker set search_path = pg_catalog, pg_temp as $$
declare
  v_name constant text := '(?:[^" ]|"(?:[^"]|"")*")+';
  v_part constant text[] := regexp_match(p_statement, format(
    '^ALTER TABLE ONLY (%1$s) ALTER COLUMN (%1$s) TYPE .* USING \2::(.+?)'
      '(?:, ALTER COLUMN \2 SET DEFAULT .*)?$', v_name));
  v_differs boolean;
begin
  if v_part is null then
    return;
  end if;
  -- format() writes a value by its type's output function, as COPY does.
  execute format('select exists (select from only %1$s where format(''%%s'', %2$s::%3$s) <> %2$s)', v_part[1],
    v_part[2], v_part[3]) into v_differs;
  if v_differs then
    raise exception 'type % writes a value of column % in another way', v_part[3], v_part[2]
      using errcode = '42804';
  end if;
end
$$;

-- Runs the next statement with the rights of the caller, archiver_restore, and records it: one call, so that
-- a server whose client is gone finishes an index all the same and has it recorded. Returns its number, null
-- where all are done.
--
-- A check constraint whose validation fails is made without it: its function may read what archiver_restore
-- may not read.
create or replace function partition_archiver.run_restore_statement(p_id bigint) returns integer
  language plpgsql security invoker set search_path = pg_catalog, pg_temp
  set default_tablespace = '' set check_function_bodies = off set standard_conforming_strings = on as $$
declare
  v_next record;
  v_code text;
  v_message text;
  v_context text;
  v_not_valid boolean := false;
begin
  select * into v_next from partition_archiver.claim_restore_statement(p_id);
  if v_next.number is null then
    return null;
  end if;
  begin
    perform partition_archiver.assert_same_text(v_next.statement);
    execute v_next.statement;
  exception when others then
    get stacked diagnostics v_code = returned_sqlstate, v_message = message_text,
      v_context = pg_exception_context;
    if partition_archiver.passes_by_itself(v_code) then
      raise;
    end if;
  end;
  if v_code is not null and v_next.statement ~
    '^ALTER TABLE ONLY .* ADD CONSTRAINT .* CHECK \(.*\)(?: NO INHERIT)?$' then
    begin
      execute v_next.statement || ' NOT VALID';
      v_not_valid := true;
    exception when others then
      if partition_archiver.passes_by_itself(sqlstate) then
        raise;
      end if;
    end;
  end if;
  perform partition_archiver.record_restore_statement(p_id, v_next.number, case when v_code is not null then
    jsonb_build_object('code', v_code, 'notValid', v_not_valid, 'reason',
      case when v_not_valid then 'the constraint is there, but not validated: ' else '' end
        || partition_archiver.failure_in_words(v_code, v_message, v_context)) end);
  return v_next.number;
end
$$;

reset role;
