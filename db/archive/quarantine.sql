-- Quarantine: a detached partition is moved into partition_archiver_quarantine behind a fence that refuses
-- every write, before anything is exported. From then on its contents cannot change, so a retried export
-- writes the same bytes.

set role archiver_owner;

-- Quarantines one detached partition, plans its segments, and returns the archive id.
-- Raises PartitionRefused where the table cannot be archived as it is, 55P03 where a lock was not to be had
-- in time.
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
  perform partition_archiver.wait_for_autovacuum(l.table_oid);
  perform partition_archiver.lock_referenced(l.table_oid);
  begin
    execute format('lock table only %s in access exclusive mode', v_name);
  exception when undefined_table or invalid_schema_name then
    raise exception 'table % is gone or was renamed', v_name using errcode = 'PA002'; -- IdentityChanged
  when insufficient_privilege then
    if to_regclass(v_name) is distinct from l.table_oid::regclass then
      raise exception 'table % is another one now, which archiver_owner may not lock', v_name
        using errcode = 'PA002'; -- IdentityChanged
    end if;
    -- pg_partman's background worker or another role's maintenance makes tables that belong to it.
    raise exception 'table % cannot be archived: %', v_name,
      partition_archiver.in_one_line(partition_archiver.refusals(l.table_oid))
      using errcode = 'PA004'; -- PartitionRefused
  end;
  if to_regclass(v_name) is distinct from l.table_oid::regclass then
    raise exception 'table % is another one now (oid %, was %)', v_name, to_regclass(v_name)::oid,
      l.table_oid using errcode = 'PA002'; -- IdentityChanged
  end if;
  v_refusals := partition_archiver.refusals(l.table_oid);
  if v_refusals <> '{}' then
    raise exception 'table % cannot be archived: %', v_name, partition_archiver.in_one_line(v_refusals)
      using errcode = 'PA004'; -- PartitionRefused
  end if;
  select pg_get_userbyid(relowner) into v_owner from pg_class where oid = l.table_oid;

  -- A name that carries the OID, first: pg_partman's partition_data_time writes into a detached table that
  -- still has its old name, and in the captured DDL nothing else can be taken for the table.
  v_quarantine_name := partition_archiver.name_with_oid(l.table_name, l.table_oid);
  execute format('alter table %s rename to %I', v_name, v_quarantine_name);
  v_ddl := partition_archiver.capture_ddl(l.table_oid, l.table_schema, l.table_name);
  if v_ddl -> 'refused' <> '[]' then
    raise exception 'the DDL of table % cannot be archived: %', v_name,
      (select string_agg(r, '; ') from jsonb_array_elements_text(v_ddl -> 'refused') r)
        using errcode = 'PA004'; -- PartitionRefused
  end if;

  -- Indexes and owned sequences move along with the table; in one schema for all, their names would collide.
  select coalesce(jsonb_agg(jsonb_build_object('oid', c.oid, 'kind', c.relkind, 'name', c.relname)),
    '[]') into v_names
    from pg_class c
   where c.oid in (select indexrelid from pg_index where indrelid = l.table_oid)
      or c.relkind = 'S' and exists (select from pg_depend d where d.classid = 'pg_class'::regclass
        and d.objid = c.oid
           and d.refclassid = 'pg_class'::regclass and d.refobjid = l.table_oid and d.deptype in ('a', 'i'));
  for v_object in select * from jsonb_to_recordset(v_names) as x (oid oid, kind "char", name name) loop
    execute format('alter %s %I.%I rename to %I',
      case v_object.kind when 'S' then 'sequence' else 'index' end,
      l.table_schema, v_object.name, partition_archiver.name_with_oid(v_object.name, v_object.oid));
  end loop;
  execute format('alter table %I.%I set schema partition_archiver_quarantine', l.table_schema,
    v_quarantine_name);
  v_table := format('partition_archiver_quarantine.%I', v_quarantine_name);

  -- A cascade from a live table would run into the fence, and the later DROP would lock that table.
  for v_object in select conname from pg_constraint where conrelid = l.table_oid and contype = 'f'
    and conparentid = 0 loop
    execute format('alter table %s drop constraint %I', v_table, v_object.conname);
  end loop;
  -- As owner the application could alter the table and lift the fence.
  execute format('alter table %s owner to archiver_owner', v_table);
  perform partition_archiver.protect_quarantined_table(v_table);

  update partition_archiver.partition
     set state = 'quarantined', archive_id = v_archive_id, quarantine_name = v_quarantine_name,
       original_owner = v_owner,
         original_owner_oid = to_regrole(quote_ident(v_owner)), original_names = v_names, ddl = v_ddl,
           seal = partition_archiver.seal_of(l.table_oid),
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
create or replace function partition_archiver.name_with_oid(p_name name, p_oid oid) returns name
  language sql immutable set search_path = pg_catalog, pg_temp
  return (select (left(p_name, n) || '_' || p_oid)::name
            from generate_series(63, 0, -1) n
           where octet_length(left(p_name, n) || '_' || p_oid) <= 63 order by n desc limit 1);

-- Segments of about p_segment_bytes each: heap blocks with the share of TOAST that belongs to them, from
-- block 0, the last one open-ended. At most 10,000, which are larger where need be: their numbers, and what
-- became of each, travel through state machines, whose data may have 256 KiB. A split adds few to them.
create or replace function partition_archiver.plan(p_table oid, p_segment_bytes bigint)
  returns table (number integer, first_block bigint, next_block bigint)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with size as (
    select pg_relation_size(p_table) / current_setting('block_size')::bigint as blocks,
      pg_table_size(p_table) as bytes),
  step as (
    select blocks, greatest(1, ceil(blocks / 10000.0), floor(blocks * least(1,
      p_segment_bytes::numeric / greatest(bytes, 1))))::bigint as per_segment
      from size),
  starts as (
    select g.first_block, row_number() over (order by g.first_block) - 1 as number
      from step, lateral generate_series(0, greatest(blocks - 1, 0), per_segment) as g (first_block))
  select s.number::integer, s.first_block, lead(s.first_block) over (order by s.first_block) from starts s
$$;

reset role;
