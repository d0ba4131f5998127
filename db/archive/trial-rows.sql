-- Commit, the trial of rows: what a restore would lack, told before the drop. A part of the rows goes into
-- the table that the archived DDL makes, as archiver_trial, which has no more rights than archiver_restore,
-- in a subtransaction that is always undone. It claims nothing of rows that it did not try.

set role archiver_owner;

-- The statement that most likely lets a function run under search_path = pg_catalog with the rights of
-- archiver_trial and archiver_restore, from PostgreSQL's own words; null where these do not tell.
create or replace function partition_archiver.suggest_fix(p_sqlstate text, p_message text, p_function text)
  returns text
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_kind text := (regexp_match(p_message, '^permission denied for (?:materialized |foreign )?([a-z]+) '))[1];
  v_name text := coalesce((regexp_match(p_message, '^permission denied for [a-z ]+ "?([^"]+?)"?$'))[1],
    (regexp_match(p_message, '^(?:function|relation|type|text search [a-z]+) "?([^"(]+)"?(?:\(.*\))? does '
      'not exist'))[1]);
  v_schemas text;
begin
  if p_sqlstate = '42501' and v_kind = 'schema' then
    return format('grant usage on schema %I to archiver_trial, archiver_restore;', v_name);
  elsif p_sqlstate = '42501' and v_kind = 'tablespace' then
    return format('grant create on tablespace %I to archiver_trial, archiver_restore;', v_name);
  elsif p_sqlstate = '42501' and v_kind = 'function' then
    return (select string_agg(format('grant execute on function %s to archiver_trial, archiver_restore;',
      oid::regprocedure), ' ' order by oid)
              from pg_proc where proname = v_name
                and not has_function_privilege('archiver_restore', oid, 'execute'));
  elsif p_sqlstate = '42501' and v_kind in ('table', 'view', 'sequence') then
    return (select string_agg(format('grant select on %s to archiver_trial, archiver_restore;',
      c.oid::regclass), ' ' order by c.oid)
              from pg_class c where c.relname = v_name and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
               and not has_table_privilege('archiver_restore', c.oid, 'select'));
  elsif p_sqlstate in ('42883', '42P01', '42704') and p_function is not null then
    select string_agg(distinct quote_ident(n.nspname), ', ') into v_schemas
      from (select pronamespace as schema from pg_proc where proname = v_name
            union select relnamespace from pg_class where relname = v_name
              and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
            union select typnamespace from pg_type where typname = v_name
            union select cfgnamespace from pg_ts_config where cfgname = v_name
            union select dictnamespace from pg_ts_dict where dictname = v_name) o
      join pg_namespace n on n.oid = o.schema and n.nspname not in ('pg_catalog', 'pg_toast')
        and not starts_with(n.nspname, 'pg_temp');
    return format('alter function %s set search_path = %s, pg_temp;', p_function,
      coalesce(v_schemas, (select quote_ident(n.nspname) from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace
                            where p.oid = to_regprocedure(p_function))));
  end if;
  return null;
end
$$;

-- Tries rows of a partition that is exported: {rows, failed: [{object, code, reason}], notTried}. The caller
-- limits its time.
create or replace function partition_archiver.try_rows(p_id bigint) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '5s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'exported');
  v_result jsonb;
begin
  begin
    -- For as long as this subtransaction.
    execute format('grant select on partition_archiver_quarantine.%I to archiver_trial', l.quarantine_name);
    v_result := partition_archiver_trial.try_rows(l.ddl,
      format('partition_archiver_quarantine.%I', l.quarantine_name), l.column_list);
    raise exception 'undo' using errcode = 'PA000';
  exception when sqlstate 'PA000' then
    if v_result is null then
      raise;
    end if;
  end;
  return v_result;
end
$$;

reset role;
