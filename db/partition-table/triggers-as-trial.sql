-- The part of triggers.sql that belongs to archiver_trial: the functions are the application's.

set role archiver_trial;

-- Inserts the rows of a copy through one trigger, as they are and without a value of the control column, and
-- a row without any value: 'changes' or 'fills' where another value came out; null where none did, or where
-- the function failed, which tells nothing of it.
create or replace function partition_archiver_trial.try_trigger(p_copy text, p_trigger text, p_control name)
  returns text
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp set row_security = off set default_tablespace = ''
    set client_min_messages = warning as $$
declare
  v_columns constant text := (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
    where attrelid = p_copy::regclass and attnum > 0);
  v_unset constant text := (select string_agg(case when attname = p_control then 'null'
    else quote_ident(attname) end, ', ' order by attnum) from pg_attribute
    where attrelid = p_copy::regclass and attnum > 0);
  v_nothing constant text := (select string_agg('null', ', ') from pg_attribute
    where attrelid = p_copy::regclass and attnum > 0);
  v_row tid;
  v_try record;
  v_before text;
  v_after text;
begin
  execute format('create table %s_target as select * from %1$s with no data', p_copy);
  execute p_trigger;
  for v_row in execute format('select ctid from %s union all select null', p_copy) loop
    for v_try in
      select format('select %s from %s where ctid = $1', v_columns, p_copy) as source, 'changes' as word
       where v_row is not null
      union all select format('select %s from %s where ctid = $1', v_unset, p_copy), 'fills'
       where v_row is not null
      union all select format('select %s', v_nothing), 'fills' where v_row is null
    loop
      begin
        v_before := null;
        if v_try.word = 'changes' then
          execute format('select %I::text from %s where ctid = $1', p_control, p_copy) into v_before
            using v_row;
        end if;
        v_after := v_before;
        -- The trigger may leave the row out.
        for v_after in execute format('insert into %s_target (%s) %s returning %I::text', p_copy, v_columns,
          v_try.source, p_control) using v_row loop
          if v_after is distinct from v_before then
            return v_try.word;
          end if;
        end loop;
      exception when others then
        if sqlstate in ('57014', '40P01') then
          raise;
        end if;
      end;
    end loop;
  end loop;
  return null;
exception
  -- The trigger cannot be made by archiver_trial.
  when insufficient_privilege or undefined_object or undefined_column or undefined_function then
    return null;
end
$$;

revoke all on function partition_archiver_trial.try_trigger(text, text, name) from public;
grant execute on function partition_archiver_trial.try_trigger(text, text, name) to archiver_owner;
reset role;
