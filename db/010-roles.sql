-- The database roles. Run by an administrator (rds_superuser on RDS, a superuser elsewhere); safe to run again.
-- Passwords are not set here: the login roles are given theirs by whoever keeps the secrets.

do $roles$
declare
  v_role record;
begin
  for v_role in
    select *
      from (values ('archive_owner', false), ('archiver_maintain', true), ('archiver_read', true), ('archiver_drop', true))
        as r (name, login)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = v_role.name) then
      execute format('create role %I %s', v_role.name, case when v_role.login then 'login' else 'nologin' end);
    end if;
    -- A runaway statement must end before the Lambda that sent it is killed: RDS Proxy passes no cancel request on.
    if v_role.login then
      execute format('alter role %I set statement_timeout = %L', v_role.name, '14min');
      execute format('alter role %I set idle_in_transaction_session_timeout = %L', v_role.name, '15min');
    end if;
  end loop;

  -- Whoever installs must be able to act as the owner of what is installed.
  if not pg_catalog.pg_has_role(current_user, 'archive_owner', 'member') then
    execute format('grant archive_owner to %I', current_user);
  end if;
end
$roles$;

comment on role archive_owner is 'partition-archiver: owns its schemas, functions, ledger and the quarantined tables';
comment on role archiver_maintain is 'partition-archiver: runs pg_partman maintenance and quarantines detached partitions';
comment on role archiver_read is 'partition-archiver: exports and verifies quarantined partitions';
comment on role archiver_drop is 'partition-archiver: drops partitions whose archive is verified, and nothing else';
