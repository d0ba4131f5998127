-- Partition-table: rows are taken over block by block, and those that changed meanwhile by their keys.

set role archiver_owner;

-- A join of two by the columns of the key, which are equal where the index of the key finds them equal. The
-- operator that is found by its name here is another one for types of extensions: it compares citext as text,
-- and there is none for ltree.
create or replace function partition_archiver.join_on(j partition_archiver.partition_job, p_left text,
  p_right text) returns text
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  return (
    select string_agg(format('%s.%I operator(%s) %s.%I', p_left, k.name, e.operator, p_right, k.name),
      ' and ' order by k.n)
      from unnest(j.key_columns) with ordinality as k (name, n)
      -- Without one, the statement is none.
      left join lateral (
       select format('%I.%s', s.nspname, o.oprname) as operator
         from pg_index i cross join unnest(i.indkey::int2[], i.indclass::oid[]) as x (attnum, opclass)
         join pg_attribute a on a.attrelid = i.indrelid and a.attnum = x.attnum and a.attname = k.name
         join pg_opclass c on c.oid = x.opclass
         join pg_amop m on m.amopfamily = c.opcfamily and m.amoplefttype = c.opcintype
           and m.amoprighttype = c.opcintype and m.amopstrategy = 3
         join pg_operator o on o.oid = m.amopopr join pg_namespace s on s.oid = o.oprnamespace
        where i.indrelid = j.table_oid and i.indisunique and i.indimmediate
        order by i.indisprimary desc, i.indexrelid limit 1) e on true);

-- The columns with data, each with an alias in front: a join brings other columns, whose names may be the
-- same.
create or replace function partition_archiver.columns_of(p_table oid, p_alias text) returns text
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  return (select string_agg(format('%s.%I', p_alias, attname), ', ' order by attnum) from pg_attribute
           where attrelid = p_table and attnum > 0 and not attisdropped and attgenerated = '');

-- The shadow table has its partitions: from here on changes of the table are followed, and rows are taken
-- over. The lock lets readers by; it waits for those who write. PreflightFailed where the names of partitions
-- are taken.
create or replace function partition_archiver.begin_copy(p_id bigint) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off set timezone = 'UTC'
    set datestyle = 'ISO, YMD' as $$
declare
  j partition_archiver.partition_job := partition_archiver.claim_partition_job(p_id, 'begun');
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'transaction isolation is %', current_setting('transaction_isolation')
      using errcode = 'PA001'; -- StateConflict
  end if;
  perform partition_archiver.refuse_taken_names(j);
  if not exists (select from pg_inherits where inhparent = j.shadow_oid) then
    raise exception 'the new table has no partitions yet' using errcode = 'PA001'; -- StateConflict
  end if;
  perform partition_archiver.wait_for_autovacuum_of_job(j);
  perform partition_archiver.set_lock_timeout();
  execute format('lock table only %I.%I in share row exclusive mode', j.table_schema, j.table_name);
  -- What changed while this waited.
  j := partition_archiver.claim_partition_job(p_id, 'begun');
  if j.trigger_state is null then
    perform partition_archiver.create_change_triggers(p_id, j.table_oid, j.key_columns);
  end if;
  update partition_archiver.partition_job
     set state = 'copying', next_block = 0, filenode = pg_relation_filenode(j.table_oid),
         end_block = pg_relation_size(j.table_oid) / current_setting('block_size')::bigint
   where id = p_id;
end
$$;

-- Takes the rows of some blocks over. Rows that changed since the trigger is there come again by their keys.
-- Returns how many blocks are left.
create or replace function partition_archiver.copy_blocks(p_id bigint, p_blocks bigint) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
    set row_security = off as $$
declare
  j partition_archiver.partition_job := partition_archiver.claim_partition_job(p_id, 'copying');
  v_columns text := partition_archiver.column_list(j.table_oid);
  v_source text := format('%I.%I', j.table_schema, j.table_name);
  v_end bigint;
begin
  execute format('lock table only %s in access share mode', v_source);
  if pg_relation_filenode(j.table_oid) <> j.filenode then
    -- VACUUM FULL, CLUSTER or a rewrite moved every row: begin again.
    execute format('truncate partition_archiver_shadow.%I', j.table_name);
    update partition_archiver.partition_job set next_block = 0, filenode = pg_relation_filenode(j.table_oid),
           end_block = pg_relation_size(j.table_oid) / current_setting('block_size')::bigint
     where id = p_id returning * into j;
  end if;
  v_end := least(j.next_block + p_blocks, j.end_block);
  if j.next_block < j.end_block then
    execute format($copy$insert into partition_archiver_shadow.%1$I (%2$s) overriding system value
        select %2$s from only %3$s where ctid >= %4$L::tid and ctid < %5$L::tid %6$s$copy$,
      j.table_name, v_columns, v_source, format('(%s,0)', j.next_block), format('(%s,0)', v_end),
      case j.mode when 'online' then 'on conflict do nothing' end);
  end if;
  update partition_archiver.partition_job
    set next_block = v_end, state = case when v_end >= j.end_block then 'copied' else state end
    where id = p_id;
  return j.end_block - v_end;
end
$$;

-- Takes the rows over again that changed. Returns how many. In one snapshot (REPEATABLE READ, or under the
-- lock of the swap): then what was taken over is what the table had at that moment, and no unique key of the
-- shadow table can be in the way. Also between two rounds of copying, so that what changed never piles up: a
-- row that was taken over already is passed over by the copy.
create or replace function partition_archiver.apply_changes(p_id bigint) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
    set row_security = off as $$
declare
  j partition_archiver.partition_job := partition_archiver.claim_partition_job(p_id, 'copying', 'copied',
    'checked');
  v_columns text := partition_archiver.column_list(j.table_oid);
  v_keys text := (select string_agg(quote_ident(k), ', ' order by n)
    from unnest(j.key_columns) with ordinality as u (k, n));
  v_batch bigint;
  v_taken bigint;
begin
  if j.mode = 'offline' then
    return 0;
  end if;
  execute format('select coalesce(max(partition_archiver_batch), 0) + 1 from '
    'partition_archiver_shadow.applied_%s', p_id) into v_batch;
  execute format($take$
    with gone as (delete from partition_archiver_shadow.changelog_%1$s returning %2$s)
    insert into partition_archiver_shadow.applied_%1$s (%2$s, partition_archiver_batch)
      select distinct %2$s, %3$s from gone
      on conflict (%2$s) do update set partition_archiver_batch = excluded.partition_archiver_batch$take$,
    p_id, v_keys, v_batch);
  get diagnostics v_taken = row_count;
  if v_taken > 0 then
    execute format('delete from partition_archiver_shadow.%I t using partition_archiver_shadow.applied_%s k '
      'where k.partition_archiver_batch = %s and %s',
      j.table_name, p_id, v_batch, partition_archiver.join_on(j, 't', 'k'));
    execute format('insert into partition_archiver_shadow.%1$I (%2$s) overriding system value select %3$s '
      'from only %4$I.%5$I s join partition_archiver_shadow.applied_%6$s k on k.partition_archiver_batch = '
      '%7$s and %8$s',
      j.table_name, v_columns, partition_archiver.columns_of(j.table_oid, 's'),
      j.table_schema, j.table_name, p_id, v_batch, partition_archiver.join_on(j, 's', 'k'));
  end if;
  return v_taken;
end
$$;

-- How many of the rows that were taken over again differ between table and shadow table, and are not waiting
-- to be taken over once more.
create or replace function partition_archiver.differences_since_check(p_id bigint) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
    set row_security = off
  set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' set extra_float_digits = 1
    set bytea_output = 'hex' as $$
declare
  j partition_archiver.partition_job;
  v_count bigint;
begin
  select * into j from partition_archiver.partition_job where id = p_id;
  if j.mode = 'offline' then
    return 0;
  end if;
  execute format($compare$
    with old as (select (s.*)::text as line from only %1$I.%2$I s
                   join partition_archiver_shadow.applied_%3$s k on %4$s
                  where not exists (select from partition_archiver_shadow.changelog_%3$s p where %5$s)),
         new as (select (t.*)::text as line from partition_archiver_shadow.%2$I t
                   join partition_archiver_shadow.applied_%3$s k on %6$s
                  where not exists (select from partition_archiver_shadow.changelog_%3$s p where %5$s))
    select count(*)
      from ((table old except all table new) union all (table new except all table old)) d$compare$,
    j.table_schema, j.table_name, p_id, partition_archiver.join_on(j, 's', 'k'),
      partition_archiver.join_on(j, 'k', 'p'),
    partition_archiver.join_on(j, 't', 'k')) into v_count;
  return v_count;
end
$$;

-- Compares what was taken over again, and forgets it where it is the same. In one snapshot (REPEATABLE READ).
-- A row that changes later is written down again; one that does not was compared now, whichever range of the
-- comparison it lies in.
create or replace function partition_archiver.verify_applied(p_id bigint) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  j partition_archiver.partition_job := partition_archiver.claim_partition_job(p_id, 'copied', 'checked');
  v_count bigint := partition_archiver.differences_since_check(p_id);
begin
  if v_count = 0 and j.mode = 'online' then
    execute format('delete from partition_archiver_shadow.applied_%s', p_id);
  end if;
  return v_count;
end
$$;

reset role;
