-- What the bytes of an archive do not tell: whether they are all that the rows were. Looked at for each
-- segment, before its proof is recorded.

set role archiver_owner;

-- Settings with which a server reads a damaged block as one without rows. Export and proof would both miss
-- them, and agree.
create or replace function partition_archiver.assert_no_damage_is_ignored() returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_setting text;
begin
  foreach v_setting in array array['zero_damaged_pages', 'ignore_checksum_failure'] loop
    if current_setting(v_setting, true)::boolean then
      raise exception 'setting % is on: rows in damaged blocks would be missing in the archive without an '
        'error', v_setting
        using errcode = 'PA010'; -- PreflightFailed
    end if;
  end loop;
end
$$;

-- Whether a type is a domain with constraints, or is made of one. The null of an outer join, or of a subquery
-- without rows, gets past these: it is of the domain's type already, and not checked again when it is stored.
-- COPY checks it. Not where a restore loads the column as text (core/restore/as-text.ts): where a check was
-- never validated, or names something outside of pg_catalog, as its text in the archived DDL shows.
create or replace function partition_archiver.has_domain(p_type oid) returns boolean
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with recursive used (oid) as (
    select p_type
    union
    select x.oid from used join pg_type t on t.oid = used.oid cross join lateral (
      select t.typelem union select t.typbasetype
      union select a.atttypid from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0
        and not a.attisdropped
      union select r.rngsubtype from pg_range r where t.oid in (r.rngtypid, r.rngmultitypid)) x (oid)
     where x.oid >= 16384)
  select coalesce(bool_or(t.typnotnull or c.checks is not null), false)
     and not coalesce(bool_or(c.checks like '% NOT VALID%' or w.checks ~ '([[:alnum:]_$]|")\.(?!\d)'), false)
    from used join pg_type t on t.oid = used.oid and t.typtype = 'd'
    cross join lateral (
      select substring(partition_archiver.type_definition(t.oid) from ' CONSTRAINT .*$') as checks) c
    cross join lateral (select regexp_replace(regexp_replace(c.checks, '''([^'']|'''')*''(?!::reg)', '''''',
      'g'), '\mpg_catalog\.', '', 'g') as checks) w
$$;

-- Why the rows of a segment would come back from the archive as other than they are, or null.
--
-- Stored generated columns are not archived but made again from their expression, which may call a function
-- that was replaced since. Columns of type oid may name large objects, which stay behind and which vacuumlo
-- removes as soon as no table names them. A domain may refuse what its column has nevertheless.
create or replace function partition_archiver.restore_loss(p_id bigint, p_number integer) returns text
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set row_security = off as $$
declare
  v_range text;
  v_table oid;
  v_column record;
  v_found boolean;
begin
  select l.table_oid, format('from only partition_archiver_quarantine.%I where ctid >= %L::tid%s',
    l.quarantine_name, format('(%s,0)', s.first_block),
           case when s.next_block is not null then format(' and ctid < %L::tid',
             format('(%s,0)', s.next_block)) end)
    into v_table, v_range
    from partition_archiver.partition l join partition_archiver.segment s on s.archive_id = l.archive_id
   where l.id = p_id and s.number = p_number;
  for v_column in
    select a.attname as name, a.attgenerated = 's' as is_generated,
           -- Printed without the last cast, which PostgreSQL adds.
           format('(%s)::%s', pg_get_expr(d.adbin, d.adrelid),
             format_type(a.atttypid, a.atttypmod)) as expression
      from pg_attribute a
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      join pg_type t on t.oid = a.atttypid
     where a.attrelid = v_table and a.attnum > 0 and not a.attisdropped
       and (a.attgenerated = 's' or a.attgenerated = '' and 'oid'::regtype in (t.oid, t.typbasetype)
            and exists (select from pg_largeobject_metadata))
     order by a.attnum
  loop
    if not v_column.is_generated then
      execute format('select exists (select %s and %I in (select oid from '
        'pg_catalog.pg_largeobject_metadata))', v_range, v_column.name)
        into v_found;
      if v_found then
        return format('column %I names large objects, which COPY does not carry', v_column.name);
      end if;
    elsif partition_archiver_trial.generated_column_differs(v_range, v_column.name, v_column.expression) then
      return format('column %I has values that its expression does not give any more', v_column.name);
    end if;
  end loop;
  for v_column in
    select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, x.is_whole
      from pg_attribute a join pg_type t on t.oid = a.atttypid
      -- The value is the domain's, and not one of its elements, attributes or bounds.
      cross join lateral (select t.typtype = 'd' and t.typcategory not in ('A', 'C', 'R') as is_whole) x
     where a.attrelid = v_table and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
       and not (x.is_whole and a.attnotnull) and partition_archiver.has_domain(t.oid)
     order by a.attnum
  loop
    if v_column.is_whole then
      -- First, since most domains take a null, and the rows need not be read then.
      v_found := partition_archiver_trial.refuses('', 'null', v_column.type);
      if v_found then
        execute format('select exists (select %s and %I is null)', v_range, v_column.name) into v_found;
      end if;
    else
      v_found := partition_archiver_trial.refuses(v_range, quote_ident(v_column.name), v_column.type);
    end if;
    if v_found then
      return format('column %I has rows without a value that a domain of its type %s refuses: release the '
        'partition and give them one, or drop that constraint of the domain', v_column.name, v_column.type);
    end if;
  end loop;
  return null;
end
$$;

reset role;
