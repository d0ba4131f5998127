-- Before the detach: why a partition could not be archived or restored as it is. It then stays attached, and
-- the application keeps its rows; after the detach the same would only block it. What could be told by rows
-- alone, and was not told by these few, is told by the trial of rows before the drop.

set role archiver_owner;

-- Expressions that are evaluated for rows of a table which is restored: of stored generated columns,
-- validated check constraints without volatile functions, and indexes; and the conversion of a text into each
-- type that is not built in: [{object, kind, column, expression}].
create or replace function partition_archiver.restored_expressions(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select coalesce(jsonb_agg(to_jsonb(e)), '[]') from (
    select format('generated column %I', a.attname) as object, 'generated' as kind, a.attname as column,
           format('(%s)::%s', pg_get_expr(d.adbin, d.adrelid),
             format_type(a.atttypid, a.atttypmod)) as expression
      from pg_attribute a join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and a.attgenerated = 's'
    union all
    select format('check constraint %I', k.conname), 'check', null, pg_get_expr(k.conbin, k.conrelid)
      from pg_constraint k
     where k.conrelid = p_table and k.contype = 'c' and k.convalidated
       and not exists (select from pg_depend d join pg_proc p on p.oid = d.refobjid and p.provolatile = 'v'
                        where d.classid = 'pg_constraint'::regclass and d.objid = k.oid
                          and d.refclassid = 'pg_proc'::regclass)
    union all
    select format('index %I', c.relname), 'index', null, format('case when %s then (%s) is null end',
             coalesce(pg_get_expr(i.indpred, i.indrelid), 'true'),
             case when i.indkey[n] = 0 then pg_get_indexdef(i.indexrelid, n + 1, false) else 'true' end)
      from pg_index i join pg_class c on c.oid = i.indexrelid
      cross join lateral generate_series(0, i.indnatts - 1) as x (n)
     where i.indrelid = p_table and (i.indkey[n] = 0 or i.indpred is not null and n = 0)
    union all
    select format('column %I of type %s', a.attname, format_type(a.atttypid, a.atttypmod)), 'type', null,
           format('format(''%%s'', %I)::%s', a.attname, format_type(a.atttypid, a.atttypmod))
      from pg_attribute a
     where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
       and a.atttypid >= 16384) e
$$;

-- {refused: [reason], lacks: [reason]}: "refused" keeps it from being archived, "lacks" is what a restore
-- would return its rows without. A few of its rows are copied, and the copy is evaluated by archiver_trial:
-- the functions are the application's, and archiver_owner has the rights of each owner.
create or replace function partition_archiver.detach_refusals(p_partition oid) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set lock_timeout = '1s'
  set row_security = off set default_tablespace = '' set client_min_messages = warning as $$
declare
  v_refused constant text[] := array(
    select distinct r from unnest(partition_archiver.refusals(p_partition)
      || partition_archiver.ddl_refusals(p_partition)) r
     where not starts_with(r, 'it is attached to ') and r <> 'it inherits from another table'
     order by r);
  v_expressions constant jsonb := partition_archiver.restored_expressions(p_partition);
  v_copy constant text := format('partition_archiver_trial.%I', 'pa_' || p_partition);
  v_blocks constant bigint := pg_relation_size(p_partition) / current_setting('block_size')::bigint;
  v_failed jsonb := '[]';
begin
  if v_refused = '{}' and v_expressions <> '[]' then
    begin
      execute format('create table %1$s as select %2$s from only %3$s where ctid = any (
          array(select ctid from only %3$s limit 10)
          || array(select ctid from only %3$s where ctid >= %4$L::tid order by ctid desc limit 10)
          || array(select format(''(%%s,%%s)'', floor(random() * %5$s), 1 + floor(random() * 40))::tid
               from generate_series(1, 200)))',
        v_copy, partition_archiver.column_list(p_partition), p_partition::regclass,
        format('(%s,0)', greatest(v_blocks - 1, 0)), v_blocks);
      execute format('grant select on %s to archiver_trial', v_copy);
      v_failed := partition_archiver_trial.try_expressions(v_copy, v_expressions);
      raise exception 'undo' using errcode = 'PA000';
    exception
      when sqlstate 'PA000' then null;
      -- Row security that is forced, a lock that is not to be had: nothing is known.
      when insufficient_privilege or lock_not_available then null;
    end;
  end if;
  return jsonb_build_object(
    'refused', to_jsonb(v_refused)
      || jsonb_path_query_array(v_failed, '$[*] ? (@.kind == "generated").reason'),
    'lacks', jsonb_path_query_array(v_failed, '$[*] ? (@.kind != "generated").reason'));
end
$$;

reset role;
