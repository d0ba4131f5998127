-- The part of detach-refusals.sql that belongs to archiver_trial: what it calls is the application's.

set role archiver_trial;

-- Evaluates expressions over a copy of a few rows, with the rights of a restore: [{kind, reason}] of those
-- that fail. Only what is certain counts: a function that fails, or a right that is missing.
create or replace function partition_archiver_trial.try_expressions(p_copy text, p_expressions jsonb)
  returns jsonb
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp set row_security = off set timezone = 'UTC'
    set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' set lc_monetary = 'C'
    set standard_conforming_strings = on set client_min_messages = warning as $$
declare
  v_rows text := p_copy;
  v_failed jsonb := '[]';
  v_try record;
  v_count bigint;
  v_message text;
  v_context text;
begin
  for v_try in
    select * from jsonb_to_recordset(p_expressions) as x (object text, kind text, "column" text,
        expression text)
     order by x.kind <> 'generated'
  loop
    begin
      execute format('select count(%s) from %s p', v_try.expression, v_rows) into v_count;
      if v_try.kind = 'generated' then
        v_rows := format('(select p.*, %s as %I from %s p)', v_try.expression, v_try."column", v_rows);
      end if;
    exception when others then
      get stacked diagnostics v_message = message_text, v_context = pg_exception_context;
      if sqlstate = '42501' or partition_archiver.function_in_context(v_context) is not null then
        if partition_archiver.passes_by_itself(sqlstate) then
          raise;
        end if;
        v_failed := v_failed || jsonb_build_object('kind', v_try.kind, 'reason', format('%s fails: %s',
          v_try.object, partition_archiver.failure_in_words(sqlstate, v_message, v_context)));
      end if;
    end;
  end loop;
  return v_failed;
end
$$;

revoke all on function partition_archiver_trial.try_expressions(text, jsonb) from public;
grant execute on function partition_archiver_trial.try_expressions(text, jsonb) to archiver_owner;
reset role;
