-- Partition-table: how many partitions a table would have, and what its swap takes of the lock table.
--
-- The lock table is shared: where one transaction fills it, every session of the server fails with "out of
-- shared memory". One entry is one locked object, in whatever modes. Counted in pg_locks, without fast-path
-- locks, on PostgreSQL 15: with 1,006 partitions of 6 relations each (table, 3 indexes, TOAST table and its
-- index) the swap holds 6,158, and create_parent as many; with 104 partitions of 4 relations 531. So one
-- entry for each relation, and fewer than 200 for catalogs and the rest.

set role archiver_owner;

alter table partition_archiver.partition_job add column if not exists size jsonb;

-- Locks that the server has room for at least, as its documentation says. It may have room for some more,
-- which cannot be relied upon.
create or replace function partition_archiver.lock_room() returns bigint
  language sql stable set search_path = pg_catalog, pg_temp
  return current_setting('max_locks_per_transaction')::bigint
    * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint);

-- Entries of the lock table that one partition needs: itself, its indexes, its TOAST table with its index.
create or replace function partition_archiver.locks_of_partition(p_table oid) returns bigint
  language sql stable set search_path = pg_catalog, pg_temp
  return (select 1 + (select count(*) from pg_index where indrelid = c.oid)
                 + case when c.reltoastrelid = 0 then 0 else 2 end
            from pg_class c where c.oid = p_table);

-- What p_partitions partitions of a table take at the swap: {partitions, locksEach, locks, room, seconds}.
-- Seconds under the lock: 0.7 s with 1,006 partitions of 6 relations, and 0.3 s with 306 of 2 relations and 2
-- triggers, on an idle machine; twice that here.
create or replace function partition_archiver.swap_size(p_table oid, p_partitions bigint) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
  return (
    select jsonb_build_object(
             'partitions', p_partitions, 'locksEach', x.each, 'locks', 200 + p_partitions * x.each,
             'room', partition_archiver.lock_room(),
             'seconds', round((0.2 + p_partitions * (0.00024 * x.each + 0.0008 * x.triggers))::numeric, 1))
      from (select partition_archiver.locks_of_partition(p_table) as each,
                   (select count(*) from pg_trigger
                     where tgrelid = p_table and not tgisinternal and tgtype & 1 = 1
                       and tgname not like 'partition\_archiver\_job%') as triggers) x);

-- Why a swap of that size would be a burden for others; null where not. Half of the lock table is left for
-- the application: each of its sessions that reads the set without naming a time needs an entry for each
-- partition and each of its indexes.
create or replace function partition_archiver.lock_room_problem(p_size jsonb) returns text
  language sql stable set search_path = pg_catalog, pg_temp
  return (
    select format('%s partitions with %s locks each would take %s entries of the lock table in one '
        'transaction, more than half of the %s that there are for all sessions of the server '
        '(max_locks_per_transaction * (max_connections + max_prepared_transactions)). Set '
        'max_locks_per_transaction to %s or more and restart the server, or choose a wider interval or a '
        'later start',
        p_size ->> 'partitions', p_size ->> 'locksEach', p_size ->> 'locks', p_size ->> 'room',
        ceil(2 * (p_size ->> 'locks')::numeric / (current_setting('max_connections')::numeric
          + current_setting('max_prepared_transactions')::numeric)))
     where (p_size ->> 'locks')::bigint * 2 > (p_size ->> 'room')::bigint);

-- The finite ends of a control column, as text; null for an empty table. infinite: whether there are rows at
-- infinity.
create or replace function partition_archiver.ends_of_control(p_table oid, p_control name)
  returns table (lowest text, highest text, infinite boolean)
  language plpgsql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  set row_security = off set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_time boolean := (
    select atttypid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) from pg_attribute
     where attrelid = p_table and attname = p_control);
begin
  execute format('select min(r.%1$I)::text, max(r.%1$I)::text, false from only %2$s r', p_control,
    p_table::regclass) into lowest, highest, infinite;
  -- An index finds the ends; only where one of them is at infinity, the rest is read.
  if v_time and ('-infinity' in (lowest, highest) or 'infinity' in (lowest, highest)) then
    execute format('select min(r.%1$I)::text, max(r.%1$I)::text from only %2$s r where isfinite(r.%1$I)',
      p_control, p_table::regclass) into lowest, highest;
    infinite := true;
  end if;
  return next;
end
$$;

-- How many partitions there would be from p_from to p_to, and p_premake more. Numbers where the interval is
-- one, else times.
create or replace function partition_archiver.count_partitions(p_interval text, p_from text, p_to text,
    p_premake bigint) returns bigint
  language sql stable set search_path = pg_catalog, pg_temp set datestyle = 'ISO, YMD'
  return p_premake + 1 + greatest(0, coalesce((
    select case
        when p_interval ~ '^\d+$'
          then floor(p_to::numeric / p_interval::numeric) - floor(p_from::numeric / p_interval::numeric)
        when x.months > 0
          then floor((extract(year from age(p_to::timestamptz, p_from::timestamptz)) * 12
                      + extract(month from age(p_to::timestamptz, p_from::timestamptz))) / x.months) + 1
        else floor(extract(epoch from p_to::timestamptz - p_from::timestamptz)
                   / extract(epoch from p_interval::interval)) + 1 end
      from (select case when p_interval !~ '^\d+$'
                        then extract(year from p_interval::interval) * 12
                             + extract(month from p_interval::interval) end as months) x
     where p_from is not null and p_to is not null), 0))::bigint;

-- What a table would become with these options (those of begin_partition_job): {partitions, locksEach, locks,
-- room, seconds, problems}. The problems are those that its rows and the number of partitions show. Reads the
-- ends of the control column, the whole table where no index has them.
create or replace function partition_archiver.partition_table_size(p_table oid, p_control name,
  p_options jsonb)
  returns jsonb
  language plpgsql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_interval text := p_options ->> 'interval';
  v_by_number boolean := v_interval ~ '^\d+$';
  v_premake bigint := coalesce((p_options ->> 'premake')::bigint, 4);
  v_factor numeric := case p_options ->> 'epoch'
    when 'seconds' then 1 when 'milliseconds' then 1e3 when 'microseconds' then 1e6
    when 'nanoseconds' then 1e9 end;
  v_most bigint := coalesce((p_options ->> 'maxPartitions')::bigint, 1000);
  v_start text := p_options ->> 'start';
  v_ends record;
  v_lowest text;
  v_highest text;
  v_first text;
  v_above timestamptz;
  v_size jsonb;
  v_problems text[] := '{}';
begin
  perform set_config('timezone', coalesce(p_options ->> 'timeZone', 'UTC'), true);
  select * into v_ends from partition_archiver.ends_of_control(p_table, p_control);
  if v_ends.infinite then
    v_problems := v_problems || format('there are rows with an infinite %1$I, which belong to no partition: '
      'select * from %2$s where not isfinite(%1$I);', p_control, p_table::regclass);
  end if;
  v_lowest := v_ends.lowest;
  v_highest := v_ends.highest;
  if v_factor is not null then
    v_lowest := to_timestamp((v_lowest::numeric / v_factor)::double precision)::text;
    v_highest := to_timestamp((v_highest::numeric / v_factor)::double precision)::text;
  end if;
  if not v_by_number then
    v_above := now() + v_interval::interval * (v_premake + 1);
    if v_highest::timestamptz >= v_above then
      v_problems := v_problems || format('there are rows above the last partition, which pg_partman makes '
        '%2$s intervals after now: name a higher premake, or correct these rows: select * from %3$s '
        'where %1$I >= %4$L;', p_control, v_premake, p_table::regclass,
        case when v_factor is null then v_above::text
             else floor(extract(epoch from v_above) * v_factor)::text end);
    end if;
    v_highest := now()::text;
  end if;
  -- In parentheses: PL/pgSQL would take the first THEN for its own.
  if (case when v_by_number then v_lowest::numeric < v_start::numeric - v_interval::numeric
           else v_lowest::timestamptz < v_start::timestamptz - v_interval::interval end) then
    v_problems := v_problems || format('there are rows below the start %2$s: name an earlier start, or '
      'correct these rows: select * from %3$s order by %1$I limit 10;',
      p_control, v_start, p_table::regclass);
  end if;
  v_first := coalesce(v_start, v_lowest);
  v_size := partition_archiver.swap_size(p_table,
    partition_archiver.count_partitions(v_interval, v_first, v_highest, v_premake)
      + coalesce((p_options ->> 'defaultPartition')::boolean, true)::integer);
  if (v_size ->> 'partitions')::bigint > v_most then
    v_problems := v_problems || format('%s partitions of %s from %s on, more than the %s that are made '
      'without being told so (the table would be locked for about %s s at the swap, and every query that '
      'names no time plans all of them). Choose a wider interval or a later start; correct or delete '
      'rows that are far from the others (inspect names them); or allow so many: maxPartitions, '
      '--max-partitions',
      v_size ->> 'partitions', v_interval,
      case when v_by_number then (floor(v_first::numeric / v_interval::numeric) * v_interval::numeric)::text
           else v_first::timestamptz::date::text end,
      v_most, v_size ->> 'seconds');
  end if;
  v_problems := v_problems || partition_archiver.lock_room_problem(v_size);
  return v_size || jsonb_build_object('problems', to_jsonb(array_remove(v_problems, null)));
exception when data_exception then
  return jsonb_build_object('problems', array[format('the values of %I, or interval and start, lead to times '
    'that PostgreSQL does not know: are epoch and start right?', p_control)]);
end
$$;

-- Before what locks all partitions of the shadow table: as many as there are now, with the indexes and the
-- settings of now. PreflightFailed where others would suffer; 55P03 where the lock table has no room at this
-- moment.
create or replace function partition_archiver.refuse_without_lock_room(j partition_archiver.partition_job)
  returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_size jsonb := partition_archiver.swap_size(j.table_oid,
    (select count(*) from pg_inherits where inhparent = j.shadow_oid));
  v_problem text := partition_archiver.lock_room_problem(v_size);
  v_used bigint;
begin
  if v_problem is not null then
    raise exception '%', v_problem using errcode = 'PA010'; -- PreflightFailed
  end if;
  select count(distinct (locktype, database, relation, classid, objid, objsubid, virtualxid,
           transactionid::text)) into v_used
    from pg_locks where not fastpath and pid <> pg_backend_pid();
  if v_used + (v_size ->> 'locks')::bigint > (v_size ->> 'room')::bigint then
    raise exception 'others hold % entries of the lock table, which has % in all, and this needs %', v_used,
      v_size ->> 'room', v_size ->> 'locks' using errcode = '55P03';
  end if;
end
$$;

reset role;
