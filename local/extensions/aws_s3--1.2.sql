-- Amazon RDS's aws_s3, played by COPY … PROGRAM and a sidecar process that speaks to S3.
--
-- Whose rights hold: the functions are SECURITY INVOKER, so that the caller's query runs with the caller's
-- privileges, row security, search_path and SET LOCAL settings, as on RDS. COPY … PROGRAM then wants the caller
-- to be a member of pg_execute_server_program; an event trigger makes members of those roles that are granted
-- EXECUTE here. So such a role can run programs on the local server, which it cannot on RDS: never install this
-- extension anywhere but in a local stack.
\echo Use "CREATE EXTENSION aws_s3" to load this file. \quit

CREATE SCHEMA aws_s3;
CREATE SCHEMA aws_s3_local;
COMMENT ON SCHEMA aws_s3_local IS 'what the stand-in needs and the real aws_s3 does not have';
GRANT USAGE ON SCHEMA aws_s3_local TO PUBLIC;

-- The command of one request. Its variable parts can hold nothing that means something to a shell.
CREATE FUNCTION aws_s3_local.curl(flags text, kind text, id uuid, last text)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  url text := current_setting('aws_s3_local.sidecar', true);
BEGIN
  IF url IS NULL OR url !~ '^http://127\.0\.0\.1:[0-9]+$' THEN
    RAISE EXCEPTION 'aws_s3_local.sidecar is not set: this server does not belong to a local stack'
      USING ERRCODE = 'config_file_error';
  END IF;
  IF last !~ '^([0-9a-f]*|commit|abort|finish)$' THEN
    RAISE EXCEPTION 'not a request of aws_s3_local';
  END IF;
  RETURN format('curl -q -sS --noproxy "*" %s %s/%s/%s/%s', flags, url, kind, id, last);
END
$function$;
REVOKE ALL ON FUNCTION aws_s3_local.curl FROM PUBLIC;

-- The command that moves the bytes of one call.
CREATE FUNCTION aws_s3_local.transfer(kind text, id uuid, parameters json)
RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE kind
    -- COPY writes 4 kB at a time; gathered by dd, they cost the sidecar half. --fail: an error status must fail
    -- the COPY, which has the status of curl. "Expect:" saves a round trip.
    WHEN 'export' THEN 'dd bs=1M iflag=fullblock status=none | '
      || aws_s3_local.curl('--fail -o /dev/null -H "Expect:" -T -', 'export', id, encoded)
    WHEN 'import' THEN aws_s3_local.curl('--fail', 'import', id, encoded)
  END
  FROM encode(convert_to(parameters::text, 'UTF8'), 'hex') AS encoded
$$;

-- Asks the sidecar how a call ended. COPY can send but not receive, so the answer comes through a file, one for
-- each backend and overwritten each time; hence also the owner's rights, which extend to nothing else.
CREATE FUNCTION aws_s3_local.conclude(kind text, id uuid, verb text)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  file text := format('aws_s3_local/%s.json', pg_backend_pid());
BEGIN
  IF kind NOT IN ('export', 'import') THEN
    RAISE EXCEPTION 'not a request of aws_s3_local';
  END IF;
  -- No row: nobody reads it, and where curl ends before it is written, COPY fails by a broken pipe.
  EXECUTE format('COPY (SELECT 1 WHERE false) TO PROGRAM %L', aws_s3_local.curl('-X POST -o ' || file, kind, id, verb));
  RETURN pg_read_file(file)::jsonb;
END
$function$;

-- Raises what the sidecar reported: 58000 what may pass, 38000 what will not pass by itself.
CREATE FUNCTION aws_s3_local.fail(message text, error jsonb)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
  RAISE EXCEPTION USING
    MESSAGE = message,
    DETAIL = format('Amazon S3 client returned ''%s''.', concat_ws(': ', error ->> 'code', error ->> 'message')),
    ERRCODE = CASE WHEN (error ->> 'transient')::boolean THEN '58000' ELSE '38000' END;
END
$function$;

CREATE FUNCTION aws_s3.query_export_to_s3(
  query text,
  bucket text,
  file_path text,
  region text DEFAULT NULL,
  options text DEFAULT NULL,
  kms_key text DEFAULT NULL,
  OUT rows_uploaded bigint,
  OUT files_uploaded bigint,
  OUT bytes_uploaded bigint)
LANGUAGE plpgsql
AS $function$
#variable_conflict use_variable
DECLARE
  id uuid := pg_catalog.gen_random_uuid();
  command text;
  outcome jsonb;
BEGIN
  command := aws_s3_local.transfer('export', id, pg_catalog.json_build_object(
    'bucket', COALESCE(bucket, ''),
    'key', COALESCE(file_path, ''),
    'region', region,
    'kmsKey', kms_key,
    'fileLimit', pg_catalog.pg_size_bytes(
      COALESCE(NULLIF(pg_catalog.current_setting('aws_s3_local.file_limit', true), ''), '6GB'))));
  BEGIN
    EXECUTE pg_catalog.format('COPY (%s) TO PROGRAM %L%s', query, command,
      CASE WHEN COALESCE(options, '') = '' THEN '' ELSE pg_catalog.format(' WITH (%s)', options) END);
    GET DIAGNOSTICS rows_uploaded = ROW_COUNT;
  -- OTHERS leaves cancellation out, which must not leave open uploads either.
  EXCEPTION WHEN query_canceled OR OTHERS THEN
    outcome := aws_s3_local.conclude('export', id, 'abort');
    IF outcome ? 'error' THEN
      PERFORM aws_s3_local.fail('could not upload to Amazon S3', outcome -> 'error');
    END IF;
    RAISE;
  END;
  -- The second phase: a query that fails half way ends the stream just as one that is complete, so only from
  -- here on may the files appear.
  outcome := aws_s3_local.conclude('export', id, 'commit');
  IF outcome ? 'error' OR NOT outcome ? 'files' THEN
    PERFORM aws_s3_local.fail('could not upload to Amazon S3', outcome -> 'error');
  END IF;
  files_uploaded := (outcome ->> 'files')::bigint;
  bytes_uploaded := (outcome ->> 'bytes')::bigint;
END
$function$;

CREATE FUNCTION aws_s3.query_export_to_s3(
  query text,
  s3_info aws_commons._s3_uri_1,
  options text DEFAULT NULL,
  kms_key text DEFAULT NULL,
  OUT rows_uploaded bigint,
  OUT files_uploaded bigint,
  OUT bytes_uploaded bigint)
LANGUAGE plpgsql
AS $function$
BEGIN
  SELECT * INTO rows_uploaded, files_uploaded, bytes_uploaded
  FROM aws_s3.query_export_to_s3(
    query, (s3_info).bucket, (s3_info).file_path, (s3_info).region, options, kms_key);
END
$function$;

CREATE FUNCTION aws_s3.table_import_from_s3(
  table_name text,
  column_list text,
  options text,
  bucket text,
  file_path text,
  region text,
  access_key text DEFAULT NULL,
  secret_key text DEFAULT NULL,
  session_token text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql
AS $function$
#variable_conflict use_variable
DECLARE
  id uuid := pg_catalog.gen_random_uuid();
  imported bigint;
  outcome jsonb;
  command text;
BEGIN
  command := aws_s3_local.transfer('import', id, pg_catalog.json_build_object(
    'bucket', COALESCE(bucket, ''),
    'key', COALESCE(file_path, ''),
    'region', region,
    'accessKey', access_key,
    'secretKey', secret_key,
    'sessionToken', session_token));
  BEGIN
    EXECUTE pg_catalog.format('COPY %s%s FROM PROGRAM %L %s', table_name,
      CASE WHEN COALESCE(column_list, '') = '' THEN '' ELSE pg_catalog.format(' (%s)', column_list) END,
      command, COALESCE(options, ''));
    GET DIAGNOSTICS imported = ROW_COUNT;
  EXCEPTION WHEN external_routine_exception THEN
    outcome := aws_s3_local.conclude('import', id, 'finish');
    IF outcome ? 'error' THEN
      PERFORM aws_s3_local.fail('could not download from Amazon S3', outcome -> 'error');
    END IF;
    RAISE;
  END;
  outcome := aws_s3_local.conclude('import', id, 'finish');
  RETURN pg_catalog.format('%s rows imported into relation "%s" from file %s of %s bytes',
    imported, table_name, file_path, outcome ->> 'bytes');
END
$function$;

CREATE FUNCTION aws_s3.table_import_from_s3(
  table_name text,
  column_list text,
  options text,
  s3_info aws_commons._s3_uri_1,
  credentials aws_commons._aws_credentials_1 DEFAULT NULL)
RETURNS text
LANGUAGE sql
AS $$
  SELECT aws_s3.table_import_from_s3(
    table_name, column_list, options, (s3_info).bucket, (s3_info).file_path, (s3_info).region,
    (credentials).access_key, (credentials).secret_key, (credentials).session_token)
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA aws_s3 FROM PUBLIC;

CREATE FUNCTION aws_s3_local.follow_grants()
RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  role_name name;
BEGIN
  FOR role_name IN
    SELECT DISTINCT r.rolname
    FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
    WHERE p.pronamespace = 'aws_s3'::regnamespace
      AND NOT pg_has_role(a.grantee, 'pg_execute_server_program', 'MEMBER')
  LOOP
    -- Roles belong to the whole server: another database may be doing the same just now.
    BEGIN
      EXECUTE format('GRANT pg_execute_server_program TO %I', role_name);
    EXCEPTION WHEN unique_violation THEN
      NULL;
    END;
  END LOOP;
END
$function$;

CREATE EVENT TRIGGER aws_s3_local_follow_grants ON ddl_command_end
  WHEN TAG IN ('GRANT')
  EXECUTE FUNCTION aws_s3_local.follow_grants();
