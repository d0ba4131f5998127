-- Enrol: lets the archiver work on the tables of one owner, and use pg_partman and aws_s3. Run by an administrator, who
-- acts with rights of his own: the function has none.
--
--   select partition_archiver.enroll('shop_owner', '{shop}');

set role archive_owner;

create or replace function partition_archiver.enroll(p_owner name, p_schemas name[]) returns void
  language plpgsql security invoker set search_path = pg_catalog, pg_temp as $$
declare
  v_schema name;
  v_partman name := (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
                      where e.extname = 'pg_partman');
begin
  -- Maintenance and quarantine alter tables, which only their owner may.
  execute format('grant %I to archive_owner, archiver_maintain', p_owner);
  foreach v_schema in array p_schemas loop
    execute format('grant usage on schema %I to archive_owner, archiver_trial, archiver_maintain', v_schema);
  end loop;
  if v_partman is not null then
    execute format('grant usage on schema %I to archive_owner, archiver_maintain', v_partman);
    execute format('grant select on all tables in schema %I to archive_owner', v_partman);
    execute format('grant select, insert, update, delete on all tables in schema %I to archiver_maintain', v_partman);
    execute format('grant execute on all routines in schema %I to archiver_maintain', v_partman);
  end if;
  if exists (select from pg_extension where extname = 'aws_s3') then
    grant usage on schema aws_s3, aws_commons to archiver_read;
    grant execute on all functions in schema aws_s3, aws_commons to archiver_read;
  end if;
end
$$;

reset role;
