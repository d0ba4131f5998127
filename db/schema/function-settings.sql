-- The settings that functions run with. The last file of an installation, when every function is there.

-- Functions that have settings of their own get all those that their statements are read by, and that names
-- and values are written by: they are also called where a role has none (an application's session that fires
-- a trigger, an administrator). And none is compiled just in time: PostgreSQL estimates what a query on the
-- catalogs costs far too high, and to compile it took up to nine tenths of a call (on 15.20,
-- begin_partition_job 3.6 s, without 0.4 s; swap_partition_job, which holds the lock of the swap, 2.2 s and
-- 0.5 s).
do $settings$
declare
  v_function record;
  v_missing text;
begin
  for v_function in
    select p.oid::regprocedure as signature, p.proconfig from pg_catalog.pg_proc p
     where p.pronamespace in (select oid from pg_catalog.pg_namespace
       where nspname like 'partition\_archiver%')
       and p.proconfig is not null and pg_catalog.pg_has_role(current_user, p.proowner, 'usage')
  loop
    select string_agg(format('set %s = %s', s.name, s.value), ' ') into v_missing
      from (values ('standard_conforming_strings', 'on'), ('quote_all_identifiers', 'off'),
        ('DateStyle', '''ISO, YMD'''),
                   ('IntervalStyle', 'postgres'), ('extra_float_digits', '1'), ('bytea_output', 'hex'),
                     ('array_nulls', 'on'),
                   ('transform_null_equals', 'off'), ('jit', 'off')) as s (name, value)
     where not exists (select from unnest(v_function.proconfig) as c (setting)
                        where lower(split_part(c.setting, '=', 1)) = lower(s.name));
    if v_missing is not null then
      execute format('alter routine %s %s', v_function.signature, v_missing);
    end if;
  end loop;
end
$settings$;
