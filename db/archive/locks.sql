-- Locks: the ledger row that a step works on, and tables, without standing in the application's way.

set role archiver_owner;

-- Says that a row is not in the state that a step wants: StateConflict. Null is the state of a row that is
-- not there: NotInLedger.
create or replace function partition_archiver.raise_wrong_state(p_what text, p_id bigint, p_state text,
  p_wanted text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if p_state is null then
    raise exception 'the ledger has no % %', p_what, p_id using errcode = 'PA020'; -- NotInLedger
  end if;
  raise exception '% % is %', p_what, p_id, p_state || p_wanted using errcode = 'PA001'; -- StateConflict
end
$$;

-- The ledger row, locked, if it belongs to this database and is in one of the states.
create or replace function partition_archiver.claim(p_id bigint, variadic p_states text[])
  returns partition_archiver.partition
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'transaction isolation is %, but an older snapshot cannot see what was committed while '
      'waiting for the lock',
      current_setting('transaction_isolation') using errcode = 'PA001'; -- StateConflict
  end if;
  select * into l from partition_archiver.partition where id = p_id for update;
  if not found then
    raise exception 'the ledger has no partition %', p_id using errcode = 'PA020'; -- NotInLedger
  end if;
  if l.system_identifier <> partition_archiver.system_identifier()
    or l.database_name <> current_database() then
    raise exception 'ledger row % belongs to database "%" of another system: this ledger was copied', p_id,
      l.database_name
      using errcode = 'PA002'; -- IdentityChanged
  end if;
  if l.state <> all (p_states) then
    raise exception 'partition % is %, not %', p_id, l.state, array_to_string(p_states, ' or ')
      using errcode = 'PA001'; -- StateConflict
  end if;
  return l;
end
$$;

-- Below deadlock_timeout, however short that is, so that in a cycle of waits it is this session that gives up
-- and never the application's. Not 0, which is for ever.
create or replace function partition_archiver.set_lock_timeout() returns void
  language sql volatile set search_path = pg_catalog, pg_temp
  return set_config('lock_timeout',
    (select greatest(setting::integer / 4, 1)::text from pg_settings where name = 'deadlock_timeout'), true);

-- Above deadlock_timeout, after which autovacuum gives way: for a lock that only autovacuum can stand in the
-- way of.
create or replace function partition_archiver.set_long_lock_timeout() returns void
  language sql volatile set search_path = pg_catalog, pg_temp
  return set_config('lock_timeout',
    (select (setting::integer + 500)::text from pg_settings where name = 'deadlock_timeout'), true);

-- A table and the partitions below it, without a lock: pg_partition_tree() waits for one on each of them, and
-- keeps it until the transaction ends.
create or replace function partition_archiver.tree_of(p_table oid)
  returns table (relid oid, level integer)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with recursive t (relid, level) as (
    select p_table, 0
    union all
    select i.inhrelid, t.level + 1 from t join pg_inherits i on i.inhparent = t.relid
      join pg_class c on c.oid = i.inhrelid and c.relispartition)
  select t.relid, t.level from t
$$;

-- Autovacuum gives way only to a session that has waited for deadlock_timeout, and our locks never wait as
-- long. So this waits for it first, with a lock that neither readers nor writers notice and while nothing
-- else is held that they would. The same for the TOAST table, which a change of the owner locks. It never
-- fails: what follows says why a table cannot be locked, such as one that a vacuum against wraparound holds,
-- which does not give way, or one that was dropped or belongs to another role (COMMENT has the lock before it
-- asks for the owner). Returns whether there was anything to wait for.
--
-- The rollback of the block restores the table's options and lock_timeout and releases the locks: the
-- application may wait for them while it holds what this session locks next, and PostgreSQL would cancel the
-- application.
create or replace function partition_archiver.wait_for_autovacuum(p_table oid) returns boolean
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_toast constant oid := (select reltoastrelid from pg_class where oid = p_table);
  v_vacuumed constant oid[] := array(
    select relation from pg_locks
     where locktype = 'relation' and relation in (p_table, v_toast) and granted
       and database = (select oid from pg_database where datname = current_database())
       and mode = 'ShareUpdateExclusiveLock' and pid <> pg_backend_pid());
begin
  if v_vacuumed = '{}' then
    return false;
  end if;
  perform partition_archiver.set_long_lock_timeout();
  perform partition_archiver.hold_definition(p_table);
  if v_toast = any (v_vacuumed) then
    -- Only a superuser can name that one; this locks it with the table.
    execute format('alter table %s reset (toast.autovacuum_enabled)', p_table::regclass);
  end if;
  raise exception 'autovacuum has left the table';
exception when raise_exception or lock_not_available or insufficient_privilege or undefined_table
  or invalid_schema_name or internal_error then
  return true;
end
$$;

-- The same for the default partition of a parent, and the partitions of one that is partitioned itself:
-- creating or attaching a partition locks them all against reads, detaching one locks the first. The server's
-- locks are read once for all of them.
create or replace function partition_archiver.wait_for_autovacuum_of_default(p_parent oid)
  returns boolean
  language sql volatile set search_path = pg_catalog, pg_temp
  return (select bool_or(partition_archiver.wait_for_autovacuum(t.relid))
            from pg_partitioned_table p cross join partition_archiver.tree_of(p.partdefid) t
           where p.partrelid = p_parent and t.relid in (select relation from pg_locks
             where locktype = 'relation' and mode = 'ShareUpdateExclusiveLock'));

-- Until the transaction ends, no other session makes an index or a constraint on a table; rows are read and
-- written meanwhile. By a comment on a column that never has one: LOCK TABLE asks for rights that its owner
-- may lack, and the table's own comment may be another one by the time the lock is there.
create or replace function partition_archiver.hold_definition(p_table oid) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
begin
  execute format('comment on column %s.ctid is null', p_table::regclass);
end
$$;

-- Until a deadline that all waits of a transaction share, each no longer than a quarter of deadlock_timeout.
-- At least 1 ms: 0 is for ever.
create or replace function partition_archiver.set_lock_timeout_until(p_deadline timestamptz) returns void
  language sql volatile set search_path = pg_catalog, pg_temp
  return set_config('lock_timeout',
    (select greatest(least(setting::integer / 4,
      (extract(epoch from p_deadline - clock_timestamp()) * 1000)::integer), 1)::text
       from pg_settings where name = 'deadlock_timeout'), true);

-- When all waits for locks of a transaction that begins now have to be over. A session of the application
-- that waits for one of our locks while we wait for one of its own looks for a deadlock after
-- deadlock_timeout.
create or replace function partition_archiver.lock_deadline() returns timestamptz
  language sql volatile set search_path = pg_catalog, pg_temp
  return (select clock_timestamp() + make_interval(secs => setting::integer * 3 / 4 / 1000.0)
    from pg_settings where name = 'deadlock_timeout');

-- Locks a table, and the partitions of a partitioned one, one by one and until the deadline: with LOCK
-- TABLE of the parent each partition may wait for lock_timeout, and many slow ones together wait for longer
-- than deadlock_timeout. A table that the role may not lock is left for the statement that needs it.
create or replace function partition_archiver.lock_tree(p_table oid, p_mode text, p_deadline timestamptz)
  returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_name text;
begin
  for v_name in
    select format('%I.%I', n.nspname, c.relname)
      from partition_archiver.tree_of(p_table) t
      join pg_class c on c.oid = t.relid join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and has_table_privilege(c.oid, 'update, delete, truncate')
     order by t.level, c.oid
  loop
    perform partition_archiver.set_lock_timeout_until(p_deadline);
    begin
      execute format('lock table only %s in %s mode', v_name, p_mode);
    exception when insufficient_privilege or undefined_table or invalid_schema_name then
      null;
    end;
  end loop;
  perform partition_archiver.set_lock_timeout_until(p_deadline);
end
$$;

-- Locks the tables that a table references, in the application's order: a delete there locks the referenced
-- table first and comes to the partition by cascade. Making, moving and dropping foreign keys needs these
-- locks anyway; asked for last, they close a circle with every such delete, and under a steady stream of them
-- no quarantine, no maintenance and no attach ever succeeded. Dropping a foreign key needs ACCESS EXCLUSIVE,
-- making one SHARE ROW EXCLUSIVE.
create or replace function partition_archiver.lock_referenced(
    p_table oid, p_mode text default 'access exclusive', p_deadline timestamptz default null) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_deadline constant timestamptz := coalesce(p_deadline, partition_archiver.lock_deadline());
  v_referenced oid;
begin
  perform partition_archiver.set_lock_timeout_until(v_deadline);
  for v_referenced in
    select c.oid
      from (select distinct k.confrelid from pg_constraint k
             where k.conrelid = p_table and k.contype = 'f' and k.confrelid <> p_table
               and not exists (select from pg_constraint r where r.oid = k.conparentid
                 and r.conrelid = k.conrelid)) k
      join pg_class c on c.oid = k.confrelid join pg_namespace n on n.oid = c.relnamespace
     order by n.nspname, c.relname
  loop
    perform partition_archiver.lock_tree(v_referenced, p_mode, v_deadline);
  end loop;
end
$$;

-- Locks the tables whose foreign keys refer to a partitioned table: what detaches or attaches a partition of
-- it looks into them. Before the table itself, as an insert there does.
create or replace function partition_archiver.lock_referencing(p_table oid, p_deadline timestamptz)
  returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_referencing oid;
begin
  for v_referencing in
    select c.oid
      from (select distinct k.conrelid from pg_constraint k
             where k.confrelid = p_table and k.contype = 'f' and k.conparentid = 0
               and k.conrelid <> p_table) k
      join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
     order by n.nspname, c.relname
  loop
    perform partition_archiver.lock_tree(v_referencing, 'share', p_deadline);
  end loop;
end
$$;

reset role;
