-- Seal: by what one can tell, without reading it again, that a table in quarantine is still what was
-- archived.

set role archiver_owner;

-- The types of a table's columns that hold data, and the types in them: of elements, attributes, bounds,
-- under domains.
create or replace function partition_archiver.used_types(p_table oid) returns setof oid
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with recursive used (oid) as (
    select atttypid from pg_attribute where attrelid = p_table and attnum > 0 and not attisdropped
      and attgenerated = ''
    union
    select x.oid from used join pg_type t on t.oid = used.oid cross join lateral (
      select t.typelem union select t.typbasetype
      union select a.atttypid from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0
        and not a.attisdropped
      union select r.rngsubtype from pg_range r where t.oid in (r.rngtypid, r.rngmultitypid)) x (oid))
  select oid from used where oid <> 0
$$;

-- What the text of a table's values depends on besides the values, and what their owners can change without
-- touching the table: an enum's labels (ALTER TYPE ... RENAME VALUE), the attributes of a composite type or
-- of another table's row type, the output function of a type that an extension brings. One line for each, so
-- that a label that was added since is one line more. The server itself forbids to change what a domain, a
-- range or an array is made of, and the type of an attribute that a table uses.
create or replace function partition_archiver.type_facts(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  with used (oid) as materialized (select * from partition_archiver.used_types(p_table)),
  fact (line) as (
    select format('enum %s: label %s is %s', enumtypid, oid, enumlabel) from pg_enum
      where enumtypid in (select oid from used)
    union all
    select format('composite %s: %s', t.oid,
             (select string_agg(format('%s is %s %s', a.attnum, a.atttypid, a.atttypmod), ', '
               order by a.attnum)
                from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped))
      from pg_type t where t.typtype = 'c' and t.oid in (select oid from used)
    union all
    select format('base %s: output by %s, %s, %s', t.oid, f.oid::regprocedure, f.prosrc, f.probin)
      from pg_type t join pg_proc f on f.oid = t.typoutput where f.oid >= 16384
        and t.oid in (select oid from used))
  select coalesce(jsonb_agg(line order by line collate "C"), '[]') from fact
$$;

-- What must not change from quarantine to drop: the file, the columns by number, the fence, and what values
-- look like. The xmin of a trigger's row changes when the trigger is disabled and enabled again, and survives
-- VACUUM FREEZE and VACUUM FULL of the catalog. Columns are told by number and by their missing values:
-- dropping one and adding another of the same name with a default changes every value and leaves file and
-- fence as they were.
create or replace function partition_archiver.seal_of(p_table oid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD'
    set intervalstyle = 'postgres' set extra_float_digits = 1 set bytea_output = 'hex' set lc_monetary = 'C'
  return (
    select jsonb_build_object(
      'relfilenode', pg_relation_filenode(c.oid),
      'owner', c.relowner,
      'columns', (
        select jsonb_agg(jsonb_build_array(a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation,
          a.attisdropped,
                 a.attgenerated, a.atthasmissing, a.attmissingval::text) order by a.attnum)
          from pg_attribute a where a.attrelid = c.oid and a.attnum > 0),
      'fence', (
        select jsonb_agg(jsonb_build_array(t.oid, t.xmin::text, t.tgname, t.tgtype, t.tgenabled, t.tgfoid)
          order by t.tgname)
          from pg_trigger t where t.tgrelid = c.oid and t.tgname like 'partition\_archiver\_fence\_%'),
      'types', partition_archiver.type_facts(p_table))
      from pg_class c where c.oid = p_table);

-- Which parts of a seal are no longer what they were; null where none. What was sealed of the types must
-- still be so; more of them (a label that was added) changes no value that is there.
create or replace function partition_archiver.seal_changes(p_sealed jsonb, p_now jsonb) returns text
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select string_agg(key, ', ' order by key)
    from jsonb_object_keys(p_sealed || coalesce(p_now, '{}')) as k (key)
   where case key when 'types' then not coalesce(p_now -> key, '[]') @> coalesce(p_sealed -> key, '[]')
                  else p_sealed -> key is distinct from p_now -> key end
$$;

reset role;
