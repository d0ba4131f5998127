-- Partition-table: further partitions of the shadow table. It has those that were needed when the job began,
-- and a job may wait for weeks, while rows of later times and higher numbers come.

set role archiver_owner;

-- Where the shadow table's partitions begin and end, and the ends of the rows in its default partition (null
-- where that is empty), as times or numbers. in_range: neither infinite nor a time that PostgreSQL cannot
-- reckon with.
create or replace function partition_archiver.shadow_ends(j partition_archiver.partition_job,
    out lower text, out upper text, out lowest text, out highest text, out in_range boolean)
  language plpgsql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_default regclass := (select nullif(partdefid, 0)::regclass from pg_partitioned_table
    where partrelid = j.shadow_oid);
  v_type text := (select format_type(atttypid, null) from pg_attribute where attrelid = j.table_oid
    and attname = j.control_column);
  v_factor numeric := case j.options ->> 'epoch' when 'seconds' then 1 when 'milliseconds' then 1e3
    when 'microseconds' then 1e6 when 'nanoseconds' then 1e9 end;
begin
  execute format($ends$
    select min(e.ends[1]::%1$s)::text, max(e.ends[2]::%1$s)::text
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
      cross join lateral (select regexp_match(pg_get_expr(c.relpartbound, c.oid),
        '^FOR VALUES FROM \(''?([^'']+?)''?\) TO \(''?([^'']+?)''?\)$') as ends) e
     where i.inhparent = $1 and e.ends is not null$ends$, v_type) using j.shadow_oid into lower, upper;
  if v_default is not null then
    execute format('select min(%1$I)::text, max(%1$I)::text from only %2$s', j.control_column, v_default)
      into lowest, highest;
  end if;
  in_range := coalesce(lowest <> '-infinity' and highest <> 'infinity', true);
  if v_factor is not null then
    lower := to_timestamp((lower::numeric / v_factor)::double precision)::text;
    upper := to_timestamp((upper::numeric / v_factor)::double precision)::text;
    lowest := to_timestamp((lowest::numeric / v_factor)::double precision)::text;
    highest := to_timestamp((highest::numeric / v_factor)::double precision)::text;
  end if;
exception when data_exception then
  in_range := false;
end
$$;

-- Where the partitions begin that the shadow table lacks: for the rows of its default partition, and
-- `premake` further ones above these and, of times, above now. Empty where that would be more than
-- maxPartitions, and more than 100 further ones: a row that is far from the others waits in the default
-- partition until it is corrected.
create or replace function partition_archiver.missing_partitions(j partition_archiver.partition_job)
  returns text[]
  language plpgsql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_interval constant text := j.options ->> 'interval';
  v_by_number constant boolean := v_interval ~ '^\d+$';
  v_premake constant bigint := (j.options ->> 'premake')::bigint;
  v_type constant text := case when v_by_number then 'numeric' else 'timestamptz' end;
  v_step constant text := case when v_by_number then 'numeric' else 'interval' end;
  v_ends record;
  v_most bigint;
  v_starts text[];
begin
  perform set_config('timezone', j.options ->> 'timeZone', true);
  select * into v_ends from partition_archiver.shadow_ends(j);
  if not v_ends.in_range or v_ends.upper is null then
    return '{}';
  end if;
  if not v_by_number then
    v_ends.highest := greatest(v_ends.highest::timestamptz, now())::text;
  elsif v_ends.highest is null then
    return '{}';
  end if;
  v_most := greatest(100, coalesce((j.options ->> 'maxPartitions')::bigint, 1000)
    - (select count(*) from pg_inherits where inhparent = j.shadow_oid));
  if partition_archiver.count_partitions(v_interval, coalesce(v_ends.lowest, v_ends.lower), v_ends.lower, 0)
    + partition_archiver.count_partitions(v_interval, v_ends.upper, v_ends.highest, v_premake) - 2 > v_most
  then
    return '{}';
  end if;
  execute format($starts$
    select array(
      select s::text from generate_series($1::%1$s - $3::%2$s, $4::%1$s - $3::%2$s, - $3::%2$s) s
       where s > $4::%1$s - $3::%2$s
      union all
      select s::text from generate_series($2::%1$s, $5::%1$s + $6 * $3::%2$s, $3::%2$s) s)$starts$,
    v_type, v_step) using v_ends.lower, v_ends.upper, v_interval, v_ends.lowest, v_ends.highest, v_premake
    into v_starts;
  return v_starts;
end
$$;

-- PreflightFailed where what moves to the table's schema at the swap has a name that is taken there.
create or replace function partition_archiver.refuse_taken_names(j partition_archiver.partition_job)
  returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_taken text := (
    select string_agg(format('%I.%I', j.table_schema, c.relname), ', ' order by c.relname)
      from pg_inherits i
      -- Not by OR, with which each partition is looked at beside each relation of the schema: 17 s under
      -- the lock of the swap with 1,000 partitions and 3,000 relations, instead of 0.1 s (PostgreSQL 15).
      cross join lateral (
        select i.inhrelid union all select indexrelid from pg_index where indrelid = i.inhrelid) m (oid)
      join pg_class c on c.oid = m.oid
     where i.inhparent = j.shadow_oid and exists (
       select from pg_class o
        where o.relnamespace = to_regnamespace(quote_ident(j.table_schema)) and o.relname = c.relname));
begin
  if v_taken is not null then
    raise exception 'the names of these partitions or indexes are taken: %', v_taken
      using errcode = 'PA010'; -- PreflightFailed
  end if;
end
$$;

-- Has pg_partman make the missing partitions, and moves the rows of the default partition into them.
create or replace function partition_archiver.extend_shadow(j partition_archiver.partition_job) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  set row_security = off set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_starts text[] := partition_archiver.missing_partitions(j);
  v_parent constant text := 'partition_archiver_shadow.' || j.table_name;
  v_default text := (select nullif(partdefid, 0)::regclass::text from pg_partitioned_table
    where partrelid = j.shadow_oid);
  v_columns constant text := partition_archiver.column_list(j.table_oid);
  v_partman name;
  v_version integer;
begin
  if v_starts = '{}' then
    return;
  end if;
  select n.nspname, split_part(e.extversion, '.', 1)::integer into v_partman, v_version
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_partman';
  perform set_config('timezone', j.options ->> 'timeZone', true);
  -- A partition cannot be made for rows that are in the default one. They are deleted, since a comparison in
  -- another session would find them missing after TRUNCATE, whatever its snapshot.
  if v_default is not null then
    execute format('create table partition_archiver_shadow.outside_%s as select %s from only %s', j.id,
      v_columns, v_default);
    execute format('delete from only %s', v_default);
  end if;
  -- Version 4 would analyse the whole table.
  execute format('select %I.%s(%L, $1::%s[]%s)', v_partman,
    case when j.options ->> 'interval' ~ '^\d+$' then 'create_partition_id' else 'create_partition_time' end,
    v_parent, case when j.options ->> 'interval' ~ '^\d+$' then 'bigint' else 'timestamptz' end,
    case when v_version < 5 then ', p_analyze => false' end) using v_starts;
  if v_default is not null then
    execute format('insert into partition_archiver_shadow.%I (%s) overriding system value '
      'select %2$s from partition_archiver_shadow.outside_%s', j.table_name, v_columns, j.id);
    execute format('drop table partition_archiver_shadow.outside_%s', j.id);
  end if;
  -- With a snapshot of before, a query of a range that the new partitions cover finds the moved rows neither
  -- there nor in the default partition. By this, a transaction that has one ends with 40001 where it locks
  -- the job.
  update partition_archiver.partition_job set check_number = check_number where id = j.id;
  perform partition_archiver.refuse_taken_names(j);
end
$$;

-- The same between the copy and the swap, where that has less to make under its lock then.
create or replace function partition_archiver.extend_partition_job(p_id bigint) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  j partition_archiver.partition_job := partition_archiver.claim_partition_job(p_id, 'copied', 'checked');
begin
  if partition_archiver.missing_partitions(j) = '{}' then
    return;
  end if;
  -- Offline, the shadow table has foreign keys, and each new partition locks the tables that they reference.
  if j.mode = 'offline' then
    perform partition_archiver.wait_for_autovacuum_of_default(j.shadow_oid);
    perform partition_archiver.lock_referenced(j.shadow_oid, 'share row exclusive');
    perform partition_archiver.set_lock_timeout();
  end if;
  perform partition_archiver.extend_shadow(j);
end
$$;

-- At the swap, after the last changes: PreflightFailed where rows have no partition. The default partition
-- goes where none was wanted.
create or replace function partition_archiver.empty_default(j partition_archiver.partition_job) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_default text := (select nullif(partdefid, 0)::regclass::text from pg_partitioned_table
    where partrelid = j.shadow_oid);
  v_found boolean;
begin
  if v_default is null then
    return;
  end if;
  execute format('select exists (select from only %s)', v_default) into v_found;
  if v_found then
    raise exception 'rows have no partition, since their % is too far from that of the others: select * from '
      '%; correct them in %.%', quote_ident(j.control_column), v_default, j.table_schema, j.table_name
      using errcode = 'PA010'; -- PreflightFailed
  end if;
  if not (j.options ->> 'defaultPartition')::boolean then
    execute format('drop table %s', v_default);
  end if;
end
$$;

reset role;
