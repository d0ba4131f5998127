-- The database roles. Run by an administrator (rds_superuser on RDS, a superuser elsewhere); safe to run
-- again. Passwords are not set here: the login roles are given theirs by the administrator who keeps the
-- secrets.

do $roles$
declare
  v_version constant integer := current_setting('server_version_num');
  v_role record;
  v_setting record;
begin
  for v_role in
    select *
      from (values
        ('archiver_owner', false, 'owns its schemas, functions, ledger and the quarantined tables'),
        ('archiver_trial', false, 'evaluates generated columns and runs archived DDL on trial, and may do '
          'nothing else'),
        ('archiver_maintain', true, 'runs pg_partman maintenance and quarantines detached partitions'),
        ('archiver_read', true, 'exports and verifies quarantined partitions'),
        ('archiver_stream', true, 'copies quarantined partitions to S3 and records what was sent'),
        ('archiver_drop', true, 'drops partitions whose archive is verified, and nothing else'),
        ('archiver_restore', true, 'restores archives in a schema of its own')) as r (name, login, task)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = v_role.name) then
      begin
        execute format('create role %I %s', v_role.name,
          case when v_role.login then 'login' else 'nologin' end);
      exception when duplicate_object or unique_violation then
        null; -- made just now for another database of this server
      end;
    end if;
    -- Roles belong to the whole server. A comment locks its role until the end of the transaction, so that an
    -- installation in another database at the same time waits here, and does not fail below at "tuple
    -- concurrently updated".
    execute format('comment on role %I is %L', v_role.name, 'partition-archiver: ' || v_role.task);
    -- A runaway statement must end before the Lambda that sent it is killed: RDS Proxy passes no cancel
    -- request on.
    if v_role.login then
      execute format('alter role %I set statement_timeout = %L', v_role.name, '14min');
      execute format('alter role %I set idle_in_transaction_session_timeout = %L', v_role.name, '15min');
      -- Whatever the database has for others: how SQL is read, what names and values look like, what a
      -- transaction is (no lock helps a snapshot that is older than it), when a session ends. No lock is
      -- waited for without end: this timeout is that of all that are not asked for with a shorter one.
      for v_setting in
        select *
          from (values
            ('standard_conforming_strings', 'on'), ('backslash_quote', 'safe_encoding'),
              ('quote_all_identifiers', 'off'),
            ('DateStyle', 'ISO, YMD'), ('IntervalStyle', 'postgres'), ('extra_float_digits', '1'),
              ('bytea_output', 'hex'),
            ('xmlbinary', 'base64'), ('xmloption', 'content'), ('array_nulls', 'on'),
              ('transform_null_equals', 'off'),
            ('check_function_bodies', 'on'), ('default_transaction_isolation', 'read committed'),
            ('default_transaction_read_only', 'off'), ('default_transaction_deferrable', 'off'),
              ('exit_on_error', 'off'),
            ('lock_timeout', '1min'), ('idle_session_timeout', '0')) as s (name, value)
      loop
        execute format('alter role %I set %s = %L', v_role.name, v_setting.name, v_setting.value);
      end loop;
      -- Since 17, a database may be told to limit transactions as a whole, and to less than an export takes.
      if v_version >= 170000 then
        execute format('alter role %I set transaction_timeout = %L', v_role.name, '15min');
      end if;
      -- pg_partman passes on no more than the words of an error, and a lock timeout is to be known by them.
      begin
        execute format('alter role %I set lc_messages = %L', v_role.name, 'C');
      exception when insufficient_privilege then
        null; -- only a superuser may; preflight looks whether the words are English all the same
      end;
      -- The trail of the ledger is written by an ordinary trigger, which replicas do not fire.
      begin
        execute format('alter role %I set session_replication_role = %L', v_role.name, 'origin');
      exception when insufficient_privilege then
        null; -- then only a superuser can have set another for the database
      end;
    end if;
  end loop;

  -- The installing role must be able to act as the owners of what is installed. Since 16, a role that is no
  -- superuser and creates another is a member of it that may pass it on, but may neither become it nor use
  -- its rights.
  for v_role in select * from (values ('archiver_owner'), ('archiver_trial')) as r (name) loop
    if not pg_catalog.pg_has_role(current_user, v_role.name, 'usage')
       or not pg_catalog.pg_has_role(current_user, v_role.name,
         case when v_version >= 160000 then 'set' else 'member' end) then
      execute format('grant %I to %I %s', v_role.name, current_user,
        case when v_version >= 160000 then 'with inherit true, set true' end);
    end if;
  end loop;

  -- What archiver_restore has made, archiver_owner publishes under its target name.
  if not pg_catalog.pg_has_role('archiver_owner', 'archiver_restore', 'usage') then
    grant archiver_restore to archiver_owner;
  end if;

  -- A hardened database has taken the languages from PUBLIC. All three own functions of ours.
  for v_role in
    select r.name, l.lanname
      from (values ('archiver_owner'), ('archiver_trial'), ('archiver_restore')) as r (name)
      join pg_catalog.pg_language l on l.lanname in ('sql', 'plpgsql')
     where not pg_catalog.has_language_privilege(r.name, l.oid, 'usage')
  loop
    begin
      execute format('grant usage on language %I to %I', v_role.lanname, v_role.name);
    exception when insufficient_privilege then
      raise exception '% may not use language %, in which its functions are written', v_role.name,
        v_role.lanname
        using errcode = '42501',
              hint = format('As the owner of the language: grant usage on language %I to %I;',
                v_role.lanname, v_role.name);
    end;
  end loop;
end
$roles$;
