-- Listing: which archives a catalogue of queries may show. A row is never to be seen there and in the
-- database at the same time.

set role archiver_owner;

create table if not exists partition_archiver.listing (
  archive_id uuid primary key,
  -- listed: the catalogue may show it; withdrawing: it must not, and may still do; withdrawn: never again.
  state text not null check (state in ('listed', 'withdrawing', 'withdrawn')),
  changed_at timestamptz not null default clock_timestamp()
);
-- {execution: time}: until then, a call of that execution to the catalogue may be under way.
alter table partition_archiver.listing add column if not exists calls jsonb not null default '{}';
-- What an earlier version recorded of such a call: withdrawals wait for it still.
do $$ begin
  if exists (select from pg_attribute where attrelid = 'partition_archiver.listing'::regclass
               and attname = 'busy_until' and not attisdropped) then
    update partition_archiver.listing
       set calls = calls || jsonb_build_object('of an earlier version', busy_until)
     where busy_until >= clock_timestamp();
    alter table partition_archiver.listing drop column busy_until;
  end if;
end $$;
comment on table partition_archiver.listing is 'one row for each archive that a catalogue of queries was '
  'told of, or must never show';

comment on column partition_archiver.listing.archive_id is 'the archive';
comment on column partition_archiver.listing.state is 'listed: queries may find it; withdrawing: they must '
  'not, and may still do; withdrawn: they never do again';
comment on column partition_archiver.listing.calls is 'executions that may have a call to Glue under way, '
  'and until when';
comment on column partition_archiver.listing.changed_at is 'time of the last change';

-- Calls to the catalogue that may still be under way.
create or replace function partition_archiver.open_calls(p_calls jsonb) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
  return (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each_text(p_calls)
           where value::timestamptz >= clock_timestamp());

-- The next archives, by their ids in the ledger: those of some sets ([{"schema", "table"}]) whose tables were
-- dropped, and those of any set that are being withdrawn. wanted: the catalogue may show it from now on, and
-- p_seconds long a call of p_execution to it may be under way. collides: it may not, since an earlier archive
-- of the set has a part of the same range.
create or replace function partition_archiver.begin_listing(p_execution text, p_sets jsonb, p_after bigint,
    p_limit integer, p_seconds integer)
  returns table (id bigint, archive_id uuid, parent_schema name, parent_name name, manifest_key text,
    manifest_version_id text, wanted boolean, collides boolean)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  l partition_archiver.partition;
  v_overlaps boolean;
  v_wanted uuid;
begin
  for l in
    select p.* from partition_archiver.partition p
      left join partition_archiver.listing x on x.archive_id = p.archive_id
     where p.id > p_after
       and (p.state = 'dropped'
           and p.system_identifier = partition_archiver.system_identifier()
           and p.database_name = current_database()
           and exists (select from jsonb_to_recordset(p_sets) as s (schema name, "table" name)
                        where s.schema = p.parent_schema and s."table" = p.parent_name)
         or x.state = 'withdrawing' and p.manifest_key is not null)
     order by p.id limit p_limit
  loop
    v_overlaps := not exists (
      select from partition_archiver.listing x where x.archive_id = l.archive_id and x.state <> 'listed')
      and exists (
      select from partition_archiver.partition o
        left join partition_archiver.listing x on x.archive_id = o.archive_id
       where o.id < l.id and o.state = 'dropped' and o.system_identifier = l.system_identifier
         and o.database_name = l.database_name
         and o.parent_schema = l.parent_schema and o.parent_name = l.parent_name
         and x.state is distinct from 'withdrawn'
         and case when l.control_kind = 'id' and o.control_kind = 'id' then
               o.lower_bound::numeric < l.upper_bound::numeric
                 and l.lower_bound::numeric < o.upper_bound::numeric
             else o.lower_bound = l.lower_bound
               or o.lower_time < l.upper_time and l.lower_time < o.upper_time end);
    v_wanted := null;
    if not v_overlaps then
      insert into partition_archiver.listing as x (archive_id, state, calls)
        values (l.archive_id, 'listed', jsonb_build_object(p_execution,
          clock_timestamp() + make_interval(secs => p_seconds)))
        on conflict (archive_id) do update
          set calls = partition_archiver.open_calls(x.calls) || excluded.calls,
              changed_at = clock_timestamp()
          where x.state = 'listed'
        returning x.archive_id into v_wanted;
    end if;
    return query select l.id, l.archive_id, l.parent_schema, l.parent_name, l.manifest_key,
      l.manifest_version_id, v_wanted is not null, v_overlaps;
  end loop;
end
$$;

-- No call of p_execution to the catalogue is under way any more for p_wanted, and p_unwanted are not shown
-- there any more: lists of ids of archives.
create or replace function partition_archiver.end_listing(p_execution text, p_wanted jsonb, p_unwanted jsonb)
  returns void
  language sql security definer set search_path = pg_catalog, pg_temp as $$
  update partition_archiver.listing
     set calls = partition_archiver.open_calls(calls) - p_execution, changed_at = clock_timestamp()
   where archive_id::text in (select jsonb_array_elements_text(p_wanted));
  update partition_archiver.listing set state = 'withdrawn', changed_at = clock_timestamp()
   where archive_id::text in (select jsonb_array_elements_text(p_unwanted)) and state = 'withdrawing';
$$;

-- The catalogue must not show an archive any more: the next listing takes it out. 55P03 while a call to the
-- catalogue may be under way.
create or replace function partition_archiver.begin_withdrawal(p_archive_id uuid) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_state text;
begin
  if not exists (select from partition_archiver.partition where archive_id = p_archive_id) then
    raise exception 'there is no archive % in the ledger', p_archive_id
      using errcode = 'PA020'; -- NotInLedger
  end if;
  insert into partition_archiver.listing as x (archive_id, state) values (p_archive_id, 'withdrawing')
    on conflict (archive_id) do update set state = 'withdrawing', changed_at = clock_timestamp()
    where x.state = 'listed' and partition_archiver.open_calls(x.calls) = '{}';
  select state into v_state from partition_archiver.listing where archive_id = p_archive_id;
  if v_state = 'listed' then
    raise exception 'archive % is being listed; try again in some minutes', p_archive_id
      using errcode = '55P03';
  end if;
end
$$;

-- ArchiveListed if the catalogue may show an archive. Changes nothing.
create or replace function partition_archiver.assert_not_listed(p_archive_id uuid) returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from partition_archiver.listing where archive_id = p_archive_id
    and state <> 'withdrawn') then
    raise exception 'archive % may be found by queries in the Glue database: its rows would be seen twice',
      p_archive_id using errcode = 'PA022'; -- ArchiveListed
  end if;
end
$$;

-- Before the rows of an archive are in their set again: the catalogue does not show the archive, and never
-- will. ArchiveListed if it may do.
create or replace function partition_archiver.require_withdrawn(p_archive_id uuid) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into partition_archiver.listing as x (archive_id, state) values (p_archive_id, 'withdrawn')
    on conflict (archive_id) do update set state = x.state;
  perform partition_archiver.assert_not_listed(p_archive_id);
end
$$;

reset role;
