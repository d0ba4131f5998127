-- Partition-table, its beginning: the shadow table, and the triggers that watch the table
-- (partition-table/tables.sql says how it goes).

set role archiver_owner;

-- The job, locked, if its tables are still what they were.
create or replace function partition_archiver.claim_partition_job(p_id bigint, variadic p_states text[])
  returns partition_archiver.partition_job
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC'
    set datestyle = 'ISO, YMD'
  set intervalstyle = 'postgres' as $$
declare
  j partition_archiver.partition_job;
begin
  select * into j from partition_archiver.partition_job where id = p_id for update;
  if not found or j.state <> all (p_states) then
    perform partition_archiver.raise_wrong_state('partitioning', p_id, j.state, ', not '
      || array_to_string(p_states, ' or '));
  end if;
  if j.system_identifier <> partition_archiver.system_identifier()
    or j.database_name <> current_database() then
    raise exception 'partitioning % belongs to database "%" of another system', p_id, j.database_name
      using errcode = 'PA002';
  end if;
  if j.state in ('begun', 'copying', 'copied', 'checked') then
    if to_regclass(format('%I.%I', j.table_schema, j.table_name))::oid is distinct from j.table_oid
       or to_regclass(format('partition_archiver_shadow.%I',
         j.table_name))::oid is distinct from j.shadow_oid then
      raise exception 'table %.% or its shadow table is gone, renamed or another one', j.table_schema,
        j.table_name using errcode = 'PA002';
    end if;
    if j.trigger_state is null and j.state <> 'begun' then
      raise exception 'the partitioning of %.% failed, and changes of the table are no longer logged: roll '
        'back and begin again', j.table_schema, j.table_name
        using errcode = 'PA002';
    end if;
    if partition_archiver.trigger_state(j.table_oid) <> coalesce(j.trigger_state, '[]') then
      raise exception 'the change triggers of %.% were altered, and changes may be missing: roll back and '
        'begin again', j.table_schema, j.table_name
        using errcode = 'PA002';
    end if;
    if (select jsonb_agg(facts order by attnum)
      from partition_archiver.ddl_columns(j.table_oid, 'none')) is distinct from j.columns
       or partition_archiver.partition_job_objects(j.table_oid) is distinct from j.objects then
      raise exception 'columns, indexes, constraints, triggers or policies of %.% changed since it began: '
        'roll back and begin again', j.table_schema, j.table_name
        using errcode = 'PA002';
    end if;
  end if;
  return j;
end
$$;

-- The triggers on a table by which its changes are followed; an altered one has another xmin.
create or replace function partition_archiver.trigger_state(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
  return (select coalesce(jsonb_agg(jsonb_build_object('name', tgname, 'xmin', xmin::text, 'enabled',
    tgenabled) order by tgname), '[]')
            from pg_trigger where tgrelid = p_table and tgname like 'partition\_archiver\_job%');

-- What of a table must not change meanwhile, without what this has put there itself: what there is, and what
-- the keys, checks and indexes say that the shadow table has been given.
create or replace function partition_archiver.partition_job_objects(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  return (
    select coalesce(jsonb_agg(o order by o ->> 'kind', o ->> 'name'), '[]') from (
      select o from jsonb_array_elements(partition_archiver.ddl_objects(p_table)) o
       where not (o ->> 'kind' = 'trigger' and o ->> 'name' like 'partition\_archiver\_job%')
      union all
      select jsonb_build_object('kind', 'definition of constraint', 'name', conname, 'detail',
        pg_get_constraintdef(oid))
        from pg_constraint where conrelid = p_table
      union all
      select jsonb_build_object('kind', 'definition of index', 'name', indexrelid::regclass, 'detail',
        pg_get_indexdef(indexrelid))
        from pg_index where indrelid = p_table) x);

-- Keys and indexes of the shadow table, from those of the table.
create or replace function partition_archiver.create_shadow_keys(p_table oid, p_shadow text, p_control name,
  p_keys text, p_statements text[]) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_index record;
  v_prefix text;
begin
  for v_index in
    select c.relname as name, i.indisunique, k.oid as constraint_oid, w.columns as short, w.constraint_type,
           pg_get_indexdef(i.indexrelid) as definition, format('%I.%I', n.nspname, t.relname) as table_name
      from pg_index i join pg_class c on c.oid = i.indexrelid
      join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
      left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = p_table
        and k.contype in ('p', 'u')
      left join partition_archiver.keys_without(p_table, p_control) w on w.index_oid = i.indexrelid
     where i.indrelid = p_table order by c.relname collate "C"
  loop
    if v_index.short is not null and p_keys = 'extend' and v_index.constraint_oid is not null then
      execute format('alter table %s add constraint %I %s (%s, %I)', p_shadow, v_index.name,
        case v_index.constraint_type when 'p' then 'primary key' else 'unique' end, v_index.short, p_control);
    elsif v_index.short is not null and p_keys = 'extend' then
      execute format('create unique index %I on %s (%s, %I)', v_index.name, p_shadow, v_index.short,
        p_control);
    elsif v_index.short is not null then
      -- The same, expressions, operator classes and predicate included, but for its uniqueness.
      v_prefix := format('CREATE UNIQUE INDEX %I ON %s ', v_index.name, v_index.table_name);
      if not starts_with(v_index.definition, v_prefix) then
        raise exception 'index % is defined in a way that is not understood', v_index.name
          using errcode = 'PA010';
      end if;
      execute format('create index %I on %s %s', v_index.name, p_shadow,
        substr(v_index.definition, length(v_prefix) + 1));
    elsif v_index.constraint_oid is not null then
      execute format('alter table %s add constraint %I %s', p_shadow, v_index.name,
        pg_get_constraintdef(v_index.constraint_oid));
    else
      execute (select s from unnest(p_statements) s
                where s ~ '^CREATE (UNIQUE )?INDEX '
                  and starts_with(regexp_replace(s, '^CREATE (UNIQUE )?INDEX ', ''),
                  format('%I ON ', v_index.name)));
    end if;
  end loop;
end
$$;

-- Begins: the shadow table without partitions. Nothing is put on the table itself before there is something
-- to follow its changes into (begin_copy), so that what fails until then leaves nothing there. PA010 with all
-- reasons where it cannot be. p_options: {interval, start, premake, retention, epoch, timeZone, keys,
-- defaultPartition, maxPartitions, trustTriggers, largestScan}; largestScan: bytes that are read as a whole
-- at most, without an index.
create or replace function partition_archiver.begin_partition_job(p_table oid, p_control name, p_mode text,
  p_options jsonb) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC'
    set datestyle = 'ISO, YMD'
  set intervalstyle = 'postgres' as $$
declare
  v_problems text[];
  v_schema name;
  v_name name;
  v_owner name;
  v_shadow text;
  v_ddl jsonb;
  v_objects jsonb;
  v_columns jsonb;
  v_identity record;
  v_key name[];
  v_id bigint;
  v_statement text;
  v_size jsonb;
begin
  v_problems := partition_archiver.partition_table_problems(p_table, p_control, p_mode, p_options ->> 'keys')
    || partition_archiver.shadow_problems(p_table);
  v_problems := v_problems || partition_archiver.large_scan_problem(p_table, p_control,
    (p_options ->> 'largestScan')::bigint)
    || partition_archiver.partition_table_value_problems(p_table, p_control, p_options);
  if not coalesce((p_options ->> 'trustTriggers')::boolean, false) then
    v_problems := v_problems || array(select partition_archiver.trigger_problems(p_table, p_control))
      || partition_archiver.tried_trigger_problems(p_table, p_control);
  end if;
  v_problems := array_remove(v_problems, null);
  if v_problems = '{}' then
    v_size := partition_archiver.partition_table_size(p_table, p_control, p_options);
    v_problems := array(select jsonb_array_elements_text(v_size -> 'problems'));
  end if;
  if v_problems <> '{}' then
    raise exception '%', array_to_string(v_problems, E'\n') using errcode = 'PA010';
  end if;
  select n.nspname, c.relname, pg_get_userbyid(c.relowner) into v_schema, v_name, v_owner
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = p_table;
  v_shadow := format('partition_archiver_shadow.%I', v_name);
  perform partition_archiver.set_lock_timeout();
  execute format('lock table only %I.%I in access share mode', v_schema, v_name);
  v_problems := partition_archiver.partition_table_problems(p_table, p_control, p_mode, p_options ->> 'keys')
    || partition_archiver.shadow_problems(p_table);
  if v_problems <> '{}' or to_regclass(format('%I.%I', v_schema, v_name))::oid <> p_table then
    raise exception 'the table changed just now: %', array_to_string(v_problems, '; ')
      using errcode = 'PA001';
  end if;
  v_objects := partition_archiver.partition_job_objects(p_table);
  select jsonb_agg(facts order by attnum) into v_columns from partition_archiver.ddl_columns(p_table, 'none');
  v_ddl := partition_archiver.capture_ddl(p_table);
  if v_ddl -> 'refused' <> '[]' then
    raise exception '%', (select string_agg(r, E'\n') from jsonb_array_elements_text(v_ddl -> 'refused') r)
      using errcode = 'PA010';
  end if;

  execute format('create table %s (like %I.%I including all excluding indexes excluding identity excluding '
    'statistics) partition by range (%I)',
    v_shadow, v_schema, v_name, p_control);
  for v_identity in select a.attname, a.attidentity from pg_attribute a where a.attrelid = p_table
    and a.attidentity <> '' and not a.attisdropped loop
    execute format('alter table %s alter column %I add generated %s as identity (%s)', v_shadow,
      v_identity.attname,
      case v_identity.attidentity when 'a' then 'always' else 'by default' end,
      partition_archiver.ddl_sequence_options(pg_get_serial_sequence(format('%I.%I', v_schema, v_name),
        v_identity.attname)::regclass));
  end loop;
  perform partition_archiver.create_shadow_keys(p_table, v_shadow, p_control, p_options ->> 'keys',
    partition_archiver.render_ddl(v_ddl, 'partition_archiver_shadow', v_name, array['structure']));

  if p_mode = 'offline' then
    foreach v_statement in array partition_archiver.render_ddl(v_ddl, 'partition_archiver_shadow', v_name,
      array['foreign_keys']) loop
      if v_statement ~ '^ALTER TABLE ONLY ' then
        execute regexp_replace(v_statement, '^ALTER TABLE ONLY ', 'ALTER TABLE ');
      end if;
    end loop;
  end if;

  v_key := case p_mode when 'online' then partition_archiver.row_key(p_table) else '{}' end;
  insert into partition_archiver.partition_job (system_identifier, database_name, table_oid, table_schema,
    table_name, table_owner,
      control_column, mode, key_columns, objects, columns, ddl, options, shadow_oid, size)
    values (partition_archiver.system_identifier(), current_database(), p_table, v_schema, v_name, v_owner,
      p_control, p_mode, v_key,
      v_objects, v_columns, v_ddl, p_options, to_regclass(v_shadow)::oid, v_size - 'problems')
    returning id into v_id;
  return v_id;
end
$$;

-- The triggers on the table: those that write down the keys of changed rows, or the fence.
create or replace function partition_archiver.create_change_triggers(p_id bigint, p_table oid, p_key name[])
  returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_table text := p_table::regclass::text;
  v_keys text := (select string_agg(quote_ident(k), ', ' order by n)
    from unnest(p_key) with ordinality as u (k, n));
  v_function text := 'partition_archiver.refuse_write';
begin
  if p_key <> '{}' then
    execute format('create table partition_archiver_shadow.changelog_%s as select %s from only %s with no '
      'data', p_id, v_keys, v_table);
    -- Not by names that a key may well have.
    execute format('alter table partition_archiver_shadow.changelog_%s add column partition_archiver_seq '
      'bigint generated always as identity primary key', p_id);
    execute format('create table partition_archiver_shadow.applied_%s as select %s, 0::bigint as '
      'partition_archiver_batch from only %s with no data', p_id, v_keys, v_table);
    execute format('alter table partition_archiver_shadow.applied_%s add primary key (%s)', p_id, v_keys);
    execute format($function$
      create function partition_archiver_shadow.log_change_%1$s() returns trigger
        language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
      begin
        if tg_op in ('UPDATE', 'DELETE') then
          insert into partition_archiver_shadow.changelog_%1$s (%2$s) values (%3$s);
        end if;
        -- Bit for bit: another way to write a key may be the same one, which does no harm, and every type can
        -- be asked this.
        if tg_op = 'INSERT' or tg_op = 'UPDATE' and record_image_ne(row(%3$s), row(%4$s)) then
          insert into partition_archiver_shadow.changelog_%1$s (%2$s) values (%4$s);
        end if;
        return null;
      end
      $body$ $function$, p_id, v_keys,
      (select string_agg('old.' || quote_ident(k), ', ' order by n)
        from unnest(p_key) with ordinality as u (k, n)),
      (select string_agg('new.' || quote_ident(k), ', ' order by n)
        from unnest(p_key) with ordinality as u (k, n)));
    execute format('alter table partition_archiver_shadow.changelog_%s owner to archiver_owner', p_id);
    execute format('alter table partition_archiver_shadow.applied_%s owner to archiver_owner', p_id);
    execute format('alter function partition_archiver_shadow.log_change_%s() owner to archiver_owner', p_id);
    v_function := format('partition_archiver_shadow.log_change_%s', p_id);
  end if;
  execute format('create trigger partition_archiver_job_row %s insert or update or delete on %s for each '
    'row execute function %s()',
    case when p_key = '{}' then 'before' else 'after' end, v_table, v_function);
  -- A truncated table cannot be followed row by row.
  execute format('create trigger partition_archiver_job_truncate before truncate on %s for each statement '
    'execute function partition_archiver.refuse_write()', v_table);
  execute format('alter table %s enable always trigger partition_archiver_job_row, enable always trigger '
    'partition_archiver_job_truncate', v_table);
  update partition_archiver.partition_job set trigger_state = partition_archiver.trigger_state(p_table)
    where id = p_id;
end
$$;

reset role;
