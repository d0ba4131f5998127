-- Partition-table: the rollback before the swap.

set role archiver_owner;

-- Takes what watches the table away again.
create or replace function partition_archiver.drop_change_triggers(p_id bigint, p_table oid) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set client_min_messages = warning as $$
begin
  if exists (select from pg_class where oid = p_table) then
    execute format('drop trigger if exists partition_archiver_job_row on %s', p_table::regclass);
    execute format('drop trigger if exists partition_archiver_job_truncate on %s', p_table::regclass);
  end if;
  execute format('drop function if exists partition_archiver_shadow.log_change_%s()', p_id);
  execute format('drop table if exists partition_archiver_shadow.changelog_%1$s, '
    'partition_archiver_shadow.applied_%1$s', p_id);
end
$$;

-- Drops the change triggers, and some of the shadow table's partitions: dropping all of them at once
-- may need more locks than the server has. Returns how many are left. After this the job can only be
-- rolled back.
create or replace function partition_archiver.cancel_partition_job(p_id bigint, p_partitions bigint)
  returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  j partition_archiver.partition_job;
  v_partitions text;
begin
  select * into j from partition_archiver.partition_job where id = p_id for update;
  if not found or j.state not in ('begun', 'copying', 'copied', 'checked', 'rolled back') then
    perform partition_archiver.raise_wrong_state('partitioning', p_id, j.state,
      ': there is nothing to roll back');
  end if;
  if j.state = 'rolled back' then
    return 0;
  end if;
  perform partition_archiver.wait_for_autovacuum_of_job(j);
  -- In the application's order: those that a foreign key of the shadow table refers to come first.
  if exists (select from pg_class where oid = j.shadow_oid) then
    perform partition_archiver.lock_referenced(j.shadow_oid);
  else
    perform partition_archiver.set_lock_timeout();
  end if;
  if j.trigger_state is not null then
    perform partition_archiver.drop_change_triggers(p_id, j.table_oid);
    update partition_archiver.partition_job set trigger_state = null where id = p_id;
  end if;
  select string_agg(format('partition_archiver_shadow.%I', relname), ', ') into v_partitions
    from (select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = j.shadow_oid
             and c.relnamespace = 'partition_archiver_shadow'::regnamespace limit p_partitions) x;
  if v_partitions is not null then
    execute 'drop table ' || v_partitions;
  end if;
  return (select count(*) from pg_inherits where inhparent = j.shadow_oid);
end
$$;

-- Rolls back before the swap: the table is as it was, the shadow table is gone.
create or replace function partition_archiver.roll_back_partition_job(p_id bigint) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  j partition_archiver.partition_job;
  v_partman name := partition_archiver.partman_schema();
  v_template text;
begin
  perform partition_archiver.cancel_partition_job(p_id, 0);
  select * into j from partition_archiver.partition_job where id = p_id;
  if j.state = 'rolled back' then
    return;
  end if;
  -- Without pg_partman, its configuration is gone, too.
  if v_partman is not null then
    execute format('delete from %I.part_config where parent_table = %L returning template_table', v_partman,
      'partition_archiver_shadow.' || j.table_name) into v_template;
  end if;
  if to_regclass(format('partition_archiver_shadow.%I', j.table_name))::oid = j.shadow_oid then
    execute format('drop table partition_archiver_shadow.%I', j.table_name);
  end if;
  if v_template is not null then
    execute format('drop table if exists %I.%I', split_part(v_template, '.', 1),
      substr(v_template, strpos(v_template, '.') + 1));
  end if;
  update partition_archiver.partition_job set state = 'rolled back', ended_at = clock_timestamp()
    where id = p_id;
end
$$;

reset role;
