-- What an operator does with a partition that no run works on: resume or release it.

set role archiver_owner;

-- Returns a restored, released or blocked partition to the pipeline: it continues in the state that it was
-- blocked in, or the next run archives it again. Returns the state it is in now; safe to call again.
create or replace function partition_archiver.resume(p_id bigint) returns text
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'attached', 'detached', 'quarantined',
    'exported', 'verified', 'restored', 'released', 'blocked');
  v_parent oid;
  v_state text;
begin
  case l.state
    when 'attached', 'detached' then
      return l.state;
    when 'blocked' then
      return partition_archiver.unblock(p_id);
    when 'restored', 'released' then
      if to_regclass(format('%I.%I', l.table_schema, l.table_name))::oid is distinct from l.table_oid then
        raise exception 'table %.% is gone, renamed or another one', l.table_schema, l.table_name
          using errcode = 'PA002'; -- IdentityChanged
      end if;
      -- The pipeline goes by the parent: without it no run would ever look at this row.
      v_parent := to_regclass(format('%I.%I', l.parent_schema, l.parent_name))::oid;
      if not exists (select from partition_archiver.partition_set(v_parent)) then
        raise exception '%.% is no partition set in this database, so there is no pipeline to go back to',
          l.parent_schema, l.parent_name
          using errcode = 'PA004'; -- PartitionRefused
      end if;
      v_state := case when exists (select from pg_inherits where inhrelid = l.table_oid) then 'attached'
        else 'detached' end;
      update partition_archiver.partition set state = v_state, parent_oid = v_parent where id = p_id;
      return v_state;
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
