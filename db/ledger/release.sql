-- What an operator does with a partition that no run works on: resume or release it.

set role archiver_owner;

-- The time zone of the bounds of a set: that of the last inventory. Null where there was none.
create or replace function partition_archiver.time_zone_of_set(p_parent oid) returns text
  language sql stable set search_path = pg_catalog, pg_temp
  return (select l.time_zone from partition_archiver.partition l
           where l.parent_oid = p_parent and l.time_zone is not null
             and l.system_identifier = partition_archiver.system_identifier()
             and l.database_name = current_database()
           order by l.last_attached_at desc nulls last, l.id desc limit 1);

-- A detached partition with the times and the time zone that the retention of its set is compared with.
-- PartitionRefused where the set, a row of partition_set(), is not one that such a partition could be of.
create or replace function partition_archiver.with_times_of_set(l partition_archiver.partition, p_set record)
  returns partition_archiver.partition
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if (l.control_column, l.control_kind) is distinct from (p_set.control_column, p_set.control_kind) then
    raise exception 'it was partitioned by % (by %), and %.% is partitioned by % (by %)', l.control_column,
      l.control_kind, l.parent_schema, l.parent_name, p_set.control_column,
      coalesce(p_set.control_kind, 'neither time nor id')
      using errcode = 'PA004'; -- PartitionRefused
  end if;
  l.time_zone := coalesce(l.time_zone, partition_archiver.time_zone_of_set(p_set.parent_oid));
  if l.control_kind = 'id' then
    return l;
  end if;
  if l.time_zone is null then
    raise exception 'the time zone of its bounds is not known before the first inventory of %.%',
      l.parent_schema, l.parent_name
      using errcode = 'PA004'; -- PartitionRefused
  end if;
  -- A table that was restored while its parent was no such partition set has none.
  if l.upper_time is null then
    select b.lower_time, b.upper_time into l.lower_time, l.upper_time
      from partition_archiver.bound_times(l.lower_bound, l.upper_bound, p_set.control_type, p_set.epoch,
        l.time_zone, l.period) b;
    if l.upper_time is null then
      raise exception 'its bounds, % to %, are not those of the period % in %.% (% of type %, epoch %, time '
        'zone %)', l.lower_bound, l.upper_bound, l.period, l.parent_schema, l.parent_name,
        l.control_column, p_set.control_type, p_set.epoch, l.time_zone
        using errcode = 'PA004'; -- PartitionRefused
    end if;
  end if;
  return l;
end
$$;

-- Returns a restored, released or blocked partition to the pipeline: it continues in the state that it was
-- blocked in, or the next run archives it again. Returns the state it is in now; safe to call again.
create or replace function partition_archiver.resume(p_id bigint) returns text
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'attached', 'detached', 'quarantined',
    'exported', 'verified', 'restored', 'released', 'blocked');
  v_parent oid;
  v_set record;
  v_schema name;
  v_attached_to oid;
begin
  case l.state
    when 'attached', 'detached' then
      return l.state;
    when 'blocked' then
      return partition_archiver.unblock(p_id);
    when 'restored', 'released' then
      v_parent := to_regclass(format('%I.%I', l.parent_schema, l.parent_name))::oid;
      select * into v_set from partition_archiver.partition_set(v_parent);
      -- Where it was attached, the maintenance of its set may have moved it.
      select n.nspname into v_schema from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.oid = l.table_oid and c.relname = l.table_name
         and n.nspname in (l.table_schema, v_set.retention_schema);
      if not found then
        raise exception 'table %.% is gone, renamed or another one', l.table_schema, l.table_name
          using errcode = 'PA002'; -- IdentityChanged
      end if;
      -- The pipeline goes by the parent: without it no run would ever look at this row.
      if v_set.parent_oid is null then
        raise exception '%.% is no partition set in this database, so there is no pipeline to go back to',
          l.parent_schema, l.parent_name
          using errcode = 'PA004'; -- PartitionRefused
      end if;
      select inhparent into v_attached_to from pg_inherits where inhrelid = l.table_oid;
      if v_attached_to <> v_parent then
        raise exception '%.% is attached to %, and the ledger has it as a partition of %.%', v_schema,
          l.table_name, v_attached_to::regclass, l.parent_schema, l.parent_name
          using errcode = 'PA004'; -- PartitionRefused
      end if;
      -- Of an attached one, the next inventory records the bounds that it has there.
      if v_attached_to is null then
        l := partition_archiver.with_times_of_set(l, v_set);
      end if;
      update partition_archiver.partition
         set state = case when v_attached_to is null then 'detached' else 'attached' end,
             parent_oid = v_parent, table_schema = v_schema, time_zone = l.time_zone,
             lower_time = l.lower_time, upper_time = l.upper_time
       where id = p_id returning state into l.state;
      return l.state;
    else
      raise exception 'partition % is % and in the pipeline; to return it to its owner, release it', p_id,
        l.state using errcode = 'PA001'; -- StateConflict
  end case;
end
$$;

-- Returns a table in quarantine to its owner: an ordinary table with its own schema, name, owner and rights,
-- which no run touches. p_owner gives it to another owner. Returns the state it is in now; safe to call
-- again.
create or replace function partition_archiver.release(p_id bigint, p_owner name default null) returns text
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'attached', 'detached', 'quarantined',
    'exported', 'verified', 'restored', 'released', 'blocked');
begin
  if l.state = 'released' then
    return l.state;
  elsif l.quarantine_name is null then
    raise exception 'partition % is %: its table is with its owner%', p_id, l.state,
      case when l.state in ('restored', 'blocked') then '; to return it to the pipeline, resume it'
        else '' end using errcode = 'PA001'; -- StateConflict
  end if;
  perform partition_archiver.return_to_owner(p_id, p_owner);
  return 'released';
end
$$;

reset role;
