-- What is installed already: a newer version is never replaced by an older one, and no version while a step
-- of an execution is at work. Comes after schemas.sql, which looks whose the schema is: a function of
-- another role is not called as an administrator.

do $installed$
declare
  -- What schema_version() in ledger.sql returns.
  v_version constant integer := 1;
  v_installed integer;
  v_sessions text;
begin
  if to_regprocedure('partition_archiver.schema_version()') is not null then
    execute 'select partition_archiver.schema_version()' into v_installed;
  end if;
  if v_installed > v_version then
    raise exception 'this database has version % of the SQL of partition-archiver, which is newer than '
      'version % that was to be installed; install and deploy the release that brought version %, or a '
      'newer one',
      v_installed, v_version, v_installed using errcode = 'PA010'; -- PreflightFailed
  end if;
  -- A proxy keeps sessions that are idle. Of a role that does not see the sessions of others, the state is
  -- null.
  select string_agg(format('%s (%s, %s)', pid, usename, application_name), ', ' order by pid) into v_sessions
    from pg_stat_activity
   where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'
     and usename in ('archiver_maintain', 'archiver_read', 'archiver_stream', 'archiver_drop',
       'archiver_restore');
  if v_sessions is not null then
    raise exception 'an execution of partition-archiver is at work in this database, by the sessions %; '
      'wait until it has ended or stop it, then prepare again', v_sessions
      using errcode = 'PA010'; -- PreflightFailed
  end if;
end
$installed$;
