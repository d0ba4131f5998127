-- Event triggers of others: they run at the archiver's statements as well, with the rights of the role that
-- makes them. Those of extensions are not meant: they belong to what the server offers.

set role archiver_owner;

create or replace function partition_archiver.event_triggers_of_others()
  returns table (name name, event name, function text)
  language sql stable security invoker set search_path = pg_catalog, pg_temp as $$
  select evtname, evtevent, format('%I.%I', n.nspname, p.proname)
    from pg_event_trigger e join pg_proc p on p.oid = e.evtfoid join pg_namespace n on n.oid = p.pronamespace
   where e.evtenabled in ('O', 'A') and evtevent <> 'login' and n.nspname <> 'partition_archiver'
     and not exists (select from pg_depend d where d.classid = 'pg_event_trigger'::regclass
       and d.objid = e.oid and d.deptype = 'e')
   order by evtname
$$;

-- Whether they let a table be made, altered and dropped, and leave it as it is. Tried only where there are
-- any, and rolled back.
create or replace function partition_archiver.event_trigger_problems()
  returns table (subject text, problem text, remedy text)
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp set client_min_messages = warning set lock_timeout = '10s' as $$
declare
  v_owner name := 'archiver_owner';
  v_error text;
  v_state text;
  v_context text := '';
begin
  if not exists (select from partition_archiver.event_triggers_of_others()) then
    return;
  end if;
  begin
    create table partition_archiver_trial.event_trigger_probe (id integer);
    select pg_get_userbyid(c.relowner) into v_owner
      from pg_class c where c.oid = to_regclass('partition_archiver_trial.event_trigger_probe');
    create index on partition_archiver_trial.event_trigger_probe (id);
    alter table partition_archiver_trial.event_trigger_probe alter column id type bigint;
    drop table partition_archiver_trial.event_trigger_probe;
    raise exception 'undo' using errcode = 'PA000';
  exception
    when sqlstate 'PA000' then
      null;
    when others then
      get stacked diagnostics v_error = message_text, v_state = returned_sqlstate,
        v_context = pg_exception_context;
  end;
  -- The context names functions with their schema, or without it where the session had met them before.
  return query
    select 'event trigger ' || string_agg(quote_ident(e.name), ', '),
           case when v_owner is distinct from 'archiver_owner'
             then format('a table that archiver_owner makes %s',
               coalesce('then belongs to ' || quote_ident(v_owner), 'is not there afterwards'))
             else format('function %s fails at the archiver''s statements: %s (SQLSTATE %s)', min(e.function),
               case when v_state ~ '^2[23]' then 'the message is left out, it may quote values'
                 else v_error end, v_state) end,
           format('Let it do nothing for the archiver; the first statement of %s: if current_user in '
             '(''archiver_owner'', ''archiver_trial'', ''archiver_maintain'', ''archiver_restore'') then '
             'return; end if; or grant these roles what it needs.',
             string_agg(distinct e.function, ' and of '))
      from partition_archiver.event_triggers_of_others() e
     where v_owner is distinct from 'archiver_owner' and e.event <> 'sql_drop'
       or v_context like '%' || e.function || '(%'
        or v_context like '% ' || split_part(e.function, '.', 2) || '(%'
    having count(*) > 0;
end
$$;

reset role;
