-- Preflight of the database: server, roles, schemas, extensions, publications.

set role archiver_owner;

-- Whether the configuration of pg_partman can be read: without it nothing can be said about partition sets.
create or replace function partition_archiver.partman_is_readable() returns boolean
  language sql stable set search_path = pg_catalog, pg_temp
  return coalesce((
    select has_schema_privilege('archiver_owner', n.nspname, 'usage')
           and has_table_privilege('archiver_owner', format('%I.part_config', n.nspname), 'select')
      from pg_extension e join pg_namespace n on n.oid = e.extnamespace
     where e.extname = 'pg_partman'), true);

create or replace function partition_archiver.database_problems(p_sets jsonb, p_accepted jsonb)
  returns table (subject text, problem text, remedy text)
  language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  v_partman name := partition_archiver.partman_schema();
begin
  if current_setting('server_version_num')::integer < 140000 then
    return query values ('PostgreSQL ' || current_setting('server_version'),
      'is older than 14, which cannot scan a range of blocks',
      'Upgrade the server.');
  end if;
  -- Two characters of one, or of both, become the same in UTF-8, and one of them comes back (tried with all
  -- of them).
  if getdatabaseencoding() in ('EUC_JP', 'EUC_TW', 'MULE_INTERNAL') then
    return query values ('database ' || quote_ident(current_database()), 'is encoded in '
      || getdatabaseencoding() || ', of which not every character comes back from UTF-8 as it was',
      'Move it to a database in UTF8.');
  end if;
  -- What pg_partman failed with is known by PostgreSQL's words alone; so the server is asked for some.
  -- Preflight is asked by another role than maintenance, but a role that may set this for one
  -- (db/schema/roles.sql) does it for both.
  begin
    perform 1 / 0;
  exception when division_by_zero then
    if sqlerrm <> 'division by zero' then
      return query values ('setting lc_messages',
        format('selects messages that are not in English (%s): errors that pg_partman re-raises as text '
          'could not be recognised',
          current_setting('lc_messages')),
        'Set it to C in the parameter group, or as a superuser: alter role archiver_maintain set '
          'lc_messages = ''C''; alter role archiver_read set lc_messages = ''C'';');
    end if;
  end;
  return query
    select 'role ' || r.name, format('may not connect to database %I', current_database()),
           format('grant connect on database %I to %I;', current_database(), r.name)
      from (values ('archiver_maintain'), ('archiver_read'), ('archiver_stream'), ('archiver_drop'),
        ('archiver_restore')) as r (name)
     where not has_database_privilege(r.name, current_database(), 'connect');
  return query
    select format('schema %I', nspname), format('belongs to %s, who may drop what is in it',
      nspowner::regrole),
           format('alter schema %I owner to archiver_owner;', nspname)
      from pg_namespace
     where nspname in ('partition_archiver', 'partition_archiver_quarantine', 'partition_archiver_trial',
       'partition_archiver_restore')
       and nspowner <> 'archiver_owner'::regrole;
  return query select s.subject, s.problem, s.remedy from partition_archiver.identity_mismatches() s;
  return query select e.subject, e.problem, e.remedy from partition_archiver.event_trigger_problems() e;
  return query
    select 'publication ' || quote_ident(p.publication), p.problem, p.remedy
      from partition_archiver.unaccepted_publications(p_sets, p_accepted) p;
  if v_partman is null then
    return query values ('extension pg_partman', 'is not installed',
      'create schema partman; create extension pg_partman schema partman;');
  else
    -- The upgrade of pg_partman from 4 to 5 makes its tables again, without what was granted on the old ones.
    if not partition_archiver.partman_is_readable() then
      return query values ('role archiver_owner', 'may not read the configuration of pg_partman', format(
        'grant usage on schema %1$I to archiver_owner; grant select on table %1$I.part_config to '
          'archiver_owner;', v_partman));
    end if;
    if not has_schema_privilege('archiver_maintain', v_partman, 'usage')
       or exists (select from partition_archiver.missing_partman_grants() m
         where m.grantee = 'archiver_maintain' and not m.is_template) then
      return query values ('role archiver_maintain', 'may not use pg_partman',
        'select partition_archiver.grant_extensions();');
    end if;
    -- As grant_part_config() grants it.
    return query
      select 'role archiver_maintain', 'may not make partitions without detaching others: it lacks UPDATE '
        'on columns of pg_partman''s configuration',
             format('grant update (%s) on %I.part_config to archiver_maintain;',
               string_agg(quote_ident(a.attname), ', ' order by a.attnum), v_partman)
        from pg_attribute a
       -- By the catalog: a lookup by name fails without USAGE on the schema.
       where a.attrelid = (select c.oid from pg_class c where c.relname = 'part_config'
         and c.relnamespace = (select oid from pg_namespace where nspname = v_partman))
         and not a.attisdropped
         and a.attname in ('retention', 'sub_partition_set_full', 'maintenance_last_run')
         and not has_column_privilege('archiver_maintain', a.attrelid, a.attnum, 'update')
      having count(*) > 0;
  end if;
  if p_sets <> '[]' and not exists (select from jsonb_array_elements(p_sets) as s (set)
    where coalesce(s.set ->> 'export', 'aws_s3') = 'aws_s3') then
    -- No set is exported by aws_s3.
    null;
  elsif not exists (select from pg_extension where extname = 'aws_s3') then
    return query values ('extension aws_s3', 'is not installed', 'create extension aws_s3 cascade;');
  elsif not has_schema_privilege('archiver_read', 'aws_s3', 'usage')
    or not has_schema_privilege('archiver_read', 'aws_commons', 'usage')
        or exists (select from pg_proc where pronamespace = 'aws_s3'::regnamespace
          and proname = 'query_export_to_s3'
                     and not has_function_privilege('archiver_read', oid, 'execute')) then
    return query values ('role archiver_read', 'may not export with aws_s3',
      'select partition_archiver.grant_extensions();');
  end if;

  -- Where new partitions go, as those that the application makes itself.
  return query
    select 'role archiver_maintain', format('may not create partitions in tablespace %I, which '
      'default_tablespace names', t.spcname),
           format('grant create on tablespace %I to archiver_maintain;', t.spcname)
      from pg_tablespace t
     where t.spcname = (
         -- As it is for archiver_maintain; that of this session is another one's.
         select split_part(c, '=', 2) from pg_db_role_setting s cross join unnest(s.setconfig) c
          where c like 'default\_tablespace=%' and s.setrole in (0, 'archiver_maintain'::regrole)
            and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
          order by s.setrole <> 0 desc, s.setdatabase <> 0 desc limit 1)
       and t.oid <> (select d.dattablespace from pg_database d where d.datname = current_database())
       and not has_tablespace_privilege('archiver_maintain', t.oid, 'create');
end
$$;

reset role;
