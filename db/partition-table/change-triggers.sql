-- Partition-table: the triggers on the table, by which its changes are followed.

set role archiver_owner;

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
    -- With a prefix, since a key may have a column of any other name.
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
