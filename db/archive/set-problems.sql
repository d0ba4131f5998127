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
  v_partman name := (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'pg_partman');
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
   order by s.name, k.conname
$$;

reset role;
