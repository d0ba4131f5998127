-- Enrol: lets the archiver work on the tables of one owner, and use pg_partman and aws_s3. Run by an administrator, who
-- acts with rights of his own: the function has none.
--
--   select partition_archiver.enroll('shop_owner', '{shop}');

set role archive_owner;

-- Lets our roles use pg_partman and aws_s3, as far as they are installed. Part of each enrolment.
create or replace function partition_archiver.grant_extensions() returns void
  language plpgsql security invoker set search_path = pg_catalog, pg_temp as $$
declare
  v_partman name := (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
                      where e.extname = 'pg_partman');
  v_other record;
begin
  if v_partman is not null then
    execute format('grant usage on schema %I to archive_owner, archiver_maintain', v_partman);
    execute format('grant select on all tables in schema %I to archive_owner', v_partman);
    execute format('grant select, insert, update, delete on all tables in schema %I to archiver_maintain', v_partman);
    execute format('grant execute on all routines in schema %I to archiver_maintain', v_partman);
    -- After whatever is granted on pg_partman's tables as a whole.
    perform partition_archiver.grant_part_config(v_partman);
  end if;
  if exists (select from pg_extension where extname = 'aws_s3') then
    grant usage on schema aws_s3, aws_commons to archiver_read, archiver_restore;
    grant execute on all functions in schema aws_s3, aws_commons to archiver_read, archiver_restore;
    -- Each in its own direction only. archiver_restore runs DDL out of the bucket: it must not be able to write there. What
    -- PUBLIC may, it may, too: then those who are let into the schema get it by name, and PUBLIC no more.
    for v_other in
      select p.oid::regprocedure as function, w.role from pg_proc p
        join (values ('query_export_to_s3', 'archiver_restore'), ('table_import_from_s3', 'archiver_read')) as w (name, role)
          on w.name = p.proname
       where p.pronamespace = 'aws_s3'::regnamespace
    loop
      execute format('revoke execute on function %s from %I', v_other.function, v_other.role);
      if has_function_privilege(v_other.role, v_other.function::oid, 'execute') then
        perform partition_archiver.withdraw_from_public(v_other.function);
      end if;
    end loop;
  end if;
end
$$;

-- What maintenance writes into pg_partman's configuration: the retention, which is null within a transaction, and what
-- run_maintenance itself notes there. By column: whoever may write the others has pg_partman drop or move tables.
create or replace function partition_archiver.grant_part_config(p_partman name) returns void
  language plpgsql security invoker set search_path = pg_catalog, pg_temp as $$
begin
  execute format('revoke insert, update, delete on %I.part_config from archiver_maintain', p_partman);
  execute (
    select format('grant select, update (%s) on %I.part_config to archiver_maintain',
                  string_agg(quote_ident(a.attname), ', ' order by a.attnum), p_partman)
      from pg_attribute a
     where a.attrelid = format('%I.part_config', p_partman)::regclass and not a.attisdropped
       and a.attname in ('retention', 'sub_partition_set_full', 'maintenance_last_run'));
end
$$;

-- Takes a function of aws_s3 away from PUBLIC, and from nobody who is let into its schema but our roles. Not where PUBLIC is let
-- in, or the function is not the administrator's: prepare says so then.
create or replace function partition_archiver.withdraw_from_public(p_function regprocedure) returns void
  language plpgsql security invoker set search_path = pg_catalog, pg_temp as $$
declare
  v_users oid[] := array(
    select a.grantee from pg_namespace n, aclexplode(n.nspacl) a
     where n.nspname = 'aws_s3' and a.privilege_type = 'USAGE' and a.grantee <> n.nspowner
       and a.grantee not in (select oid from pg_roles where rolname in ('archiver_read', 'archiver_restore')));
  v_user oid;
begin
  if 0 = any (v_users) then
    return;
  end if;
  foreach v_user in array v_users loop
    execute format('grant execute on function %s to %I', p_function, pg_get_userbyid(v_user));
  end loop;
  execute format('revoke execute on function %s from public', p_function);
exception when insufficient_privilege then
  null;
end
$$;

create or replace function partition_archiver.enroll(p_owner name, p_schemas name[]) returns void
  language plpgsql security invoker set search_path = pg_catalog, pg_temp as $$
declare
  v_schema name;
begin
  -- Maintenance and quarantine alter tables, which only their owner may.
  execute format('grant %I to archive_owner, archiver_maintain', p_owner);
  foreach v_schema in array p_schemas loop
    execute format('grant usage on schema %I to archive_owner, archiver_trial, archiver_maintain, archiver_restore', v_schema);
  end loop;
  perform partition_archiver.grant_extensions();
end
$$;

reset role;
