-- Quarantine: a detached partition is moved into partition_archive behind a fence that refuses every write, before
-- anything is exported. From then on its contents cannot change, so a retried export writes the same bytes.

set role archive_owner;

-- The fence. ENABLE ALWAYS, so that it also fires under session_replication_role = replica, and at row level, since the
-- apply worker of logical replication fires no statement triggers.
create or replace function partition_archiver.refuse_write() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'partition "%" is being archived and takes no more writes', tg_table_name
    using errcode = 'PA012',
          hint = 'The table was detached from its partition set. To write to it, have it released by partition-archiver first.';
end
$$;
grant execute on function partition_archiver.refuse_write() to public;

-- The columns that hold data, as a select list: without generated ones, in order, quoted.
create or replace function partition_archiver.column_list(p_table oid) returns text
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  return (select string_agg(quote_ident(attname), ', ' order by attnum)
            from pg_attribute where attrelid = p_table and attnum > 0 and not attisdropped and attgenerated = '');

-- What depends on a table and would stop DROP ... RESTRICT: views, foreign keys, functions, columns of its row type.
create or replace function partition_archiver.dependents_of(p_table oid) returns text[]
  language sql stable set search_path = pg_catalog, pg_temp
  return (
    select array_agg(distinct x.description order by x.description) from (
      select case
               when d.classid = 'pg_rewrite'::regclass then
                 (select pg_describe_object('pg_class'::regclass, r.ev_class, 0) from pg_rewrite r
                   where r.oid = d.objid and r.ev_class <> p_table)
               when d.classid = 'pg_constraint'::regclass then
                 (select pg_describe_object(d.classid, d.objid, 0) from pg_constraint k
                   where k.oid = d.objid and k.conrelid <> p_table)
               when d.classid = 'pg_class'::regclass and d.objid = p_table then null
               when d.classid = 'pg_attrdef'::regclass then
                 (select pg_describe_object(d.classid, d.objid, 0) from pg_attrdef f
                   where f.oid = d.objid and f.adrelid <> p_table)
               when d.classid in ('pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_statistic_ext'::regclass) then null
               else pg_describe_object(d.classid, d.objid, d.objsubid) end as description
        from pg_depend d
        join (select 'pg_class'::regclass as classid, p_table as objid
              union all select 'pg_type'::regclass, t.oid from pg_type t
                where t.typrelid = p_table or t.typelem = (select reltype from pg_class where oid = p_table)) o
          on d.refclassid = o.classid and d.refobjid = o.objid
       where d.deptype = 'n') x
     where x.description is not null);

-- Why a table cannot be archived: nothing of this can be mended by trying again. Empty where it can.
create or replace function partition_archiver.refusals(p_table oid) returns text[]
  language sql stable set search_path = pg_catalog, pg_temp
  return array(
    select reason from (
      select 'it is not an ordinary table (relkind ' || c.relkind::text || ')' as reason from pg_class c
        where c.oid = p_table and c.relkind <> 'r'
      union all
      select format('it belongs to %I, of which archive_owner is not a member', pg_get_userbyid(c.relowner)) from pg_class c
        where c.oid = p_table and not pg_has_role('archive_owner', c.relowner, 'usage')
      union all
      select 'it is unlogged or temporary: after a crash it would be empty' from pg_class c
        where c.oid = p_table and c.relpersistence <> 'p'
      union all
      select 'it is attached to ' || i.inhparent::regclass::text || case when i.inhdetachpending then ', with a DETACH CONCURRENTLY pending' else '' end
        from pg_inherits i where i.inhrelid = p_table
      union all
      select 'tables inherit from it: ' || string_agg(i.inhrelid::regclass::text, ', ') from pg_inherits i
        where i.inhparent = p_table having count(*) > 0
      union all
      select 'column ' || quote_ident(a.attname) || ' holds large objects, which COPY does not carry'
        from pg_attribute a join pg_type t on t.oid = a.atttypid
        where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and t.typname = 'lo'
      union all
      select 'it has no column with data' where partition_archiver.column_list(p_table) is null
      union all
      select 'depended upon by ' || array_to_string(d, ', ') from (select partition_archiver.dependents_of(p_table) as d) x
        where d is not null
    ) r);

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
    raise exception 'the ledger has no partition %', p_id using errcode = 'PA001';
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

-- Below deadlock_timeout, so that in a cycle of waits it is this session that gives up and never the application's.
create or replace function partition_archiver.set_lock_timeout() returns void
  language sql volatile set search_path = pg_catalog, pg_temp
  return set_config('lock_timeout',
    (select greatest(setting::integer / 4, 50)::text from pg_settings where name = 'deadlock_timeout'), true);

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
  perform set_config('lock_timeout',
    (select (setting::integer + 500)::text from pg_settings where name = 'deadlock_timeout'), true);
  execute format('lock table only %s in share update exclusive mode', p_table::regclass);
  return true;
end
$$;

-- Locks the tables that a partition references, in the application's order: a delete there locks the referenced table
-- first and comes to the partition by cascade. Dropping the foreign keys needs these locks anyway; asked for last, they
-- close a circle with every such delete, and under a steady stream of them no quarantine ever succeeded (80 of 80 tries).
-- All waits together, that for the partition included, stay below deadlock_timeout. A table that archive_owner may not
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
  perform set_config('lock_timeout', greatest(least(setting::integer / 4, setting::integer * 3 / 4 / (cardinality(v_names) + 1)), 50)::text, true)
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

-- Quarantines one detached partition, plans its segments, and answers the archive id.
-- Raises PA004 where the table cannot be archived as it is, 55P03 where a lock was not to be had in time.
create or replace function partition_archiver.quarantine(p_id bigint, p_segment_bytes bigint) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'detached');
  v_name text := format('%I.%I', l.table_schema, l.table_name);
  v_archive_id uuid := gen_random_uuid();
  v_quarantine_name name;
  v_refusals text[];
  v_names jsonb;
  v_ddl jsonb;
  v_owner name;
  v_table text;
  v_object record;
begin
  perform partition_archiver.set_lock_timeout();
  perform partition_archiver.lock_referenced(l.table_oid);
  begin
    execute format('lock table only %s in access exclusive mode', v_name);
  exception when undefined_table then
    raise exception 'table % is gone or was renamed', v_name using errcode = 'PA002';
  when insufficient_privilege then
    if to_regclass(v_name) is distinct from l.table_oid::regclass then
      raise exception 'table % is another one now, which archive_owner may not lock', v_name using errcode = 'PA002';
    end if;
    -- pg_partman's background worker or somebody else's maintenance makes tables that belong to it.
    raise exception 'table % cannot be archived: %', v_name, array_to_string(partition_archiver.refusals(l.table_oid), '; ')
      using errcode = 'PA004';
  end;
  if to_regclass(v_name) is distinct from l.table_oid::regclass then
    raise exception 'table % is another one now (oid %, was %)', v_name, to_regclass(v_name)::oid, l.table_oid using errcode = 'PA002';
  end if;
  v_refusals := partition_archiver.refusals(l.table_oid);
  if v_refusals <> '{}' then
    raise exception 'table % cannot be archived: %', v_name, array_to_string(v_refusals, '; ') using errcode = 'PA004';
  end if;
  select pg_get_userbyid(relowner) into v_owner from pg_class where oid = l.table_oid;

  -- A name that carries the OID, first: pg_partman's partition_data_time writes into a detached table that still has
  -- its old name, and in the captured DDL nothing else can be taken for the table.
  v_quarantine_name := partition_archiver.name_with(l.table_name, l.table_oid);
  execute format('alter table %s rename to %I', v_name, v_quarantine_name);
  v_ddl := partition_archiver.capture_ddl(l.table_oid, l.table_schema, l.table_name);
  if v_ddl -> 'refused' <> '[]' then
    raise exception 'the DDL of table % cannot be archived: %', v_name,
      (select string_agg(r, '; ') from jsonb_array_elements_text(v_ddl -> 'refused') r) using errcode = 'PA004';
  end if;

  -- Indexes and owned sequences move along with the table; in one schema for all, their names would collide.
  select coalesce(jsonb_agg(jsonb_build_object('oid', c.oid, 'kind', c.relkind, 'name', c.relname)), '[]') into v_names
    from pg_class c
   where c.oid in (select indexrelid from pg_index where indrelid = l.table_oid)
      or c.relkind = 'S' and exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
           and d.refclassid = 'pg_class'::regclass and d.refobjid = l.table_oid and d.deptype in ('a', 'i'));
  for v_object in select * from jsonb_to_recordset(v_names) as x (oid oid, kind "char", name name) loop
    execute format('alter %s %I.%I rename to %I', case v_object.kind when 'S' then 'sequence' else 'index' end,
      l.table_schema, v_object.name, partition_archiver.name_with(v_object.name, v_object.oid));
  end loop;
  execute format('alter table %I.%I set schema partition_archive', l.table_schema, v_quarantine_name);
  v_table := format('partition_archive.%I', v_quarantine_name);

  -- A cascade from a live table would run into the fence, and the later DROP would lock that table.
  for v_object in select conname from pg_constraint where conrelid = l.table_oid and contype = 'f' and conparentid = 0 loop
    execute format('alter table %s drop constraint %I', v_table, v_object.conname);
  end loop;
  -- Row security would filter the export, or fail it.
  execute format('alter table %s disable row level security, no force row level security', v_table);
  execute format('create trigger partition_archiver_fence_row before insert or update or delete on %s
    for each row execute function partition_archiver.refuse_write()', v_table);
  execute format('create trigger partition_archiver_fence_truncate before truncate on %s
    for each statement execute function partition_archiver.refuse_write()', v_table);
  execute format('alter table %s enable always trigger partition_archiver_fence_row,
    enable always trigger partition_archiver_fence_truncate', v_table);
  -- As owner the application could alter the table and lift the fence.
  execute format('alter table %s owner to archive_owner', v_table);
  execute format('grant select on %s to archiver_read', v_table);

  update partition_archiver.partition
     set state = 'quarantined', archive_id = v_archive_id, quarantine_name = v_quarantine_name, original_owner = v_owner,
         original_names = v_names, ddl = v_ddl, seal = partition_archiver.seal_of(l.table_oid),
         column_list = partition_archiver.column_list(l.table_oid), quarantined_at = clock_timestamp(),
         failed_at = null, failed_code = null, failed_reason = null
   where id = p_id;
  insert into partition_archiver.segment (archive_id, number, first_block, next_block)
    select v_archive_id, number, first_block, next_block
      from partition_archiver.plan(l.table_oid, p_segment_bytes);
  return v_archive_id;
end
$$;

-- A name of at most 63 bytes that begins like the old one and ends with an OID.
create or replace function partition_archiver.name_with(p_name name, p_oid oid) returns name
  language sql immutable set search_path = pg_catalog, pg_temp
  return (select (left(p_name, n) || '_' || p_oid)::name
            from generate_series(63, 0, -1) n
           where octet_length(left(p_name, n) || '_' || p_oid) <= 63 order by n desc limit 1);

-- Segments of about p_segment_bytes each: heap blocks with the share of TOAST that belongs to them, from block 0,
-- the last one open-ended.
create or replace function partition_archiver.plan(p_table oid, p_segment_bytes bigint)
  returns table (number integer, first_block bigint, next_block bigint)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with size as (
    select pg_relation_size(p_table) / current_setting('block_size')::bigint as blocks, pg_table_size(p_table) as bytes),
  step as (
    select blocks, greatest(1, floor(blocks * least(1, p_segment_bytes::numeric / greatest(bytes, 1))))::bigint as per_segment
      from size),
  starts as (
    select g.first_block, row_number() over (order by g.first_block) - 1 as number
      from step, lateral generate_series(0, greatest(blocks - 1, 0), per_segment) as g (first_block))
  select s.number::integer, s.first_block, lead(s.first_block) over (order by s.first_block) from starts s
$$;

-- Whether every value of the control column lies within the recorded bounds; run after the quarantine has committed,
-- not under its lock (min and max of a large table take minutes). Answers null, or what is wrong.
create or replace function partition_archiver.check_bounds(p_id bigint) returns text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' set row_security = off as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'quarantined', 'exported');
  v_below boolean;
  v_above boolean;
  v_null boolean;
begin
  execute format('select min(%1$I) < %3$L, max(%1$I) >= %4$L from only partition_archive.%2$I',
    l.control_column, l.quarantine_name, l.lower_bound, l.upper_bound) into v_below, v_above;
  -- Without an index on the column, each look is a scan of the whole table; NOT NULL saves this one.
  if not (select attnotnull from pg_attribute where attrelid = l.table_oid and attname = l.control_column) then
    execute format('select exists (select from only partition_archive.%2$I where %1$I is null)', l.control_column, l.quarantine_name)
      into v_null;
  end if;
  return case when v_below then format('rows with %I below the recorded lower bound %s', l.control_column, l.lower_bound)
              when v_above then format('rows with %I at or above the recorded upper bound %s', l.control_column, l.upper_bound)
              when v_null then format('rows without a value of %I', l.control_column) end;
end
$$;

-- Hands a quarantined table back: its own schema, names, owner, foreign keys and row security; the fence goes.
-- The plan and the archive id are void; a second quarantine mints a new one. p_code and p_reason say why: the row is
-- then blocked; without them it is released.
create or replace function partition_archiver.hand_back(p_id bigint, p_code text default null, p_reason text default null) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_id, 'quarantined', 'exported', 'verified', 'blocked');
  v_table text := format('%I.%I', l.table_schema, l.table_name);
  v_object record;
  v_statement text;
begin
  if l.quarantine_name is null then
    raise exception 'partition % is not in quarantine', p_id using errcode = 'PA001';
  end if;
  perform partition_archiver.set_lock_timeout();
  begin
    execute format('lock table only partition_archive.%I in access exclusive mode', l.quarantine_name);
  exception when undefined_table or insufficient_privilege then
    raise exception 'table partition_archive.% is gone or another one now', l.quarantine_name using errcode = 'PA002';
  end;
  if to_regclass(format('partition_archive.%I', l.quarantine_name)) is distinct from l.table_oid::regclass then
    raise exception 'table partition_archive.% is another one now', l.quarantine_name using errcode = 'PA002';
  end if;
  if to_regclass(v_table) is not null then
    raise exception 'the name % is taken by another table now', v_table using errcode = 'PA004',
      hint = 'Rename or move that table, then try again.';
  end if;

  execute format('drop trigger partition_archiver_fence_row on partition_archive.%I', l.quarantine_name);
  execute format('drop trigger partition_archiver_fence_truncate on partition_archive.%I', l.quarantine_name);
  execute format('revoke select on partition_archive.%I from archiver_read', l.quarantine_name);
  execute format('alter table partition_archive.%I set schema %I', l.quarantine_name, l.table_schema);
  execute format('alter table %I.%I rename to %I', l.table_schema, l.quarantine_name, l.table_name);
  for v_object in select * from jsonb_to_recordset(l.original_names) as x (oid oid, kind "char", name name) loop
    execute format('alter %s %I.%I rename to %I', case v_object.kind when 'S' then 'sequence' else 'index' end,
      l.table_schema, (select relname from pg_class where oid = v_object.oid), v_object.name);
  end loop;
  foreach v_statement in array partition_archiver.render_ddl(l.ddl, l.table_schema, l.table_name, array['foreign_keys', 'row_security']) loop
    -- Validating would hold a lock on the live referenced table for as long as the scan takes.
    execute v_statement || case when v_statement ~ ' FOREIGN KEY ' and v_statement !~ ' NOT VALID$' then ' NOT VALID' else '' end;
  end loop;
  execute format('alter table %s owner to %I', v_table, l.original_owner);

  update partition_archiver.partition
     set state = case when p_reason is null then 'released' else 'blocked' end,
         blocked_state = case when p_reason is not null then l.state end, blocked_code = p_code, blocked_reason = p_reason,
         archive_id = null, quarantine_name = null, original_owner = null, original_names = null, seal = null, ddl = null,
         column_list = null, row_count = null, byte_count = null, manifest_key = null, manifest_version_id = null,
         manifest_sha256 = null, drop_after = null, quarantined_at = null, exported_at = null, verified_at = null
   where id = p_id;
  delete from partition_archiver.segment where archive_id = l.archive_id;
end
$$;

reset role;
