-- Locks: the ledger row that a step works on, and tables, without standing in the application's way.

set role archive_owner;

-- Says that a row is not in the state that a step wants: PA001. Null is the state of a row that is not there: PA020.
create or replace function partition_archiver.refuse_state(p_what text, p_id bigint, p_state text, p_wanted text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% % is %', p_what, p_id, coalesce(p_state, 'unknown') || p_wanted
    using errcode = case when p_state is null then 'PA020' else 'PA001' end;
end
$$;

-- The ledger row, locked, if it belongs to this database and is in one of the states.
create or replace function partition_archiver.claim(p_id bigint, variadic p_states text[]) returns partition_archiver.partition
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'transaction isolation is %, but an older snapshot cannot see what was committed while waiting for the lock',
      current_setting('transaction_isolation') using errcode = 'PA001';
  end if;
  select * into l from partition_archiver.partition where id = p_id for update;
  if not found then
    raise exception 'the ledger has no partition %', p_id using errcode = 'PA020';
  end if;
  if l.system_identifier <> partition_archiver.this_system() or l.database_name <> current_database() then
    raise exception 'ledger row % belongs to database "%" of another system: this ledger was copied', p_id, l.database_name
      using errcode = 'PA002';
  end if;
  if l.state <> all (p_states) then
    raise exception 'partition % is %, not %', p_id, l.state, array_to_string(p_states, ' or ') using errcode = 'PA001';
  end if;
  return l;
end
$$;

-- Below deadlock_timeout, however short that is, so that in a cycle of waits it is this session that gives up and never the
-- application's. Not 0, which is for ever.
create or replace function partition_archiver.set_lock_timeout() returns void
  language sql volatile set search_path = pg_catalog, pg_temp
  return set_config('lock_timeout',
    (select greatest(setting::integer / 4, 1)::text from pg_settings where name = 'deadlock_timeout'), true);

-- Above deadlock_timeout, after which autovacuum gives way: for a lock that only autovacuum can stand in the way of.
create or replace function partition_archiver.set_long_lock_timeout() returns void
  language sql volatile set search_path = pg_catalog, pg_temp
  return set_config('lock_timeout',
    (select (setting::integer + 500)::text from pg_settings where name = 'deadlock_timeout'), true);

-- Autovacuum gives way only to a session that has waited for deadlock_timeout, and our locks never wait as long. So this
-- waits for it first, in a transaction of its own, with a lock that neither readers nor writers notice and while nothing
-- else is held. A vacuum against wraparound does not give way. Answers whether there was anything to wait for.
create or replace function partition_archiver.make_way(p_table oid) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from pg_locks where locktype = 'relation' and relation = p_table and granted
                    and database = (select oid from pg_database where datname = current_database())
                    and mode = 'ShareUpdateExclusiveLock' and pid <> pg_backend_pid()) then
    return false;
  end if;
  perform partition_archiver.set_long_lock_timeout();
  execute format('lock table only %s in share update exclusive mode', p_table::regclass);
  return true;
end
$$;

-- Locks the tables that a partition references, in the application's order: a delete there locks the referenced table
-- first and comes to the partition by cascade. Dropping the foreign keys needs these locks anyway; asked for last, they
-- close a circle with every such delete, and under a steady stream of them no quarantine ever succeeded (80 of 80 tries).
-- All waits together, that for the partition included, stay below deadlock_timeout: lock_timeout is set for it. A table that archive_owner may not
-- lock is left for DROP CONSTRAINT.
create or replace function partition_archiver.lock_referenced(p_table oid) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_names text[] := array(
    select distinct format('%s%I.%I', case c.relkind when 'p' then '' else 'only ' end, n.nspname, c.relname)
      from pg_constraint k join pg_class c on c.oid = k.confrelid join pg_namespace n on n.oid = c.relnamespace
     where k.conrelid = p_table and k.contype = 'f' and k.conparentid = 0 and k.confrelid <> p_table
       and has_table_privilege(c.oid, 'update, delete, truncate')
     order by 1);
  v_name text;
begin
  perform set_config('lock_timeout', greatest(least(setting::integer / 4, setting::integer * 3 / 4 / (cardinality(v_names) + 1)), 1)::text, true)
     from pg_settings where name = 'deadlock_timeout';
  foreach v_name in array v_names loop
    begin
      execute format('lock table %s in access exclusive mode', v_name);
    exception when insufficient_privilege or undefined_table then
      null;
    end;
  end loop;
end
$$;

reset role;
