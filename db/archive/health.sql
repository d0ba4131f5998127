-- Health: what an operator should know of a partition set.

set role archiver_owner;

-- How a set stands, by the catalogs: rows in its default partition, partitions in the future, and gaps
-- between partitions; tables that look as if they had been partitions of it but are not in the ledger; and
-- partitions whose DETACH CONCURRENTLY was cancelled half way, so that their rows are invisible through the
-- parent. Only reported: an operator adopts tables by OID, and finishes a detach.
create or replace function partition_archiver.health(p_parent oid, p_time_zone text,
    out rows_in_default boolean, out future_partitions bigint, out unknown_tables jsonb,
      out unfinished_detaches jsonb,
    out gaps jsonb)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set row_security = off as $$
declare
  v_set record;
  v_highest numeric;
begin
  select * into v_set from partition_archiver.partition_set(p_parent);
  rows_in_default := false;
  if v_set.default_oid is not null then
    -- Rows at infinity are there by design: no partition is ever made for them.
    execute format('select exists (select from only %s %s)', v_set.default_oid::regclass,
        case when v_set.control_type in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
             then format('where isfinite(%1$I) or %1$I is null', v_set.control_column)
               else '' end) into rows_in_default;
  end if;
  if v_set.control_kind = 'time' then
    select count(*) into future_partitions
      from partition_archiver.attached_partitions(p_parent, v_set.control_type, v_set.epoch, p_time_zone)
     where lower_time > now();
  end if;
  -- Left by maintenance in another time zone, or by hand. What lies past the retention was detached, and
  -- needs no partition.
  v_highest := case when v_set.control_kind = 'id' then partition_archiver.highest_id(p_parent) end;
  select coalesce(jsonb_agg(format('[%s, %s)', g.upper_bound, g.next_lower)
    order by g.next_time, g.next_lower), '[]') into gaps
    from (select a.*, lead(a.lower_bound) over w as next_lower, lead(a.lower_time) over w as next_time
            from partition_archiver.attached_partitions(p_parent, v_set.control_type, v_set.epoch,
              p_time_zone) a
          window w as (order by a.lower_time, case when v_set.control_kind = 'id' then a.lower_bound::numeric
            end)) g
   where case when v_set.control_kind = 'id' then g.upper_bound::numeric < g.next_lower::numeric
     else g.upper_time < g.next_time end
     and not partition_archiver.past_retention(v_set.control_kind, v_set.control_kind, v_set.retention,
       g.next_time, g.next_lower, now(), v_highest, p_time_zone);
  select coalesce(jsonb_agg(i.inhrelid::regclass::text), '[]') into unfinished_detaches
    from pg_inherits i where i.inhparent = p_parent and i.inhdetachpending;
  -- The same columns in the same order, and a name that pg_partman would make from the parent's, which it
  -- cuts off where the whole would be longer than 63 bytes.
  select coalesce(jsonb_agg(format('%I.%I', n.nspname, c.relname) order by c.relname),
    '[]') into unknown_tables
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and not c.relispartition
     and n.nspname in (v_set.parent_schema, coalesce(v_set.retention_schema, v_set.parent_schema))
     and c.relname ~ '_p[0-9][0-9_qw]*$'
     and (regexp_replace(c.relname, '_p[0-9][0-9_qw]*$', '') = v_set.parent_name
          or octet_length(c.relname) >= 60
          and starts_with(v_set.parent_name, regexp_replace(c.relname, '_p[0-9][0-9_qw]*$', '')))
     and (select array_agg(attname order by attnum) from pg_attribute where attrelid = c.oid and attnum > 0
       and not attisdropped)
       = (select array_agg(attname order by attnum) from pg_attribute where attrelid = p_parent
         and attnum > 0 and not attisdropped)
     and not exists (select from partition_archiver.partition l where l.table_oid = c.oid
           and l.system_identifier = partition_archiver.system_identifier()
           and l.database_name = current_database());
end
$$;

reset role;
