-- Partition-table: what a table does that a partitioned one cannot, and what others do with it.

set role archiver_owner;

-- BEFORE INSERT row triggers that set the control column, or may: a partitioned table has chosen the
-- partition by then, and refuses a row that has to go into another one. Nothing of theirs is called: it could
-- do anything, with an administrator's rights.
create or replace function partition_archiver.trigger_problems(p_table oid, p_control name)
  returns setof text
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select format('trigger %I (%s) %s the control column %I of a row before it is inserted, and a partitioned '
           'table cannot move a row into another partition then: %s: trustTriggers, --trust-triggers',
           t.tgname, t.tgfoid::regprocedure, case when x.sets then 'sets' else 'may set' end, p_control,
           case when x.sets
             then format('give the column a default instead (alter table %s alter column %I set default …), '
               'have the application send the value, or say that the trigger never changes it',
               p_table::regclass, p_control)
             else 'look whether it does, and say so if it does not' end)
    from pg_trigger t join pg_proc p on p.oid = t.tgfoid join pg_language l on l.oid = p.prolang
    cross join lateral (
      select regexp_replace(regexp_replace(p.prosrc, '/\*.*?\*/', '', 'g'), '--[^\n]*', '', 'g') as source,
             regexp_replace(quote_ident(p_control), '([^[:alnum:]_ ])', '\\\1', 'g') as quoted,
             regexp_replace(p_control::text, '([^[:alnum:]_ ])', '\\\1', 'g') as plain) s
    cross join lateral (
      select format('new\s*\.\s*("?%s"?|%s)', s.plain, s.quoted) as new_value,
             -- `=` assigns at the beginning of a statement, and compares elsewhere.
             '(;|\mbegin|\mthen|\melse|\mloop)\s*' as beginning,
             '\minto\s+(strict\s+)?' as "into") r
    cross join lateral (
      select l.lanname = 'plpgsql' and (
               s.source ~* ('\m' || r.new_value || '\s*:=')
               or s.source ~* (r.beginning || r.new_value || '\s*=')
               or s.source ~* (r."into" || '([^;]*,\s*)?' || r.new_value || '(?![[:alnum:]_$])')) as sets,
             case l.lanname
               when 'plpgsql' then s.source ~* '\mnew\s*:=' or s.source ~* (r.beginning || 'new\s*=')
                 or s.source ~* (r."into" || 'new\M(?!\s*\.)')
               when 'internal' then false
               when 'c' then position(convert_to(p_control::text, 'UTF8') in t.tgargs) > 0
               else s.source ~* ('\m' || s.plain || '\M') end as may_set) x
   where t.tgrelid = p_table and not t.tgisinternal and t.tgenabled in ('O', 'A')
     -- BEFORE, INSERT, FOR EACH ROW.
     and t.tgtype & 7 = 7
     and p.pronamespace <> 'pg_catalog'::regnamespace
     and (x.sets or x.may_set)
   order by t.tgname
$$;

reset role;
