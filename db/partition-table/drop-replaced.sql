-- Partition-table, much later: the table that was replaced is dropped.

set role archiver_owner;

-- Drops the table that was replaced, if it and its place are unchanged since.
create or replace function partition_archiver.drop_replaced(p_id bigint) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  j partition_archiver.partition_job;
  v_dependents text[];
begin
  select * into j from partition_archiver.partition_job where id = p_id for update;
  if not found or j.state not in ('swapped', 'dropped') then
    perform partition_archiver.raise_wrong_state('partitioning', p_id, j.state, ', not swapped');
  end if;
  if j.state = 'dropped' then
    return;
  end if;
  if j.system_identifier = partition_archiver.system_identifier() and j.database_name = current_database()
     and not exists (select from pg_class where oid = j.table_oid) then
    -- Dropped by hand.
    update partition_archiver.partition_job set state = 'dropped', ended_at = clock_timestamp()
      where id = p_id;
    return;
  end if;
  if j.system_identifier <> partition_archiver.system_identifier() or j.database_name <> current_database()
     or to_regclass(format('partition_archiver_replaced.%I', j.table_name))::oid is distinct from j.table_oid
     or to_regclass(format('%I.%I', j.table_schema, j.table_name))::oid is distinct from j.shadow_oid
     or not exists (select from pg_class where oid = j.shadow_oid and relkind = 'p') then
    raise exception 'the table that was replaced, or the one in its place, is gone or another one'
      using errcode = 'PA002'; -- IdentityChanged
  end if;
  perform partition_archiver.wait_for_autovacuum(j.table_oid);
  -- Before the fence is looked at, and it cannot be altered afterwards.
  perform partition_archiver.set_lock_timeout();
  execute format('lock table only partition_archiver_replaced.%I in access exclusive mode', j.table_name);
  if j.trigger_state is null then
    raise exception 'the server was upgraded, and nothing shows whether the fence of '
      'partition_archiver_replaced.% was altered before: look for rows that were written there, and drop it '
      'yourself', j.table_name using errcode = 'PA003'; -- SealBroken
  end if;
  if partition_archiver.trigger_state(j.table_oid) is distinct from j.trigger_state
     or (select count(*) from pg_trigger where tgrelid = j.table_oid
       and tgname like 'partition\_archiver\_fence\_%' and tgenabled = 'A') <> 2 then
    raise exception 'the fence of partition_archiver_replaced.% was altered: look for rows that were written '
      'there since, and drop it yourself', j.table_name using errcode = 'PA003'; -- SealBroken
  end if;
  v_dependents := partition_archiver.dependents_of(j.table_oid);
  if v_dependents is not null then
    raise exception '% depends on the table that was replaced', array_to_string(v_dependents, ', ')
      using errcode = 'PA006'; -- HasDependents
  end if;
  execute format('drop table partition_archiver_replaced.%I restrict', j.table_name);
  update partition_archiver.partition_job set state = 'dropped', ended_at = clock_timestamp() where id = p_id;
end
$$;

reset role;
