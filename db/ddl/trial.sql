-- What runs as archiver_trial: archived DDL on trial, and the expressions of generated columns. Comes after
-- schema/check-leftovers.sql, since a grant gives a function a new row in the catalog.

set role archiver_owner;

-- CREATE INDEX may evaluate an immutable function of the table's owner. On trial it runs as a role that has
-- nothing to lose: archiver_owner, which is a member of every owner of partition sets, would lend each of
-- them the rights of all.
grant usage on schema partition_archiver to archiver_trial;
grant usage, create on schema partition_archiver_trial to archiver_trial;
do $trial$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'partition_archiver'::regnamespace and not p.prosecdef
       and (p.proname like 'ddl\_%' or p.proname in
            ('capture_ddl', 'render_ddl', 'try_ddl', 'column_options', 'owned_sequences', 'type_definition'))
  loop
    execute format('grant execute on function %s to archiver_trial', v_function);
  end loop;
end
$trial$;

reset role;
set role archiver_trial;
create or replace function partition_archiver_trial.try_ddl(p_ddl jsonb) returns void
  language sql security definer set search_path = pg_catalog, pg_temp
  as $$ select partition_archiver.try_ddl(p_ddl) $$;
revoke all on function partition_archiver_trial.try_ddl(jsonb) from public;
grant execute on function partition_archiver_trial.try_ddl(jsonb) to archiver_owner;

-- Whether a stored generated column has a value among these rows that is not, bit for bit, the one that its
-- expression gives now; the expression may call a function of the table's owner, too.
create or replace function partition_archiver_trial.generated_column_differs(p_range text, p_column name,
  p_expression text) returns boolean
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set row_security = off as $$
declare
  v_differs boolean;
  v_message text;
  v_context text;
begin
  execute format('select exists (select %s and pg_catalog.record_image_ne(row(%I), row(%s)))', p_range,
    p_column, p_expression) into v_differs;
  return v_differs;
exception
  when insufficient_privilege then
    get stacked diagnostics v_message = message_text, v_context = pg_exception_context;
    raise exception 'archiver_trial may not evaluate the expression of generated column %: %',
      quote_ident(p_column),
      partition_archiver.failure_in_words(sqlstate, v_message, v_context)
        using errcode = 'PA004'; -- PartitionRefused
  -- The expression takes some of the values no more.
  when data_exception or integrity_constraint_violation then
    return true;
  -- A function that relies on search_path or on what is gone, or that raises an error of its own.
  when others then
    if partition_archiver.passes_by_itself(sqlstate) then
      raise;
    end if;
    get stacked diagnostics v_message = message_text, v_context = pg_exception_context;
    raise exception 'the expression of generated column % fails as archiver_trial, and with it a restore: %',
      quote_ident(p_column),
      partition_archiver.failure_in_words(sqlstate, v_message, v_context)
        using errcode = 'PA004'; -- PartitionRefused
end
$$;
-- Whether a type refuses the text of a value that a column has, as COPY reads it. Other failures count
-- elsewhere: the trial of rows looks for functions that fail.
create or replace function partition_archiver_trial.refuses(p_range text, p_value text, p_type text)
  returns boolean
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set row_security = off
    set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' as $$
begin
  execute format('select count((%s::text)::%s) %s', p_value, p_type, p_range);
  return false;
exception
  when not_null_violation or check_violation then
    return true;
  when others then
    if partition_archiver.passes_by_itself(sqlstate) then
      raise;
    end if;
    return false;
end
$$;
revoke all on function partition_archiver_trial.refuses(text, text, text) from public;
grant execute on function partition_archiver_trial.refuses(text, text, text) to archiver_owner;
revoke all on function partition_archiver_trial.generated_column_differs(text, name, text) from public;
grant execute on function partition_archiver_trial.generated_column_differs(text, name,
  text) to archiver_owner;

reset role;
