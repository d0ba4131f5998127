-- What is wrong with one partition set, or worth knowing of it, before anything is done with it.

set role archiver_owner;

-- Whether a text is a positive value of a type, by the server itself: pg_partman keeps intervals and
-- retentions as text.
create or replace function partition_archiver.is_positive(p_value text, p_type regtype) returns boolean
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_positive boolean;
begin
  execute format('select $1::%1$s > %2$L::%1$s', p_type, '0') into v_positive using p_value;
  return v_positive;
exception when data_exception or syntax_error then
  return false;
end
$$;

-- Values of pg_partman's configuration that end each maintenance of the set in an error.
create or replace function partition_archiver.value_problems(p_parent oid)
  returns table (problem text, remedy text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_set record;
  v_partman name := partition_archiver.partman_schema();
  v_type regtype;
begin
  select * into v_set from partition_archiver.partition_set(p_parent);
  v_type := case v_set.control_kind when 'id' then 'numeric' else 'interval' end;
  return query
    select format('its %s %L is no %s', v.column_name, v.value,
                  case v_set.control_kind when 'id' then 'positive number, which sets by id count in'
                    else 'positive interval' end),
           format('update %I.part_config set %I = %L where parent_table = %L;', v_partman, v.column_name,
             v.example,
                  v_set.parent_schema || '.' || v_set.parent_name)
      from (values ('partition_interval', v_set.partition_interval,
        case v_set.control_kind when 'id' then '1000000' else '1 month' end),
                   ('retention', v_set.retention, case v_set.control_kind when 'id' then '12000000'
                     else '12 months' end))
             as v (column_name, value, example)
     where v.value is not null and not partition_archiver.is_positive(v.value, v_type);
end
$$;

-- What of pg_partman's configuration of a set is not so any more, or keeps pg_partman from maintaining it.
create or replace function partition_archiver.configuration_problems(p_parent oid)
  returns table (problem text, remedy text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp
    set quote_all_identifiers = off as $$
declare
  v_partman name := partition_archiver.partman_schema();
  v_name text := (select n.nspname || '.' || c.relname from pg_class c
    join pg_namespace n on n.oid = c.relnamespace where c.oid = p_parent);
  v_key name := (select a.attname from pg_partitioned_table t join pg_attribute a on a.attrelid = t.partrelid
    and a.attnum = t.partattrs[0] where t.partrelid = p_parent and t.partstrat = 'r' and t.partnatts = 1);
  v_config jsonb;
  v_template text[];
begin
  execute format('select to_jsonb(p) from %I.part_config p where parent_table = $1', v_partman)
    into v_config using v_name;
  if v_key <> v_config ->> 'control' then
    problem := format('is partitioned by %I, but pg_partman''s configuration names %I', v_key,
      v_config ->> 'control');
    remedy := format('Where the column was renamed: update %I.part_config set control = %L where '
      'parent_table = %L;', v_partman, v_key, v_name);
    return next;
  end if;
  if (v_config ->> 'undo_in_progress')::boolean then
    problem := 'is being undone (undo_partition of pg_partman), which moves its rows elsewhere';
    remedy := format('Let that end and take the set out of the configuration; or, where it was given up: '
      'update %I.part_config set undo_in_progress = false where parent_table = %L;', v_partman, v_name);
    return next;
  end if;
  -- Kept without quotes; the first dot parts it.
  v_template := regexp_match(v_config ->> 'template_table', '^([^.]+)\.(.+)$');
  if v_template is not null and not exists (
      select from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = v_template[1] and c.relname = v_template[2]) then
    problem := format('has no template table %I.%I any more, and pg_partman makes no partition without it',
      v_template[1], v_template[2]);
    remedy := format('create table %1$I.%2$I (like %3$s including all); alter table %1$I.%2$I owner to '
      '%4$I;', v_template[1], v_template[2], p_parent::regclass,
      (select pg_get_userbyid(relowner) from pg_class where oid = p_parent));
    return next;
  end if;
end
$$;

-- Foreign keys that keep partitions of these sets attached. p_sets: [{schema, table}]; a set that refers to
-- another one of them leaves before it and is no trouble.
create or replace function partition_archiver.set_advice(p_sets jsonb)
  returns table (subject text, problem text, remedy text)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with sets as (
    select c.oid, format('%I.%I', n.nspname, c.relname) as name
      from jsonb_to_recordset(p_sets) as x (schema name, "table" name)
      join pg_namespace n on n.nspname = x.schema
      join pg_class c on c.relnamespace = n.oid and c.relname = x."table" and c.relkind = 'p')
  select s.name,
         case when k.conrelid = s.oid then
                format('refers to itself by foreign key %I: PostgreSQL detaches no partition that rows of '
                  'it refer to, so such partitions stay', k.conname)
              else format('is referred to by foreign key %I of %I.%I: a partition stays attached for as '
                'long as rows there refer to it',
                k.conname, n.nspname, c.relname) end,
         case when k.conrelid = s.oid then
                format('Do without it: alter table %s drop constraint %I; or take the set out of the '
                  'configuration.', s.name, k.conname)
              else format('Delete or archive the rows of %1$I.%2$I first, or do without it: alter table '
                '%1$I.%2$I drop constraint %3$I;',
                n.nspname, c.relname, k.conname) end
    from sets s
    join pg_constraint k on k.confrelid = s.oid and k.contype = 'f' and k.conparentid = 0
    join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
   where k.conrelid = s.oid or k.conrelid not in (select oid from sets)
  union all
  select s.name, 'has FORCE ROW LEVEL SECURITY: its policies hide rows from maintenance, too, or fail there',
         format('Look whether they let archiver_maintain see each row; or alter table %s no force row level '
           'security;', s.name)
    from sets s join pg_class c on c.oid = s.oid where c.relrowsecurity and c.relforcerowsecurity
   order by 1, 2
$$;

reset role;
