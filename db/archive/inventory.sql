-- Inventory: which partitions are attached, and which no longer are, goes into the ledger.

set role archiver_owner;

-- Writes the attached children into the ledger, and finds those that are attached no longer; writes nothing
-- where the ledger says all of it already. Call it before and after maintenance. Returns how many rows are
-- new, and how many changed to detached, missing and blocked. PreflightFailed where the table is no set, or
-- by assert_key().
create or replace function partition_archiver.record_inventory(
    p_parent oid, p_time_zone text,
    out attached integer, out added integer, out detached integer, out missing integer, out blocked integer)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_system bigint := partition_archiver.system_identifier();
  v_set record;
  v_detached bigint[];
begin
  perform partition_archiver.assert_identity();
  select * into v_set from partition_archiver.partition_set(p_parent);
  if not found then
    raise exception 'table with oid % is not a range partition set of pg_partman with one control column',
      p_parent
      using errcode = 'PA010'; -- PreflightFailed
  end if;
  perform partition_archiver.assert_key(p_parent);

  -- Of a parent that was made again under its name: by the old one no run would ever look at these rows
  -- again. Looked for first, since an update costs a good tenth of an inventory even where it finds nothing.
  if exists (select from partition_archiver.partition l
              where l.parent_schema = v_set.parent_schema and l.parent_name = v_set.parent_name
                and l.parent_oid <> v_set.parent_oid
                and l.state not in ('dropped', 'missing')) then
    update partition_archiver.partition l set parent_oid = v_set.parent_oid
     where l.parent_schema = v_set.parent_schema and l.parent_name = v_set.parent_name
       and l.parent_oid <> v_set.parent_oid
       and l.state not in ('dropped', 'missing') and l.system_identifier = v_system
       and l.database_name = current_database()
       and not exists (select from partition_archiver.partition_set(l.parent_oid));
  end if;

  insert into partition_archiver.partition as l (
      system_identifier, database_name, table_oid, table_schema, table_name, parent_oid, parent_schema,
        parent_name,
      control_column, control_kind, bounds, lower_bound, upper_bound, lower_time, upper_time, period,
        attach_statement, time_zone,
      last_attached_at)
    select v_system, current_database(), a.table_oid, a.table_schema, a.table_name,
           v_set.parent_oid, v_set.parent_schema, v_set.parent_name, v_set.control_column, v_set.control_kind,
           a.bounds, a.lower_bound, a.upper_bound, a.lower_time, a.upper_time, a.period,
           format('alter table %I.%I attach partition %I.%I %s',
                  v_set.parent_schema, v_set.parent_name, a.table_schema, a.table_name, a.bounds),
           p_time_zone, now()
      from partition_archiver.attached_partitions(p_parent, v_set.control_type, v_set.epoch, p_time_zone) a
     where (a.table_oid, a.table_schema, a.table_name, v_set.parent_schema, v_set.parent_name,
       v_set.control_column, a.bounds, a.period, p_time_zone)
           not in (select k.table_oid, k.table_schema, k.table_name, k.parent_schema, k.parent_name,
             k.control_column, k.bounds, k.period, coalesce(k.time_zone, '')
                     from partition_archiver.partition k
                    where k.parent_oid = p_parent and k.state = 'attached'
                      and (k.upper_time is not null or v_set.control_kind is distinct from 'time')
                      and k.system_identifier = v_system and k.database_name = current_database())
     order by a.lower_time, a.table_oid
    on conflict (system_identifier, database_name, table_oid) where state not in ('dropped', 'missing')
    do update set
      table_schema = excluded.table_schema, table_name = excluded.table_name,
      parent_oid = excluded.parent_oid, parent_schema = excluded.parent_schema,
        parent_name = excluded.parent_name,
      control_column = excluded.control_column, control_kind = excluded.control_kind,
      bounds = excluded.bounds, lower_bound = excluded.lower_bound, upper_bound = excluded.upper_bound,
      lower_time = excluded.lower_time, upper_time = excluded.upper_time, period = excluded.period,
      attach_statement = excluded.attach_statement, time_zone = excluded.time_zone,
      last_attached_at = now(), state = 'attached'
    where l.state in ('attached', 'detached');

  select count(*) filter (where l.state = 'attached'), count(*) filter (where l.first_seen_at = now())
    into attached, added
    from partition_archiver.partition l
   where l.parent_oid = p_parent and l.system_identifier = v_system and l.database_name = current_database();

  -- In the ledger, but not in the catalog as it was: detached, gone, or no longer what it was.
  with found as (
    select k.id, k.state as was, n.nspname, c.relname,
           case when c.oid is null then 'missing'
                when c.relname = k.table_name
                  and n.nspname in (k.table_schema, coalesce(v_set.retention_schema, k.table_schema))
                  then 'detached'
                else 'blocked' end as becomes
      from partition_archiver.partition k
      left join pg_class c on c.oid = k.table_oid
      left join pg_namespace n on n.oid = c.relnamespace
     where k.parent_oid = p_parent and k.system_identifier = v_system and k.database_name = current_database()
       and (k.state = 'attached' and not exists (select from pg_inherits i where i.inhrelid = k.table_oid)
            or k.state in ('detached', 'quarantined', 'exported', 'verified', 'restored', 'released')
            and c.oid is null)),
  changed as (
    update partition_archiver.partition l
       set state = f.becomes,
           table_schema = case f.becomes when 'detached' then f.nspname else l.table_schema end,
           blocked_state = case f.becomes when 'blocked' then 'attached' end,
           blocked_code = case f.becomes when 'blocked' then 'IdentityChanged' end,
           blocked_reason = case f.becomes when 'blocked'
             then format('detached and then renamed or moved: it is now %I.%I', f.nspname,
               f.relname) end
      from found f
     -- In the state that it was found in: another session may have moved it into quarantine since.
     where f.id = l.id and f.was = l.state
    returning l.id, l.state)
  select array_agg(id) filter (where state = 'detached'), count(*) filter (where state = 'missing'),
         count(*) filter (where state = 'blocked')
    into v_detached, missing, blocked from changed;

  -- Of an earlier set of this name, or one that was changed since: today's retention says nothing of it.
  with of_other_kind as (
    update partition_archiver.partition l
       set state = 'blocked', blocked_state = l.state, blocked_code = 'IdentityChanged',
           blocked_reason = format('its bounds count by %s, and %I.%I is partitioned by %I, which counts by '
             '%s', l.control_kind, v_set.parent_schema, v_set.parent_name, v_set.control_column,
             v_set.control_kind)
     where l.parent_oid = p_parent and l.state = 'detached' and l.control_kind <> v_set.control_kind
       and l.system_identifier = v_system and l.database_name = current_database()
    returning l.id)
  select coalesce(cardinality(v_detached), 0) - count(*) filter (where id = any (v_detached)),
         blocked + count(*)
    into detached, blocked from of_other_kind;
end
$$;

reset role;
