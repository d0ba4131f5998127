-- Partition-table: makes a partition set out of a plain table while it is in use.
--
-- A twin, partitioned and with the table's own name, is filled in partition_archiver_twin. Meanwhile a trigger on the table
-- writes down the keys of the rows that change; what is written down is taken over again, until next to nothing is left. Twin
-- and table are compared by content, and then change places in one short transaction. The old table waits behind a fence in
-- partition_archiver_replaced until an operator lets it go. In mode "plain" a fence refuses writes from the beginning.
--
-- An administrator calls these functions with rights of his own (security invoker).

create schema if not exists partition_archiver_twin authorization archive_owner;
create schema if not exists partition_archiver_replaced authorization archive_owner;
comment on schema partition_archiver_twin is 'partition-archiver: partitioned tables that are being filled, to take the place of plain ones';
comment on schema partition_archiver_replaced is 'partition-archiver: plain tables whose place a partitioned one has taken, until they are let go';

set role archive_owner;

create table if not exists partition_archiver.repartition (
  id bigint generated always as identity primary key,
  system_identifier bigint not null,
  database_name name not null,
  table_oid oid not null,
  table_schema name not null,
  table_name name not null,
  table_owner name not null,
  control_column name not null,
  mode text not null check (mode in ('online', 'plain')),
  key_columns name[] not null,
  -- As they were when it began: whatever changes them makes it begin anew.
  objects jsonb not null,
  columns jsonb not null,
  ddl jsonb not null,
  options jsonb not null,
  twin_oid oid,
  filenode oid,
  next_block bigint not null default 0,
  end_block bigint,
  checked jsonb,
  checked_at timestamptz,
  state text not null default 'begun' check (state in ('begun', 'copying', 'copied', 'checked', 'swapped', 'let go', 'rolled back')),
  began_at timestamptz not null default clock_timestamp(),
  swapped_at timestamptz,
  ended_at timestamptz,
  actor name not null default session_user
);
create unique index if not exists repartition_table on partition_archiver.repartition (table_oid)
  where state in ('begun', 'copying', 'copied', 'checked');
comment on table partition_archiver.repartition is 'one row for each plain table that is or was made a partition set, so that it can be resumed';

-- Unique keys that would have to contain the control column, and whether they can be extended by it.
create or replace function partition_archiver.keys_without(p_table oid, p_control name)
  returns table (index_oid oid, name name, constraint_type "char", columns text, extendable boolean)
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select i.indexrelid, c.relname, k.contype,
         (select string_agg(quote_ident(a.attname), ', ' order by p.n) from unnest(i.indkey::int2[]) with ordinality as p (attnum, n)
            join pg_attribute a on a.attrelid = p_table and a.attnum = p.attnum),
         i.indpred is null and i.indexprs is null and i.indnatts = i.indnkeyatts and not coalesce(k.condeferrable, false)
           and not coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)
           and (select bool_and(o = 0) from unnest(i.indoption::int2[]) o)
           and (select bool_and(q.opcdefault) from unnest(i.indclass::oid[]) with ordinality as x (o, n) join pg_opclass q on q.oid = x.o)
           and (select bool_and(a.attcollation = x.coll) from unnest(i.indkey::int2[], i.indcollation::oid[]) as x (attnum, coll)
                  join pg_attribute a on a.attrelid = p_table and a.attnum = x.attnum)
    from pg_index i join pg_class c on c.oid = i.indexrelid
    left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = p_table and k.contype in ('p', 'u', 'x')
   where i.indrelid = p_table and i.indisunique
     and not exists (select from pg_attribute a where a.attrelid = p_table and a.attname = p_control
                        and a.attnum = any ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
$$;

-- Columns of a key by which a changed row is found again: the primary key, or another one that is unique and never null.
create or replace function partition_archiver.row_key(p_table oid) returns name[]
  language sql stable set search_path = pg_catalog, pg_temp
  return coalesce((
    select array(select a.attname from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) with ordinality as p (attnum, n)
                   join pg_attribute a on a.attrelid = p_table and a.attnum = p.attnum order by p.n)
      from pg_index i
     where i.indrelid = p_table and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
       and not exists (select from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) k join pg_attribute a on a.attrelid = p_table and a.attnum = k
                        where not a.attnotnull)
     order by i.indisprimary desc, i.indnkeyatts, i.indexrelid limit 1), '{}');

-- Why a table cannot be made a partition set, all at once. p_keys: what becomes of unique keys that lack the control
-- column: 'extend' them by it, or 'drop' them for plain indexes; null where nobody said.
create or replace function partition_archiver.partition_table_problems(p_table oid, p_control name, p_mode text, p_keys text) returns text[]
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select array(
    select reason from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join lateral (
      select 'it is not an ordinary table' as reason where c.relkind <> 'r' or c.relispartition or c.reloftype <> 0
      union all select 'it is unlogged or temporary' where c.relpersistence <> 'p'
      union all select 'it inherits, or others inherit from it' where exists (select from pg_inherits i where p_table in (i.inhrelid, i.inhparent))
      union all select 'its schema belongs to the system or to partition-archiver'
        where n.nspname ~ '^(pg_|information_schema$|partition_archive)'
      union all select 'pg_partman does not bear a dot or an apostrophe in the name of a schema or table' where n.nspname || c.relname ~ '[.'']'
      union all select 'it belongs to an extension' where exists (
        select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = p_table and d.deptype = 'e')
      union all select format('it has no column %I', p_control)
        where not exists (select from pg_attribute a where a.attrelid = p_table and a.attname = p_control and a.attnum > 0 and not a.attisdropped)
      union all select case
          when a.atttypid not in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype)
            then format('its column %I is of type %s, which is neither a time nor a whole number', a.attname, format_type(a.atttypid, null))
          when a.attgenerated <> '' then format('its column %I is generated', a.attname)
          else format('its column %1$I may be null: alter table %2$s alter column %1$I set not null; (validate a check constraint first, so that this takes no scan)', a.attname, c.oid::regclass) end
        from pg_attribute a where a.attrelid = p_table and a.attname = p_control and a.attnum > 0
         and (a.atttypid not in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype)
              or a.attgenerated <> '' or not a.attnotnull)
      union all
      -- The question that everybody meets.
      select format('unique key %I (%s) lacks the control column, and a partitioned table can hold a key unique only together with it. '
          'Choose: extend it to (%s, %I), so that the same %s may then occur once for each %I; or drop it for an index that is not unique; or partition by a column of the key%s',
          k.name, k.columns, k.columns, p_control, k.columns, p_control,
          case when k.extendable then '' else '. Extending is not possible here: it is partial, on expressions, deferrable, or has options' end) || case
          when p_keys = 'extend' then ' (chosen: extend)' else '' end
        from partition_archiver.keys_without(p_table, p_control) k
       where p_keys is null or p_keys = 'extend' and not k.extendable
      union all select format('exclusion constraint %I', k.conname) from pg_constraint k where k.conrelid = p_table and k.contype = 'x'
      union all select format('constraint %I is not validated: alter table %s validate constraint %I;', k.conname, c.oid::regclass, k.conname)
        from pg_constraint k where k.conrelid = p_table and k.contype in ('c', 'f') and not k.convalidated
      union all select format('foreign key %I: while rows are taken over, the new table may still have some that the old one has no more, and deletes in %s would fail. '
          'Use the plain mode, or drop the foreign key and add it to the partitioned table afterwards', k.conname, k.confrelid::regclass)
        from pg_constraint k where k.conrelid = p_table and k.contype = 'f' and p_mode = 'online'
      union all select format('foreign key %I refers to the table itself', k.conname) from pg_constraint k
        where k.conrelid = p_table and k.contype = 'f' and k.confrelid = p_table
      union all select format('%s depends on it and would go on with the old table; drop it, and make it again afterwards. A foreign key to it needs a unique key that contains the control column', d)
        from unnest(partition_archiver.dependents_of(p_table)) d
      union all select format('rule %I', r.rulename) from pg_rewrite r where r.ev_class = p_table
      union all select format('trigger %I is a constraint trigger or has transition tables, which row triggers of partitioned tables cannot have', t.tgname)
        from pg_trigger t where t.tgrelid = p_table and not t.tgisinternal and (t.tgconstraint <> 0 or t.tgoldtable is not null or t.tgnewtable is not null)
      union all select 'it is in publication ' || quote_ident(p.pubname) || ', whose subscribers would see it empty; take it out, and add the partitioned table afterwards'
        from pg_publication_rel r join pg_publication p on p.oid = r.prpubid where r.prrelid = p_table
      union all select 'it has a replica identity of its own' where c.relreplident not in ('d', 'n')
      union all select 'it has security labels' where exists (select from pg_seclabel s where s.classoid = 'pg_class'::regclass and s.objoid = p_table)
      union all select 'it has no unique key without nulls by which a changed row could be found again; use the plain mode'
        where p_mode = 'online' and partition_archiver.row_key(p_table) = '{}'
      union all select format('its owner %1$I may not create tables in schema %2$I: grant create on schema %2$I to %1$I;', pg_get_userbyid(c.relowner), n.nspname)
        where not has_schema_privilege(c.relowner, n.oid, 'create')
      union all select format('%I is there already; let go of the table that was replaced before, or roll back what was begun', o.oid::regclass::text)
        from pg_class o where o.relnamespace in ('partition_archiver_twin'::regnamespace, 'partition_archiver_replaced'::regnamespace)
         and (o.relname = c.relname or o.relname in (select x.relname from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = p_table))
    ) r where c.oid = p_table
    union all select format('there is no table with oid %s', p_table) where not exists (select from pg_class where oid = p_table))
$$;

-- The job, locked, if its tables are still what they were.
create or replace function partition_archiver.claim_repartition(p_id bigint, variadic p_states text[]) returns partition_archiver.repartition
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC' set datestyle = 'ISO, YMD'
  set intervalstyle = 'postgres' as $$
declare
  j partition_archiver.repartition;
begin
  select * into j from partition_archiver.repartition where id = p_id for update;
  if not found or j.state <> all (p_states) then
    raise exception 'partitioning % is %, not %', p_id, coalesce(j.state, 'unknown'), array_to_string(p_states, ' or ') using errcode = 'PA001';
  end if;
  if j.system_identifier <> partition_archiver.this_system() or j.database_name <> current_database() then
    raise exception 'partitioning % belongs to database "%" of another system', p_id, j.database_name using errcode = 'PA002';
  end if;
  if j.state in ('begun', 'copying', 'copied', 'checked') then
    if to_regclass(format('%I.%I', j.table_schema, j.table_name))::oid is distinct from j.table_oid
       or to_regclass(format('partition_archiver_twin.%I', j.table_name))::oid is distinct from j.twin_oid then
      raise exception 'table %.% or its twin is gone, renamed or another one', j.table_schema, j.table_name using errcode = 'PA002';
    end if;
    if (select jsonb_agg(facts - 'number' order by attnum) from partition_archiver.ddl_columns(j.table_oid, 'none')) is distinct from j.columns
       or partition_archiver.repartition_objects(j.table_oid) is distinct from j.objects then
      raise exception 'columns, indexes, constraints, triggers or policies of %.% changed since it began: roll back and begin anew', j.table_schema, j.table_name
        using errcode = 'PA002';
    end if;
  end if;
  return j;
end
$$;

-- What of a table must not change meanwhile, without what this has put there itself.
create or replace function partition_archiver.repartition_objects(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
  return (select coalesce(jsonb_agg(o order by o ->> 'kind', o ->> 'name'), '[]') from jsonb_array_elements(partition_archiver.ddl_objects(p_table)) o
           where not (o ->> 'kind' = 'trigger' and o ->> 'name' like 'partition\_archiver\_repartition%'));

-- Keys and indexes of the twin, from those of the table.
create or replace function partition_archiver.make_twin_keys(p_table oid, p_twin text, p_control name, p_keys text, p_statements text[]) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_index record;
begin
  for v_index in
    select c.relname as name, i.indisunique, k.oid as constraint_oid, w.columns as short, w.constraint_type
      from pg_index i join pg_class c on c.oid = i.indexrelid
      left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = p_table and k.contype in ('p', 'u')
      left join partition_archiver.keys_without(p_table, p_control) w on w.index_oid = i.indexrelid
     where i.indrelid = p_table order by c.relname collate "C"
  loop
    if v_index.short is not null and p_keys = 'extend' and v_index.constraint_oid is not null then
      execute format('alter table %s add constraint %I %s (%s, %I)', p_twin, v_index.name,
        case v_index.constraint_type when 'p' then 'primary key' else 'unique' end, v_index.short, p_control);
    elsif v_index.short is not null then
      execute format('create %s index %I on %s (%s%s)', case when p_keys = 'extend' then 'unique' end, v_index.name, p_twin, v_index.short,
        case when p_keys = 'extend' then ', ' || quote_ident(p_control) end);
    elsif v_index.constraint_oid is not null then
      execute format('alter table %s add constraint %I %s', p_twin, v_index.name, pg_get_constraintdef(v_index.constraint_oid));
    else
      execute (select s from unnest(p_statements) s
                where s ~ '^CREATE (UNIQUE )?INDEX ' and starts_with(regexp_replace(s, '^CREATE (UNIQUE )?INDEX ', ''), format('%I ON ', v_index.name)));
    end if;
  end loop;
end
$$;

-- Begins: the twin without partitions, and the trigger on the table. PA010 with all reasons where it cannot be.
-- p_options: {interval, start, premake, retention, epoch, timeZone, keys, default}
create or replace function partition_archiver.begin_repartition(p_table oid, p_control name, p_mode text, p_options jsonb) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC' set datestyle = 'ISO, YMD'
  set intervalstyle = 'postgres' as $$
declare
  v_problems text[];
  v_schema name;
  v_name name;
  v_owner name;
  v_twin text;
  v_ddl jsonb;
  v_objects jsonb;
  v_columns jsonb;
  v_identity record;
  v_key name[];
  v_id bigint;
  v_statement text;
begin
  v_problems := partition_archiver.partition_table_problems(p_table, p_control, p_mode, p_options ->> 'keys');
  if v_problems <> '{}' then
    raise exception '%', array_to_string(v_problems, E'\n') using errcode = 'PA010';
  end if;
  select n.nspname, c.relname, pg_get_userbyid(c.relowner) into v_schema, v_name, v_owner
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = p_table;
  v_twin := format('partition_archiver_twin.%I', v_name);
  perform partition_archiver.set_lock_timeout();
  execute format('lock table only %I.%I in access exclusive mode', v_schema, v_name);
  v_problems := partition_archiver.partition_table_problems(p_table, p_control, p_mode, p_options ->> 'keys');
  if v_problems <> '{}' or to_regclass(format('%I.%I', v_schema, v_name))::oid <> p_table then
    raise exception 'the table changed just now: %', array_to_string(v_problems, '; ') using errcode = 'PA001';
  end if;
  v_objects := partition_archiver.repartition_objects(p_table);
  select jsonb_agg(facts - 'number' order by attnum) into v_columns from partition_archiver.ddl_columns(p_table, 'none');
  v_ddl := partition_archiver.capture_ddl(p_table);
  if v_ddl -> 'refused' <> '[]' then
    raise exception '%', (select string_agg(r, E'\n') from jsonb_array_elements_text(v_ddl -> 'refused') r) using errcode = 'PA010';
  end if;

  execute format('create table %s (like %I.%I including all excluding indexes excluding identity excluding statistics) partition by range (%I)',
    v_twin, v_schema, v_name, p_control);
  for v_identity in select a.attname, a.attidentity from pg_attribute a where a.attrelid = p_table and a.attidentity <> '' and not a.attisdropped loop
    execute format('alter table %s alter column %I add generated %s as identity (%s)', v_twin, v_identity.attname,
      case v_identity.attidentity when 'a' then 'always' else 'by default' end,
      partition_archiver.ddl_sequence_options(pg_get_serial_sequence(format('%I.%I', v_schema, v_name), v_identity.attname)::regclass));
  end loop;
  perform partition_archiver.make_twin_keys(p_table, v_twin, p_control, p_options ->> 'keys',
    partition_archiver.render_ddl(v_ddl, 'partition_archiver_twin', v_name, array['structure']));

  if p_mode = 'plain' then
    foreach v_statement in array partition_archiver.render_ddl(v_ddl, 'partition_archiver_twin', v_name, array['foreign_keys']) loop
      if v_statement ~ '^ALTER TABLE ONLY ' then
        execute regexp_replace(v_statement, '^ALTER TABLE ONLY ', 'ALTER TABLE ');
      end if;
    end loop;
  end if;

  v_key := case p_mode when 'online' then partition_archiver.row_key(p_table) else '{}' end;
  insert into partition_archiver.repartition (system_identifier, database_name, table_oid, table_schema, table_name, table_owner,
      control_column, mode, key_columns, objects, columns, ddl, options, twin_oid)
    values (partition_archiver.this_system(), current_database(), p_table, v_schema, v_name, v_owner, p_control, p_mode, v_key,
      v_objects, v_columns, v_ddl, p_options, to_regclass(v_twin)::oid)
    returning id into v_id;
  perform partition_archiver.watch_source(v_id, p_table, v_key);
  return v_id;
end
$$;

-- The triggers on the table: those that write down the keys of changed rows, or the fence.
create or replace function partition_archiver.watch_source(p_id bigint, p_table oid, p_key name[]) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_table text := p_table::regclass::text;
  v_keys text := (select string_agg(quote_ident(k), ', ' order by n) from unnest(p_key) with ordinality as u (k, n));
  v_function text := 'partition_archiver.refuse_write';
begin
  if p_key <> '{}' then
    execute format('create table partition_archiver_twin.changed_%s as select %s from only %s with no data', p_id, v_keys, v_table);
    execute format('alter table partition_archiver_twin.changed_%s add column seq bigint generated always as identity primary key', p_id);
    execute format('create table partition_archiver_twin.taken_%s as select %s, 0::bigint as batch from only %s with no data', p_id, v_keys, v_table);
    execute format('alter table partition_archiver_twin.taken_%s add primary key (%s)', p_id, v_keys);
    execute format($function$
      create function partition_archiver_twin.note_%1$s() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
      begin
        if tg_op in ('UPDATE', 'DELETE') then
          insert into partition_archiver_twin.changed_%1$s (%2$s) values (%3$s);
        end if;
        if tg_op = 'INSERT' or tg_op = 'UPDATE' and (%3$s) is distinct from (%4$s) then
          insert into partition_archiver_twin.changed_%1$s (%2$s) values (%4$s);
        end if;
        return null;
      end
      $body$ $function$, p_id, v_keys,
      (select string_agg('old.' || quote_ident(k), ', ' order by n) from unnest(p_key) with ordinality as u (k, n)),
      (select string_agg('new.' || quote_ident(k), ', ' order by n) from unnest(p_key) with ordinality as u (k, n)));
    execute format('alter table partition_archiver_twin.changed_%s owner to archive_owner', p_id);
    execute format('alter table partition_archiver_twin.taken_%s owner to archive_owner', p_id);
    execute format('alter function partition_archiver_twin.note_%s() owner to archive_owner', p_id);
    v_function := format('partition_archiver_twin.note_%s', p_id);
  end if;
  execute format('create trigger partition_archiver_repartition_row %s insert or update or delete on %s for each row execute function %s()',
    case when p_key = '{}' then 'before' else 'after' end, v_table, v_function);
  -- A truncated table cannot be followed row by row.
  execute format('create trigger partition_archiver_repartition_truncate before truncate on %s for each statement execute function partition_archiver.refuse_write()', v_table);
  execute format('alter table %s enable always trigger partition_archiver_repartition_row, enable always trigger partition_archiver_repartition_truncate', v_table);
end
$$;

-- A join of two by the columns of a key.
create or replace function partition_archiver.join_on(p_key name[], p_left text, p_right text) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
  return (select string_agg(format('%s.%I = %s.%I', p_left, k, p_right, k), ' and ') from unnest(p_key) k);

-- Notes that the twin has its partitions; from here on rows are taken over. PA010 where rows would have no partition.
create or replace function partition_archiver.begin_copy(p_id bigint) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  j partition_archiver.repartition := partition_archiver.claim_repartition(p_id, 'begun');
  v_taken text;
begin
  select string_agg(format('%I.%I', j.table_schema, c.relname), ', ') into v_taken
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
   where i.inhparent = j.twin_oid and to_regclass(format('%I.%I', j.table_schema, c.relname)) is not null;
  if v_taken is not null then
    raise exception 'the names of these partitions are taken: %', v_taken using errcode = 'PA010';
  end if;
  if not exists (select from pg_inherits where inhparent = j.twin_oid) then
    raise exception 'the new table has no partitions yet' using errcode = 'PA001';
  end if;
  update partition_archiver.repartition
     set state = 'copying', next_block = 0, filenode = pg_relation_filenode(j.table_oid),
         end_block = pg_relation_size(j.table_oid) / current_setting('block_size')::bigint
   where id = p_id;
end
$$;

-- Takes the rows of some blocks over. Rows that changed since the trigger is there come again by their keys. Answers how
-- many blocks are left.
create or replace function partition_archiver.copy_blocks(p_id bigint, p_blocks bigint) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set row_security = off as $$
declare
  j partition_archiver.repartition := partition_archiver.claim_repartition(p_id, 'copying');
  v_columns text := partition_archiver.column_list(j.table_oid);
  v_source text := format('%I.%I', j.table_schema, j.table_name);
  v_end bigint;
begin
  execute format('lock table only %s in access share mode', v_source);
  if pg_relation_filenode(j.table_oid) <> j.filenode then
    -- VACUUM FULL, CLUSTER or a rewrite moved every row: begin anew.
    execute format('truncate partition_archiver_twin.%I', j.table_name);
    update partition_archiver.repartition set next_block = 0, filenode = pg_relation_filenode(j.table_oid),
           end_block = pg_relation_size(j.table_oid) / current_setting('block_size')::bigint
     where id = p_id returning * into j;
  end if;
  v_end := least(j.next_block + p_blocks, j.end_block);
  if j.next_block < j.end_block then
    execute format($copy$insert into partition_archiver_twin.%1$I (%2$s) overriding system value
        select %2$s from only %3$s where ctid >= %4$L::tid and ctid < %5$L::tid %6$s$copy$,
      j.table_name, v_columns, v_source, format('(%s,0)', j.next_block), format('(%s,0)', v_end),
      case j.mode when 'online' then 'on conflict do nothing' end);
  end if;
  update partition_archiver.repartition set next_block = v_end, state = case when v_end >= j.end_block then 'copied' else state end where id = p_id;
  return j.end_block - v_end;
end
$$;

-- Takes the rows over again that changed. Answers how many. In one snapshot (REPEATABLE READ, or under the lock of the swap):
-- then the twin is what the table was at that moment, and no unique key of the twin can be in the way.
create or replace function partition_archiver.take_changes(p_id bigint) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set row_security = off as $$
declare
  j partition_archiver.repartition := partition_archiver.claim_repartition(p_id, 'copied', 'checked');
  v_columns text := partition_archiver.column_list(j.table_oid);
  v_keys text := (select string_agg(quote_ident(k), ', ' order by n) from unnest(j.key_columns) with ordinality as u (k, n));
  v_batch bigint;
  v_taken bigint;
begin
  if j.mode = 'plain' then
    return 0;
  end if;
  execute format('select coalesce(max(batch), 0) + 1 from partition_archiver_twin.taken_%s', p_id) into v_batch;
  execute format($take$
    with gone as (delete from partition_archiver_twin.changed_%1$s returning %2$s)
    insert into partition_archiver_twin.taken_%1$s (%2$s, batch) select distinct %2$s, %3$s from gone on conflict (%2$s) do update set batch = excluded.batch$take$,
    p_id, v_keys, v_batch);
  get diagnostics v_taken = row_count;
  if v_taken = 0 then
    return 0;
  end if;
  execute format('delete from partition_archiver_twin.%I t using partition_archiver_twin.taken_%s k where k.batch = %s and %s',
    j.table_name, p_id, v_batch, partition_archiver.join_on(j.key_columns, 't', 'k'));
  execute format('insert into partition_archiver_twin.%1$I (%2$s) overriding system value select %3$s from only %4$I.%5$I s join partition_archiver_twin.taken_%6$s k on k.batch = %7$s and %8$s',
    j.table_name, v_columns, (select string_agg('s.' || quote_ident(attname), ', ' order by attnum) from pg_attribute
      where attrelid = j.table_oid and attnum > 0 and not attisdropped and attgenerated = ''),
    j.table_schema, j.table_name, p_id, v_batch, partition_archiver.join_on(j.key_columns, 's', 'k'));
  return v_taken;
end
$$;

-- Begins a check: what is taken over from now on has not been compared. Answers the two queries to compare in one snapshot,
-- each row with the number of its partition in front (-1: the default partition, or none), without the rows that changed and
-- were not taken over yet.
create or replace function partition_archiver.begin_repartition_check(p_id bigint) returns jsonb
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  j partition_archiver.repartition := partition_archiver.claim_repartition(p_id, 'copied', 'checked');
  v_columns text := partition_archiver.column_list(j.table_oid);
  v_type text := (select format_type(atttypid, null) from pg_attribute where attrelid = j.table_oid and attname = j.control_column);
  v_pending text := '';
  v_partitions jsonb;
  v_lowers text;
  v_values text;
  v_outside text;
begin
  update partition_archiver.repartition set state = 'copied', checked = null, checked_at = null where id = p_id;
  if j.mode = 'online' then
    execute format('delete from partition_archiver_twin.taken_%s', p_id);
    v_pending := format(' where not exists (select from partition_archiver_twin.changed_%s k where %s)', p_id, partition_archiver.join_on(j.key_columns, 'r', 'k'));
  end if;
  select jsonb_agg(x.name order by x.n), format('array[%s]::%s[]', string_agg(quote_literal(x.lower), ', ' order by x.n), v_type),
         string_agg(format('(%s::oid, %s)', x.oid, x.n), ', ' order by x.n),
         format('r.%1$I < %2$L::%4$s or r.%1$I >= %3$L::%4$s', j.control_column, (array_agg(x.lower order by x.n))[1],
           (array_agg(x.upper order by x.n desc))[1], v_type)
    into v_partitions, v_lowers, v_values, v_outside
    from (select c.oid, c.relname as name, e.ends[1] as lower, e.ends[2] as upper,
                 row_number() over (order by case when v_type in ('smallint', 'integer', 'bigint') then e.ends[1]::numeric end,
                                             case when v_type not in ('smallint', 'integer', 'bigint') then e.ends[1]::timestamptz end) as n
            from pg_inherits i join pg_class c on c.oid = i.inhrelid
            cross join lateral (select regexp_match(pg_get_expr(c.relpartbound, c.oid),
              '^FOR VALUES FROM \(''?([^'']+?)''?\) TO \(''?([^'']+?)''?\)$') as ends) e
           where i.inhparent = j.twin_oid and e.ends is not null) x;
  return jsonb_build_object('partitions', v_partitions,
    'source', format('select case when %7$s then -1 else width_bucket(r.%1$I, %2$s) end, %3$s from only %4$I.%5$I r%6$s',
      j.control_column, v_lowers, v_columns, j.table_schema, j.table_name, v_pending, v_outside),
    'twin', format('select coalesce(b.n, -1), %3$s from partition_archiver_twin.%1$I r left join (values %2$s) b (partition_oid, n) on b.partition_oid = r.tableoid%4$s',
      j.table_name, v_values, v_columns, v_pending));
end
$$;

-- Records that both have the same contents. p_checked: [{partition, rows, bytes, lineHashSum}].
create or replace function partition_archiver.record_repartition_check(p_id bigint, p_checked jsonb) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform partition_archiver.claim_repartition(p_id, 'copied');
  update partition_archiver.repartition set state = 'checked', checked = p_checked, checked_at = clock_timestamp() where id = p_id;
end
$$;

-- How many of the rows that were taken over again differ between table and twin, and are not waiting to be taken over once more.
create or replace function partition_archiver.differences_since_check(p_id bigint) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set row_security = off
  set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' set extra_float_digits = 1 set bytea_output = 'hex' as $$
declare
  j partition_archiver.repartition;
  v_count bigint;
begin
  select * into j from partition_archiver.repartition where id = p_id;
  if j.mode = 'plain' then
    return 0;
  end if;
  execute format($compare$
    with old as (select s::text as line from only %1$I.%2$I s join partition_archiver_twin.taken_%3$s k on %4$s
                  where not exists (select from partition_archiver_twin.changed_%3$s p where %5$s)),
         new as (select t::text as line from partition_archiver_twin.%2$I t join partition_archiver_twin.taken_%3$s k on %6$s
                  where not exists (select from partition_archiver_twin.changed_%3$s p where %5$s))
    select count(*) from ((table old except all table new) union all (table new except all table old)) d$compare$,
    j.table_schema, j.table_name, p_id, partition_archiver.join_on(j.key_columns, 's', 'k'), partition_archiver.join_on(j.key_columns, 'k', 'p'),
    partition_archiver.join_on(j.key_columns, 't', 'k')) into v_count;
  return v_count;
end
$$;

-- Forgets what was compared. In the snapshot of the comparison (REPEATABLE READ).
create or replace function partition_archiver.settle_changes(p_id bigint) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  j partition_archiver.repartition := partition_archiver.claim_repartition(p_id, 'checked');
  v_count bigint := partition_archiver.differences_since_check(p_id);
begin
  if v_count = 0 and j.mode = 'online' then
    execute format('delete from partition_archiver_twin.taken_%s', p_id);
  end if;
  return v_count;
end
$$;

-- Lets twin and table change places. 55P03 where the lock was not to be had in time, or too much changed meanwhile; PA018
-- where a row that was taken over again differs. Nothing but what changed since the last comparison is read under the lock.
create or replace function partition_archiver.swap_repartition(p_id bigint, p_limit bigint) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set row_security = off as $$
declare
  j partition_archiver.repartition;
  v_count bigint;
  v_old text;
  v_new text;
  v_object record;
  v_value record;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'transaction isolation is %', current_setting('transaction_isolation') using errcode = 'PA001';
  end if;
  j := partition_archiver.claim_repartition(p_id, 'checked');
  v_new := format('%I.%I', j.table_schema, j.table_name);
  v_old := format('partition_archiver_replaced.%I', j.table_name);
  perform partition_archiver.set_lock_timeout();
  execute format('lock table only %s in access exclusive mode', v_new);
  -- What changed while this waited.
  j := partition_archiver.claim_repartition(p_id, 'checked');
  if j.mode = 'online' then
    execute format('select (select count(*) from partition_archiver_twin.changed_%1$s) + (select count(*) from partition_archiver_twin.taken_%1$s)', p_id)
      into v_count;
    if v_count > p_limit then
      raise exception '% rows changed since the last comparison, more than are taken over under the lock', v_count using errcode = '55P03';
    end if;
    perform partition_archiver.take_changes(p_id);
    v_count := partition_archiver.differences_since_check(p_id);
    if v_count > 0 then
      raise exception '% rows differ between % and its twin', v_count, v_new using errcode = 'PA018';
    end if;
  end if;
  perform partition_archiver.unwatch_source(p_id, j.table_oid);

  -- The old table: out of the way, behind a fence, without what would hold others up.
  for v_object in select s.oid, s.name, s.attnum, s.is_identity from partition_archiver.owned_sequences(j.table_oid) s loop
    if v_object.is_identity then
      execute format('select last_value, is_called from %s', v_object.oid::regclass) into v_value;
      perform setval(pg_get_serial_sequence(format('partition_archiver_twin.%I', j.table_name),
        (select attname from pg_attribute where attrelid = j.table_oid and attnum = v_object.attnum))::regclass, v_value.last_value, v_value.is_called);
    else
      execute format('alter sequence %s owned by none', v_object.oid::regclass);
    end if;
  end loop;
  for v_object in select conname from pg_constraint where conrelid = j.table_oid and contype = 'f' and conparentid = 0 loop
    execute format('alter table %s drop constraint %I', v_new, v_object.conname);
  end loop;
  for v_object in select n.nspname, s.stxname from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where s.stxrelid = j.table_oid loop
    execute format('drop statistics %I.%I', v_object.nspname, v_object.stxname);
  end loop;
  execute format('alter table %s set schema partition_archiver_replaced', v_new);
  execute format('create trigger partition_archiver_fence_row before insert or update or delete on %s for each row execute function partition_archiver.refuse_write()', v_old);
  execute format('create trigger partition_archiver_fence_truncate before truncate on %s for each statement execute function partition_archiver.refuse_write()', v_old);
  execute format('alter table %s enable always trigger partition_archiver_fence_row, enable always trigger partition_archiver_fence_truncate', v_old);

  -- The new one, with its partitions, in its place.
  for v_object in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = j.twin_oid loop
    execute format('alter table partition_archiver_twin.%I set schema %I', v_object.relname, j.table_schema);
    execute format('alter table %I.%I owner to %I', j.table_schema, v_object.relname, j.table_owner);
  end loop;
  execute format('alter table partition_archiver_twin.%I set schema %I', j.table_name, j.table_schema);
  perform partition_archiver.dress_repartition(j);
  execute format('alter table %s owner to archive_owner', v_old);
  perform partition_archiver.configure_repartition(j);
  update partition_archiver.repartition set state = 'swapped', swapped_at = clock_timestamp() where id = p_id;
end
$$;

-- What makes the new table what the old one was: owner, grants, triggers, policies, statistics, comments, sequences.
create or replace function partition_archiver.dress_repartition(j partition_archiver.repartition) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_new text := format('%I.%I', j.table_schema, j.table_name);
  v_statement text;
  v_object record;
begin
  foreach v_statement in array partition_archiver.render_ddl(j.ddl, j.table_schema, j.table_name, array['ownership']) loop
    continue when v_statement ~ '^ALTER STATISTICS ' or v_statement ~ '^(GRANT|REVOKE) .* ON SEQUENCE ';
    execute v_statement;
  end loop;
  foreach v_statement in array partition_archiver.render_ddl(j.ddl, j.table_schema, j.table_name, array['structure']) loop
    if v_statement ~ '^(CREATE STATISTICS|ALTER STATISTICS|CREATE POLICY|CREATE TRIGGER) '
       or starts_with(v_statement, format('ALTER TABLE %s ', v_new)) and v_statement ~ '(DISABLE|ENABLE|REPLICA|ALWAYS) TRIGGER ("(?:[^"]|"")+"|[^ "]+)$'
       or starts_with(v_statement, format('ALTER TABLE ONLY %s ALTER COLUMN ', v_new)) then
      execute v_statement;
    elsif v_statement ~ '^COMMENT ON ' and v_statement !~ '^COMMENT ON SEQUENCE ' then
      begin
        execute v_statement;
      exception when undefined_object or undefined_table then
        null; -- On a key that was dropped or is an index now.
      end;
    end if;
  end loop;
  foreach v_statement in array partition_archiver.render_ddl(j.ddl, j.table_schema, j.table_name, array['row_security']) loop
    execute regexp_replace(v_statement, '^ALTER TABLE ONLY ', 'ALTER TABLE ');
  end loop;
  -- Sequences of serial columns: the defaults of the new table use those of the old one.
  for v_object in
    select distinct s.oid, s.relname, a.attname
      from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
      join pg_depend p on p.classid = 'pg_attrdef'::regclass and p.objid = d.oid and p.refclassid = 'pg_class'::regclass
      join pg_class s on s.oid = p.refobjid and s.relkind = 'S'
     where d.adrelid = j.twin_oid and s.relname in (select x from jsonb_array_elements_text(j.ddl -> 'sequences') x)
       and s.relnamespace = to_regnamespace(quote_ident(j.table_schema))
       and not exists (select from pg_depend o where o.classid = 'pg_class'::regclass and o.objid = s.oid and o.deptype in ('a', 'i')
                          and o.refclassid = 'pg_class'::regclass and o.refobjsubid > 0)
  loop
    execute format('alter sequence %I.%I owned by %s.%I', j.table_schema, v_object.relname, v_new, v_object.attname);
  end loop;
end
$$;

-- pg_partman's configuration for the place that the twin has now, with the retention.
create or replace function partition_archiver.configure_repartition(j partition_archiver.repartition) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_partman name := (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_partman');
  v_template name;
  v_wanted name := left(format('template_%s_%s', j.table_schema, j.table_name), 63)::name;
begin
  execute format($config$update %I.part_config set parent_table = %L, retention = %L, retention_keep_table = true, infinite_time_partitions = true,
      automatic_maintenance = 'on' where parent_table = %L returning split_part(template_table, '.', 2)$config$,
    v_partman, j.table_schema || '.' || j.table_name, j.options ->> 'retention', 'partition_archiver_twin.' || j.table_name) into strict v_template;
  if v_template <> '' and to_regclass(format('%I.%I', v_partman, v_wanted)) is null then
    execute format('alter table %I.%I rename to %I', v_partman, v_template, v_wanted);
    execute format('update %I.part_config set template_table = %L where parent_table = %L', v_partman, v_partman || '.' || v_wanted,
      j.table_schema || '.' || j.table_name);
    v_template := v_wanted;
  end if;
  -- From 5.5 on pg_partman copies from the template table for members of its owner only.
  if v_template <> '' then
    begin
      execute format('alter table %I.%I owner to %I', v_partman, v_template, j.table_owner);
    exception when insufficient_privilege then
      null; -- The owner may not create tables there; the preflight says what to do.
    end;
  end if;
end
$$;

-- Takes what watches the table away again.
create or replace function partition_archiver.unwatch_source(p_id bigint, p_table oid) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set client_min_messages = warning as $$
begin
  if exists (select from pg_class where oid = p_table) then
    execute format('drop trigger if exists partition_archiver_repartition_row on %s', p_table::regclass);
    execute format('drop trigger if exists partition_archiver_repartition_truncate on %s', p_table::regclass);
  end if;
  execute format('drop function if exists partition_archiver_twin.note_%s()', p_id);
  execute format('drop table if exists partition_archiver_twin.changed_%1$s, partition_archiver_twin.taken_%1$s', p_id);
end
$$;

-- Gives up before the swap: the table is as it was, the twin is gone.
create or replace function partition_archiver.roll_back_repartition(p_id bigint) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  j partition_archiver.repartition;
  v_partman name := (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_partman');
  v_template text;
begin
  select * into j from partition_archiver.repartition where id = p_id for update;
  if not found or j.state not in ('begun', 'copying', 'copied', 'checked', 'rolled back') then
    raise exception 'partitioning % is %: there is nothing to roll back', p_id, coalesce(j.state, 'unknown') using errcode = 'PA001';
  end if;
  if j.state = 'rolled back' then
    return;
  end if;
  perform partition_archiver.set_lock_timeout();
  perform partition_archiver.unwatch_source(p_id, j.table_oid);
  execute format('delete from %I.part_config where parent_table = %L returning template_table', v_partman, 'partition_archiver_twin.' || j.table_name) into v_template;
  if to_regclass(format('partition_archiver_twin.%I', j.table_name))::oid = j.twin_oid then
    execute format('drop table partition_archiver_twin.%I', j.table_name);
  end if;
  if v_template is not null then
    execute format('drop table if exists %I.%I', split_part(v_template, '.', 1), substr(v_template, strpos(v_template, '.') + 1));
  end if;
  update partition_archiver.repartition set state = 'rolled back', ended_at = clock_timestamp() where id = p_id;
end
$$;

-- Drops the table that was replaced, if nobody touched it or its place since.
create or replace function partition_archiver.let_go_of_replaced(p_id bigint) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  j partition_archiver.repartition;
  v_dependents text[];
begin
  select * into j from partition_archiver.repartition where id = p_id for update;
  if not found or j.state not in ('swapped', 'let go') then
    raise exception 'partitioning % is %, not swapped', p_id, coalesce(j.state, 'unknown') using errcode = 'PA001';
  end if;
  if j.state = 'let go' then
    return;
  end if;
  if j.system_identifier <> partition_archiver.this_system() or j.database_name <> current_database()
     or to_regclass(format('partition_archiver_replaced.%I', j.table_name))::oid is distinct from j.table_oid
     or to_regclass(format('%I.%I', j.table_schema, j.table_name))::oid is distinct from j.twin_oid
     or not exists (select from pg_class where oid = j.twin_oid and relkind = 'p') then
    raise exception 'the table that was replaced, or the one in its place, is gone or another one' using errcode = 'PA002';
  end if;
  if (select count(*) from pg_trigger where tgrelid = j.table_oid and tgname like 'partition\_archiver\_fence\_%' and tgenabled = 'A') <> 2 then
    raise exception 'somebody lifted the fence of partition_archiver_replaced.%: look for rows that were written there since', j.table_name using errcode = 'PA003';
  end if;
  v_dependents := partition_archiver.dependents_of(j.table_oid);
  if v_dependents is not null then
    raise exception '% depends on the table that was replaced', array_to_string(v_dependents, ', ') using errcode = 'PA006';
  end if;
  perform partition_archiver.set_lock_timeout();
  execute format('drop table partition_archiver_replaced.%I restrict', j.table_name);
  update partition_archiver.repartition set state = 'let go', ended_at = clock_timestamp() where id = p_id;
end
$$;

reset role;
