-- Partition-table: BEFORE INSERT triggers on trial. Their text does not tell everything (behaviour.sql): a
-- function may return another row, or be written in C. So rows are inserted through each of them.

set role archiver_owner;

-- The triggers that changed the control column of a row on trial. Some rows are copied, and archiver_trial,
-- which may do nothing elsewhere, inserts them into a table that has just this trigger, in a subtransaction
-- that is undone. Not tried: functions that run with their owner's rights.
create or replace function partition_archiver.tried_trigger_problems(p_table oid, p_control name)
  returns text[]
  language plpgsql volatile set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  set row_security = off set default_tablespace = '' set client_min_messages = warning as $$
declare
  v_copy constant text := format('partition_archiver_trial.%I', 'pa_' || p_table);
  v_problems text[] := '{}';
  v_trigger record;
  v_result text;
begin
  for v_trigger in
    select t.tgname, t.tgfoid, p.pronamespace::regnamespace as schema,
           replace(pg_get_triggerdef(t.oid), format(' ON %I.%I ', n.nspname, c.relname),
             format(' ON %s_target ', v_copy)) as statement
      from pg_trigger t join pg_proc p on p.oid = t.tgfoid
      join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where t.tgrelid = p_table and not t.tgisinternal and t.tgenabled in ('O', 'A')
       -- BEFORE, INSERT, FOR EACH ROW.
       and t.tgtype & 7 = 7
       and not p.prosecdef
     order by t.tgname
  loop
    v_result := null;
    begin
      execute format('create table %s as select %s from only %s limit 20', v_copy,
        partition_archiver.column_list(p_table), p_table::regclass);
      execute format('grant select on %s to archiver_trial', v_copy);
      -- For as long as this subtransaction.
      execute format('grant usage on schema %s to archiver_trial', v_trigger.schema);
      execute format('grant execute on function %s to archiver_trial', v_trigger.tgfoid::regprocedure);
      v_result := partition_archiver_trial.try_trigger(v_copy, v_trigger.statement, p_control);
      raise exception 'undo' using errcode = 'PA000';
    exception
      when sqlstate 'PA000' then null;
      -- The administrator may not grant that, or another session grants just now: its text is all that is
      -- known.
      when insufficient_privilege or internal_error then null;
    end;
    if v_result is not null then
      v_problems := v_problems || format('trigger %I (%s) %s the control column %I before the insert (it was '
        'tried), and a partitioned table cannot move a row into another partition then: give the column a '
        'default instead (alter table %s alter column %4$I set default …), or have the application send the '
        'value', v_trigger.tgname, v_trigger.tgfoid::regprocedure, v_result, p_control, p_table::regclass);
    end if;
  end loop;
  return v_problems;
end
$$;

reset role;
