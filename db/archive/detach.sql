-- Detach: takes one partition that is past the retention off its set, as pg_partman's configuration of the
-- set says. pg_partman itself detaches all of them in the transaction that makes the future ones: where one
-- cannot leave, nothing is made either.

set role archiver_owner;

-- Rows that refer to rows of a partition by a foreign key of the set, for each foreign key that has any:
-- PostgreSQL refuses to detach the partition. Counted without locks; a temporal key is left to PostgreSQL,
-- and so is a table that may not be read. Rows in tables that leave first do not count: p_leaving.
create or replace function partition_archiver.inbound_references(p_parent oid, p_partition oid,
  p_leaving oid[] default '{}')
  returns table (constraint_name name, referencing regclass, referencing_rows bigint)
  language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
  for constraint_name, referencing, referencing_rows in
    select k.conname, k.conrelid::regclass, 0
      from pg_constraint k
     where k.contype = 'f' and k.conparentid = 0
       and k.confrelid in (select a.relid from pg_partition_ancestors(p_parent) a)
       and not coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false)
       and has_table_privilege(k.conrelid, 'select') and has_table_privilege(p_partition, 'select')
     order by k.conrelid::regclass::text, k.conname
  loop
    begin
      execute format('select count(*) from %s f where f.tableoid <> all ($1) and exists (select from only '
        '%s p where %s)',
        referencing, p_partition::regclass, (
          select string_agg(format('p.%I operator(%I.%s) f.%I', u.attname, n.nspname, o.oprname, r.attname),
            ' and ')
            from pg_constraint k
            cross join unnest(k.confkey, k.conkey, k.conpfeqop) as c (referenced, referencing, equals)
            join pg_attribute u on u.attrelid = k.confrelid and u.attnum = c.referenced
            join pg_attribute r on r.attrelid = k.conrelid and r.attnum = c.referencing
            join pg_operator o on o.oid = c.equals join pg_namespace n on n.oid = o.oprnamespace
           where k.conname = constraint_name and k.conrelid = inbound_references.referencing
             and k.contype = 'f'))
        into referencing_rows using p_leaving;
      if referencing_rows > 0 then
        return next;
      end if;
    exception when insufficient_privilege or undefined_table then
      null;
    end;
  end loop;
end
$$;

-- The foreign keys from one of these sets to another one of them, by their positions in the list, from 0.
-- p_sets: [{schema, table}].
create or replace function partition_archiver.set_references(p_sets jsonb)
  returns table (referencing integer, referenced integer)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with sets as (
    select (w.position - 1)::integer as position, c.oid
      from jsonb_array_elements(p_sets) with ordinality as w (wanted, position)
      join pg_namespace n on n.nspname = w.wanted ->> 'schema'
      join pg_class c on c.relnamespace = n.oid and c.relname = w.wanted ->> 'table')
  select distinct f.position, t.position
    from pg_constraint k join sets f on f.oid = k.conrelid join sets t on t.oid = k.confrelid
   where k.contype = 'f' and f.oid <> t.oid
$$;

-- What inbound_references() finds, in words: null where nothing refers to the partition. only_itself: all of
-- it is in the set itself.
create or replace function partition_archiver.describe_references(p_parent oid, p_partition oid,
  p_leaving oid[] default '{}',
    out found text, out only_itself boolean)
  language sql volatile set search_path = pg_catalog, pg_temp as $$
  select string_agg(format('%s %s of %s %s to it by foreign key %I', r.referencing_rows,
    case r.referencing_rows when 1 then 'row' else 'rows' end,
                           r.referencing, case r.referencing_rows when 1 then 'refers' else 'refer' end,
                             r.constraint_name), ', '),
         bool_and(r.referencing = p_parent::regclass)
    from partition_archiver.inbound_references(p_parent, p_partition, p_leaving) r
$$;

-- What leaves in a run of these sets before partitions of p_parent do: what is past the retention of sets
-- that refer to it, and what is detached already. p_sets: [{schema, table, timeZone}].
create or replace function partition_archiver.leaving_before(p_parent oid, p_sets jsonb) returns oid[]
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_leaving oid[] := array(
    select l.table_oid from partition_archiver.partition l
     where l.state = 'detached' and l.system_identifier = partition_archiver.system_identifier()
       and l.database_name = current_database());
  v_other record;
begin
  for v_other in
    select c.oid, x."timeZone" as time_zone
      from jsonb_to_recordset(p_sets) as x (schema name, "table" name, "timeZone" text)
      join pg_namespace n on n.nspname = x.schema join pg_class c on c.relnamespace = n.oid
        and c.relname = x."table"
     where c.oid <> p_parent
       and exists (select from pg_constraint k where k.conrelid = c.oid and k.confrelid = p_parent
       and k.contype = 'f')
  loop
    v_leaving := v_leaving || array(select e.table_oid
      from partition_archiver.expiring(v_other.oid, v_other.time_zone) e);
  end loop;
  return v_leaving;
end
$$;

-- Detaches a partition and does with it what pg_partman would: an index goes where retention_keep_index is
-- off (from 5.0 on), a publication where retention_keep_publication is off (5.1), and it moves into
-- retention_schema. Run by the role that maintains, with the rights of the set's owner. Returns 'detached';
-- 'gone' where another session was faster; 'last' where it is the only one; 'selfReferenced' where rows of
-- its own set refer to it.
create or replace function partition_archiver.detach_partition(p_parent oid, p_partition oid) returns text
  language plpgsql security invoker set search_path = pg_catalog, pg_temp as $$
declare
  v_partman record;
  v_set record;
  v_config jsonb;
  v_deadline timestamptz;
  v_schema name;
  v_name name;
  v_object record;
  v_refers record;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'transaction isolation is %', current_setting('transaction_isolation')
      using errcode = 'PA001'; -- StateConflict
  end if;
  perform partition_archiver.wait_for_autovacuum(p_partition);
  perform partition_archiver.wait_for_autovacuum_of_default(p_parent);
  select n.nspname as schema, string_to_array(substring(e.extversion from '^[0-9.]+'),
    '.')::integer[] as version into strict v_partman
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_partman';
  select * into v_set from partition_archiver.partition_set(p_parent);
  -- Held by pg_partman while it detaches; where it does not get this lock it leaves the retention for another
  -- time, and continues.
  if not pg_try_advisory_xact_lock(hashtext('pg_partman drop_partition_' || v_set.control_kind)) then
    raise exception 'another session of pg_partman detaches partitions just now'
      using errcode = 'lock_not_available';
  end if;
  select n.nspname, c.relname into v_schema, v_name
    from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
   where i.inhparent = p_parent and i.inhrelid = p_partition and not i.inhdetachpending;
  if not found then
    return 'gone';
  end if;
  execute format('select to_jsonb(p) from %I.part_config p where parent_table = $1', v_partman.schema)
    into v_config using v_set.parent_schema || '.' || v_set.parent_name;
  if (v_config ->> 'retention_keep_table')::boolean is not true then
    raise exception '%.% has retention_keep_table = false: pg_partman would drop partitions',
      quote_ident(v_set.parent_schema),
      quote_ident(v_set.parent_name) using errcode = 'PA010'; -- PreflightFailed
  end if;
  if not exists (select from pg_inherits i where i.inhparent = p_parent
    and i.inhrelid not in (p_partition, coalesce(v_set.default_oid, 0))) then
    return 'last';
  end if;
  -- What PostgreSQL would refuse with nothing but the name of the foreign key, with the table locked while it
  -- looks.
  select * into v_refers from partition_archiver.describe_references(p_parent, p_partition);
  if v_refers.only_itself then
    return 'selfReferenced';
  elsif v_refers.found is not null then
    raise exception '% cannot be detached: %', p_partition::regclass, v_refers.found
      using errcode = 'PA021'; -- PartitionReferenced
  end if;

  v_deadline := partition_archiver.lock_deadline();
  perform partition_archiver.lock_referenced(p_parent, 'share row exclusive', v_deadline);
  perform partition_archiver.lock_referencing(p_parent, v_deadline);
  execute format('lock table only %I.%I in access exclusive mode', v_set.parent_schema, v_set.parent_name);
  perform partition_archiver.set_lock_timeout_until(v_deadline);
  if not exists (select from pg_inherits i where i.inhparent = p_parent and i.inhrelid = p_partition
    and not i.inhdetachpending) then
    return 'gone';
  end if;
  execute format('alter table %I.%I detach partition %I.%I', v_set.parent_schema, v_set.parent_name,
    v_schema, v_name);

  if v_partman.version >= '{5}' and (v_config ->> 'retention_keep_index')::boolean is false then
    for v_object in
      select c.relname, k.conname from pg_index x join pg_class c on c.oid = x.indexrelid
        left join pg_constraint k on k.conindid = x.indexrelid and k.conrelid = x.indrelid
       where x.indrelid = p_partition
    loop
      if v_object.conname is not null then
        execute format('alter table %I.%I drop constraint %I', v_schema, v_name, v_object.conname);
      else
        execute format('drop index %I.%I', v_schema, v_object.relname);
      end if;
    end loop;
  end if;
  if (v_config ->> 'retention_keep_publication')::boolean is false then
    for v_object in
      select p.pubname from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
        where r.prrelid = p_partition
    loop
      execute format('alter publication %I drop table %I.%I', v_object.pubname, v_schema, v_name);
    end loop;
  end if;
  if v_config ->> 'retention_schema' is not null then
    -- From 5.5 on pg_partman wants one owner for both (CVE-2026-61821).
    if v_partman.version >= '{5,5}' and exists (
        select from pg_namespace n, pg_class c where n.nspname = v_config ->> 'retention_schema'
          and c.oid = p_partition and n.nspowner <> c.relowner) then
      raise exception 'retention_schema % does not belong to the owner of %.%',
        quote_ident(v_config ->> 'retention_schema'),
        quote_ident(v_schema), quote_ident(v_name) using errcode = 'PA010'; -- PreflightFailed
    end if;
    execute format('alter table %I.%I set schema %I', v_schema, v_name, v_config ->> 'retention_schema');
  end if;
  return 'detached';
end
$$;

reset role;
