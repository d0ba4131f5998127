-- The functions of the trial of rows (trial-rows.sql) that belong to archiver_trial: what they call is the
-- application's.

set role archiver_owner;
grant execute on function
  partition_archiver.passes_by_itself(text),
  partition_archiver.failure_in_words(text, text, text),
  partition_archiver.function_in_context(text),
  partition_archiver.suggest_fix(text, text, text)
to archiver_trial;
grant execute on function partition_archiver.try_rows(bigint) to archiver_read;
reset role;

set role archiver_trial;

-- Rows to be tried: the first and the last ones, some at random, and of each column the least, the greatest
-- and one without a value, as far as these lie in the first part of the table that is looked at: p_bytes.
create or replace function partition_archiver_trial.sample(p_table text, p_columns text[], p_bytes bigint)
  returns tid[]
  language plpgsql volatile set search_path = pg_catalog, pg_temp set row_security = off as $$
declare
  v_blocks constant bigint := pg_relation_size(p_table::regclass) / current_setting('block_size')::bigint;
  -- TOAST counts: a comparison reads it.
  v_end constant bigint := greatest(least(v_blocks,
    v_blocks * p_bytes / greatest(pg_table_size(p_table::regclass), 1)), 1);
  v_part constant text := format('from only %s where ctid < %L::tid', p_table, format('(%s,0)', v_end));
  v_rows tid[];
  v_more tid[];
  v_column text;
  v_order text;
begin
  execute format('select array(select ctid from only %1$s limit 10)
      || array(select ctid from only %1$s where ctid >= %2$L::tid order by ctid desc limit 10)
      || array(select ctid from only %1$s where ctid = any (array(
           select format(''(%%s,%%s)'', floor(random() * %3$s), 1 + floor(random() * 40))::tid
             from generate_series(1, 200))))',
    p_table, format('(%s,0)', greatest(v_blocks - 1, 0)), v_blocks) into v_rows;
  foreach v_column in array p_columns loop
    foreach v_order in array array['% is not null order by %', '% is not null order by % desc',
      '% is null'] loop
      begin
        execute format('select array(select ctid %s and %s limit 1)', v_part,
          replace(v_order, '%', quote_ident(v_column))) into v_more;
        v_rows := v_rows || v_more;
      exception when others then
        -- A type that has no order, or one whose comparison fails.
        if partition_archiver.passes_by_itself(sqlstate) then
          raise;
        end if;
      end;
    end loop;
  end loop;
  return array(select distinct r from unnest(v_rows) r);
end
$$;

-- What a failing function can take away from the table p_trial: checks that are validated, indexes, generated
-- columns.
create or replace function partition_archiver_trial.objects_with_functions(p_trial regclass)
  returns table (object text, removal text, is_volatile boolean)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select format('check constraint %I', k.conname),
    format('alter table only %s drop constraint %I', p_trial, k.conname),
         exists (select from pg_depend d join pg_proc p on p.oid = d.refobjid and p.provolatile = 'v'
                  where d.classid = 'pg_constraint'::regclass and d.objid = k.oid
                    and d.refclassid = 'pg_proc'::regclass)
    from pg_constraint k where k.conrelid = p_trial and k.contype = 'c'
  union all
  select format('index %I', c.relname), coalesce(
           (select format('alter table only %s drop constraint %I', p_trial, k.conname) from pg_constraint k
             where k.conindid = c.oid and k.conrelid = p_trial),
           format('drop index %s', c.oid::regclass)), false
    from pg_index i join pg_class c on c.oid = i.indexrelid
   where i.indrelid = p_trial and (i.indexprs is not null or i.indpred is not null)
  union all
  select format('generated column %I', a.attname),
    format('alter table only %s drop column %I', p_trial, a.attname), false
    from pg_attribute a where a.attrelid = p_trial and a.attgenerated = 's' and not a.attisdropped
$$;

-- Makes the table of the archived structure without what a restore makes after the rows and no row is seen
-- by: triggers, rules, row security; and without what rows need not fulfil or what may have effects: checks
-- that are not validated, and those that call volatile functions. Returns what was left out for that last
-- reason.
create or replace function partition_archiver_trial.make_for_rows(p_ddl jsonb) returns jsonb
  language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  v_trial constant text := format('partition_archiver_trial.%I', p_ddl ->> 'name');
  v_statement text;
  v_left_out jsonb := '[]';
  v_object record;
begin
  foreach v_statement in array partition_archiver.render_ddl(p_ddl, 'partition_archiver_trial',
    (p_ddl ->> 'name')::name, array['structure']) loop
    execute v_statement;
  end loop;
  execute format('alter table %s disable trigger user', v_trial);
  for v_object in select rulename from pg_rewrite where ev_class = v_trial::regclass loop
    execute format('alter table %s disable rule %I', v_trial, v_object.rulename);
  end loop;
  for v_object in select conname from pg_constraint where conrelid = v_trial::regclass
    and contype in ('c', 'n') and not convalidated loop
    execute format('alter table only %s drop constraint %I', v_trial, v_object.conname);
  end loop;
  for v_object in select * from partition_archiver_trial.objects_with_functions(v_trial::regclass) o
    where o.is_volatile loop
    execute v_object.removal;
    v_left_out := v_left_out || to_jsonb(v_object.object);
  end loop;
  return v_left_out;
end
$$;

-- Tries rows of p_table: {rows, failed: [{object, code, reason}], notTried}. All at once first; where that
-- fails, each object separately (beside generated columns, which it may need, as far as these do not fail),
-- and the columns without any of them.
create or replace function partition_archiver_trial.try_rows(p_ddl jsonb, p_table text, p_columns text)
  returns jsonb
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp set row_security = off set timezone = 'UTC'
    set datestyle = 'ISO, YMD' set intervalstyle = 'postgres'
  set lc_monetary = 'C' set default_tablespace = ''
    set standard_conforming_strings = on set client_min_messages = warning as $$
declare
  v_trial constant text := format('partition_archiver_trial.%I', p_ddl ->> 'name');
  v_insert constant text := format('insert into %s (%2$s) overriding system value select %2$s from only '
    '%3$s where ctid = any ($1)', v_trial, p_columns, p_table);
  v_rows tid[];
  v_count bigint;
  v_left_out jsonb;
  v_objects jsonb;
  v_failed jsonb := '[]';
  v_removal text;
  v_code text;
  v_message text;
  v_context text;
  v_try record;
begin
  perform pg_advisory_xact_lock(hashtext('partition_archiver_trial'), 0); -- as in capture_ddl
  -- 16 MiB: a second or two for a table of 20 columns, each of which is sorted twice.
  v_rows := partition_archiver_trial.sample(p_table,
    array(select c ->> 'name' from jsonb_array_elements(p_ddl -> 'columns') c
                                                            where c ->> 'generated' = ''), 16777216);
  v_left_out := partition_archiver_trial.make_for_rows(p_ddl);
  select coalesce(jsonb_agg(to_jsonb(o)), '[]') into v_objects
    from partition_archiver_trial.objects_with_functions(v_trial::regclass) o;
  for v_try in
    select 'all' as object, 0 as number, 0 as position
    union all select o ->> 'object', n::integer,
      case when o ->> 'object' like 'generated column %' then 1 else 2 end
      from jsonb_array_elements(v_objects) with ordinality as x (o, n)
    union all select 'the types of its columns', -1, 3
    order by 3, 2
  loop
    begin
      if v_try.number <> 0 then
        -- Indexes first: a column takes those on it along.
        for v_removal in
          select o ->> 'removal' from jsonb_array_elements(v_objects) with ordinality as x (o, n)
           where n <> v_try.number
             and (v_try.position <> 2 or o ->> 'object' not like 'generated column %'
               or v_failed @> jsonb_build_array(jsonb_build_object('object', o ->> 'object')))
           order by o ->> 'object' like 'generated column %'
        loop
          execute v_removal;
        end loop;
      end if;
      execute v_insert using v_rows;
      get diagnostics v_count = row_count;
      raise exception 'undo' using errcode = 'PA000';
    exception
      when sqlstate 'PA000' then
        exit when v_try.number = 0;
      when others then
        get stacked diagnostics v_code = returned_sqlstate, v_message = message_text,
          v_context = pg_exception_context;
        if partition_archiver.passes_by_itself(v_code) then
          raise;
        end if;
        if v_try.number <> 0 then
          v_failed := v_failed || jsonb_build_object('object', v_try.object, 'code', v_code,
            'reason', partition_archiver.failure_in_words(v_code, v_message, v_context));
        end if;
    end;
  end loop;
  return jsonb_build_object('rows', coalesce(v_count, cardinality(v_rows)), 'failed', v_failed, 'notTried',
    v_left_out);
end
$$;

revoke all on function partition_archiver_trial.sample(text, text[], bigint) from public;
revoke all on function partition_archiver_trial.objects_with_functions(regclass) from public;
revoke all on function partition_archiver_trial.make_for_rows(jsonb) from public;
revoke all on function partition_archiver_trial.try_rows(jsonb, text, text) from public;
grant execute on function partition_archiver_trial.try_rows(jsonb, text, text) to archiver_owner;
reset role;
