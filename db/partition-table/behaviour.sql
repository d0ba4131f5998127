-- Partition-table: what a table does that a partitioned one cannot, and what others do with it.

set role archiver_owner;

-- BEFORE INSERT row triggers that set the control column, or may: a partitioned table has chosen the
-- partition by then, and refuses a row that has to go into another one. Nothing of theirs is called: it could
-- do anything, with an administrator's rights.
create or replace function partition_archiver.trigger_problems(p_table oid, p_control name)
  returns setof text
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select format('trigger %I (%s) %s the control column %I of a row before it is inserted, and a partitioned '
           'table cannot move a row into another partition then: %s: trustFunctions, --trust-functions',
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

-- Functions that checks, generated columns and indexes call for each row, and domains in their expressions,
-- of roles that may not do what the administrator may: the copy, its analysis and the comparison would call
-- them with the administrator's rights. A function in C or of the server itself is a superuser's work.
create or replace function partition_archiver.function_problems(p_table oid) returns setof text
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  with recursive used (classid, objid) as (
    (select 'pg_constraint'::regclass::oid, oid from pg_constraint where conrelid = p_table and contype = 'c'
    union all
    select 'pg_attrdef'::regclass, d.oid from pg_attrdef d
      join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
     where d.adrelid = p_table and a.attgenerated <> ''
    union all
    select 'pg_class'::regclass, indexrelid from pg_index where indrelid = p_table
    union all
    -- A GiST index calls the function of a range type that subtracts.
    select 'pg_type'::regclass, t.oid from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and t.typtype in ('r', 'm'))
    union
    -- What a function itself refers to is up to its owner.
    select d.refclassid, d.refobjid from used u
      join pg_depend d on d.classid = u.classid and d.objid = u.objid
     where u.classid <> 'pg_proc'::regclass
       and (d.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)
         or d.refclassid = 'pg_class'::regclass and d.refobjid <> p_table)),
  called (what, owner) as (
    select 'function ' || p.oid::regprocedure, p.proowner
      from used u join pg_proc p on u.classid = 'pg_proc'::regclass and p.oid = u.objid
      join pg_language l on l.oid = p.prolang and l.lanname not in ('c', 'internal')
    union all
    select 'domain ' || t.oid::regtype, t.typowner
      from used u join pg_type t on u.classid = 'pg_type'::regclass and t.oid = u.objid and t.typtype = 'd')
  select format('its checks, generated columns or indexes call %s of role %I, which the copy would run with '
           'the rights of %I: read it, and confirm that it does no harm: trustFunctions, --trust-functions',
           what, pg_get_userbyid(owner), current_user)
    from called where not pg_has_role(owner, current_user, 'member') order by what
$$;

reset role;
