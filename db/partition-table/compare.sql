-- Partition-table: shadow table and table are compared by content, one range of the control column after
-- another, each range in a snapshot of its own. Why that proves the whole, while rows are written:
--   * A row whose key is not written down since the comparison began is the same in each of its snapshots,
--     and lies in one range: there it was compared, if it is in the table, in the shadow table, or in both.
--   * A row whose key was written down, before or after the snapshot of its range, is either still to be
--     taken over or in applied_<id>, and nothing leaves applied_<id> but by being compared (verify_applied,
--     swap_partition_job).
--   * The triggers that write keys down are the ones that were made (claim_partition_job).

set role archiver_owner;

-- Begins a comparison again: what was taken over until now lies in the ranges that it will compare.
create or replace function partition_archiver.begin_comparison(p_id bigint) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  j partition_archiver.partition_job := partition_archiver.claim_partition_job(p_id, 'copied', 'checked');
begin
  update partition_archiver.partition_job
     set state = 'copied', check_number = check_number + 1, compared_to = null, checked = '[]',
       checked_at = null, filenode = pg_relation_filenode(j.table_oid) where id = p_id;
  if j.mode = 'online' then
    execute format('delete from partition_archiver_shadow.applied_%s', p_id);
  end if;
end
$$;

-- Where a range ends that has about p_bytes; null where nothing is left after it. PreflightFailed where a
-- single value has more than p_largest.
create or replace function partition_archiver.end_of_range(j partition_archiver.partition_job,
  p_bytes bigint, p_largest bigint) returns text
  language plpgsql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
    set row_security = off
  set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_table text := format('%I.%I', j.table_schema, j.table_name);
  v_rows_a_byte numeric;
  v_end text;
  v_too_large boolean;
begin
  -- By the shadow table, which was analysed after the copy; the table may never have been.
  select sum(c.reltuples::numeric) / greatest(sum(pg_table_size(c.oid)), 1) into v_rows_a_byte
    from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = j.shadow_oid
      and c.reltuples > 0;
  execute format('select r.%1$I::text from only %2$s r%3$s order by r.%1$I offset %4$s limit 1',
    j.control_column, v_table,
    ' where ' || partition_archiver.within_range(j, j.compared_to, null),
      greatest(1, coalesce(p_bytes * v_rows_a_byte, 10000)::bigint)) into v_end;
  if v_end = j.compared_to then
    -- So many rows have one value: they are one range, which has to be read in one snapshot.
    execute format('select exists (select from only %2$s r where r.%1$I = %3$L offset %4$s)',
      j.control_column, v_table,
      j.compared_to, coalesce(p_largest * v_rows_a_byte, 1000000000)::bigint) into v_too_large;
    if v_too_large then
      raise exception 'one value of its column % stands in more than % of rows, which no step can compare '
        'in its time: continue with the command partition-table and the same options, which has no such '
        'limit',
        quote_ident(j.control_column), pg_size_pretty(p_largest) using errcode = 'PA010'; -- PreflightFailed
    end if;
    execute format('select min(r.%1$I)::text from only %2$s r where r.%1$I > %3$L', j.control_column,
      v_table, j.compared_to) into v_end;
  end if;
  return v_end;
end
$$;

-- The condition on a row r to lie in a range: from p_from on, below p_to; null for no end.
create or replace function partition_archiver.within_range(j partition_archiver.partition_job, p_from text,
  p_to text) returns text
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  return (
    select coalesce(string_agg(c, ' and '), 'true')
      from (select format('r.%I %s %L::%s', j.control_column, e.operator, e.value,
        format_type(a.atttypid, null)) as c
              from (values ('>=', p_from), ('<', p_to)) as e (operator, value)
              join pg_attribute a on a.attrelid = j.table_oid and a.attname = j.control_column
             where e.value is not null) x);

-- The range to compare next, and the two queries to compare in one snapshot: each row with the number of its
-- partition in front (-1: the default partition, or none), without those that changed and were not taken over
-- yet. p_bytes: about so much at once, null for all that is left. PreflightFailed where there is more than
-- p_largest, and no index to read a part of it.
create or replace function partition_archiver.range_to_compare(p_id bigint, p_bytes bigint, p_largest bigint)
  returns jsonb
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC'
    set datestyle = 'ISO, YMD' as $$
declare
  j partition_archiver.partition_job := partition_archiver.claim_partition_job(p_id, 'copied');
  -- Stored generated columns, too: their expression may give other values by now.
  v_columns text := (select string_agg(format('r.%I', attname), ', ' order by attnum) from pg_attribute
    where attrelid = j.table_oid and attnum > 0 and not attisdropped and attgenerated in ('', 's'));
  v_type text := (select format_type(atttypid, null) from pg_attribute where attrelid = j.table_oid
    and attname = j.control_column);
  v_problem text := partition_archiver.large_scan_problem(j.table_oid, j.control_column, p_largest);
  v_to text;
  v_where text;
  v_partitions jsonb;
  v_lowers text;
  v_values text;
  v_outside text;
begin
  if v_problem is not null then
    raise exception '%', v_problem using errcode = 'PA010'; -- PreflightFailed
  end if;
  if pg_relation_filenode(j.table_oid) <> j.filenode then
    -- Rewritten. ALTER COLUMN TYPE … USING may have changed rows, and fires no trigger.
    perform partition_archiver.begin_comparison(p_id);
    select * into j from partition_archiver.partition_job where id = p_id;
  end if;
  if p_bytes is not null and partition_archiver.has_control_index(j.table_oid, j.control_column) then
    v_to := partition_archiver.end_of_range(j, p_bytes, p_largest);
  end if;
  v_where := ' where ' || partition_archiver.within_range(j, j.compared_to, v_to);
  if j.mode = 'online' then
    v_where := v_where || format(' and not exists (select from partition_archiver_shadow.changelog_%s k '
      'where %s)', p_id,
      partition_archiver.join_on(j, 'r', 'k'));
  end if;
  select jsonb_agg(x.name order by x.n), format('array[%s]::%s[]',
    string_agg(quote_literal(x.lower), ', ' order by x.n), v_type),
         string_agg(format('(%s::oid, %s)', x.oid, x.n), ', ' order by x.n),
         format('r.%1$I < %2$L::%4$s or r.%1$I >= %3$L::%4$s', j.control_column,
           (array_agg(x.lower order by x.n))[1],
           (array_agg(x.upper order by x.n desc))[1], v_type)
    into v_partitions, v_lowers, v_values, v_outside
    from (select c.oid, c.relname as name, e.ends[1] as lower, e.ends[2] as upper,
                 row_number() over (order by case when v_type in ('smallint', 'integer',
                   'bigint') then e.ends[1]::numeric end,
                                             case when v_type not in ('smallint', 'integer',
                                               'bigint') then e.ends[1]::timestamptz end) as n
            from pg_inherits i join pg_class c on c.oid = i.inhrelid
            cross join lateral (select regexp_match(pg_get_expr(c.relpartbound, c.oid),
              '^FOR VALUES FROM \(''?([^'']+?)''?\) TO \(''?([^'']+?)''?\)$') as ends) e
           where i.inhparent = j.shadow_oid and e.ends is not null) x;
  return jsonb_build_object('check', j.check_number, 'from', j.compared_to, 'to', v_to, 'checked',
    coalesce(j.checked, '[]'),
    'partitions', v_partitions,
    'source', format('select case when %6$s then -1 else width_bucket(r.%1$I, %2$s) end, %3$s from only '
      '%4$I.%5$I r%7$s',
      j.control_column, v_lowers, v_columns, j.table_schema, j.table_name, v_outside, v_where),
    'shadow', format('select coalesce(b.n, -1), %3$s from partition_archiver_shadow.%1$I r left join '
      '(values %2$s) b (partition_oid, n) on b.partition_oid = r.tableoid%4$s',
      j.table_name, v_values, v_columns, v_where));
end
$$;

-- Records that table and shadow table have the same contents in a range, and the sums until there:
-- [{partition, rows, bytes, lineHashSum}]. The comparison is over where the range has no end. StateConflict
-- where another session compared meanwhile.
create or replace function partition_archiver.record_compared(p_id bigint, p_check integer, p_from text,
  p_to text, p_checked jsonb) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  j partition_archiver.partition_job := partition_archiver.claim_partition_job(p_id, 'copied');
begin
  if j.check_number <> p_check or j.compared_to is distinct from p_from then
    raise exception 'another session compares partitioning % at the same time', p_id
      using errcode = 'PA001'; -- StateConflict
  end if;
  if pg_relation_filenode(j.table_oid) <> j.filenode then
    raise exception '%.% was rewritten while it was compared: compare again', j.table_schema, j.table_name
      using errcode = 'PA001'; -- StateConflict
  end if;
  update partition_archiver.partition_job
     set checked = p_checked, compared_to = p_to,
       state = case when p_to is null then 'checked' else 'copied' end,
         checked_at = case when p_to is null then clock_timestamp() end
   where id = p_id;
end
$$;

reset role;
