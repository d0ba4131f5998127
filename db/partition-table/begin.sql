-- Partition-table, its beginning: the shadow table with its keys (partition-table/tables.sql has the steps).

set role archiver_owner;

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
     where i.indrelid = p_table and i.indisvalid order by c.relname collate "C"
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
          using errcode = 'PA010'; -- PreflightFailed
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
-- to follow its changes into (begin_copy), so that what fails until then leaves nothing there.
-- PreflightFailed with all reasons where it cannot be. p_options: {interval, start, premake, retention,
-- epoch, timeZone, keys, defaultPartition, maxPartitions, trustFunctions, largestScan}; largestScan: bytes
-- that are read as a whole at most, without an index.
create or replace function partition_archiver.begin_partition_job(p_table oid, p_control name, p_mode text,
  p_options jsonb) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC'
    set datestyle = 'ISO, YMD'
  set intervalstyle = 'postgres' as $$
declare
  v_problems text[];
  v_functions text[];
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
  if not coalesce((p_options ->> 'trustFunctions')::boolean, false) then
    v_functions := array(select partition_archiver.function_problems(p_table));
    v_problems := v_problems || v_functions
      || array(select partition_archiver.trigger_problems(p_table, p_control));
    -- Even planning a query may call a function of an index: until it is trusted, the table is not read.
    if v_functions = '{}' then
      v_problems := v_problems || partition_archiver.tried_trigger_problems(p_table, p_control);
    end if;
  end if;
  v_problems := array_remove(v_problems, null);
  if v_problems = '{}' then
    v_size := partition_archiver.partition_table_size(p_table, p_control, p_options);
    v_problems := array(select jsonb_array_elements_text(v_size -> 'problems'));
  end if;
  if v_problems <> '{}' then
    raise exception '%', array_to_string(v_problems, E'\n') using errcode = 'PA010'; -- PreflightFailed
  end if;
  select n.nspname, c.relname, pg_get_userbyid(c.relowner) into v_schema, v_name, v_owner
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = p_table;
  v_shadow := format('partition_archiver_shadow.%I', v_name);
  perform partition_archiver.set_lock_timeout();
  execute format('lock table only %I.%I in access share mode', v_schema, v_name);
  v_problems := partition_archiver.partition_table_problems(p_table, p_control, p_mode, p_options ->> 'keys')
    || partition_archiver.shadow_problems(p_table);
  if v_problems <> '{}' or to_regclass(format('%I.%I', v_schema, v_name))::oid <> p_table then
    raise exception 'the table changed just now: %', partition_archiver.in_one_line(v_problems)
      using errcode = 'PA001'; -- StateConflict
  end if;
  v_objects := partition_archiver.partition_job_objects(p_table);
  select jsonb_agg(facts order by attnum) into v_columns from partition_archiver.ddl_columns(p_table, 'none');
  v_ddl := partition_archiver.capture_ddl(p_table);
  if v_ddl -> 'refused' <> '[]' then
    raise exception '%', (select string_agg(r, E'\n') from jsonb_array_elements_text(v_ddl -> 'refused') r)
      using errcode = 'PA010'; -- PreflightFailed
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
    perform partition_archiver.lock_referenced(p_table, 'share row exclusive');
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

reset role;
