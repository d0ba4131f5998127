-- Restore: the way back from S3 to a table.
--
-- The archived DDL is text from a bucket. archiver_restore runs it as itself, in partition_archiver_restore, and may do
-- nothing elsewhere; what has to be done with the rights of archive_owner, which is a member of the tables' owners, is
-- done by the functions here, and what they take from the archive they check word for word first.

create schema if not exists partition_archiver_restore authorization archive_owner;
comment on schema partition_archiver_restore is
  'partition-archiver: tables that are being restored, until their contents are proven';

set role archive_owner;

create table if not exists partition_archiver.restore (
  id bigint generated always as identity primary key,
  archive_id uuid not null,
  manifest_key text not null,
  manifest_version_id text not null,
  manifest_sha256 text not null,
  target_schema name not null,
  target_name name not null,
  owner name not null,
  work_name name,
  work_oid oid,
  -- Statements after the data that are done: indexes, triggers, comments.
  statements_done integer not null default 0,
  row_count bigint not null check (row_count >= 0),
  byte_count bigint not null check (byte_count >= 0),
  line_hash_sum text not null check (line_hash_sum ~ '^[0-9a-f]{16}$'),
  state text not null default 'begun' check (state in ('begun', 'proven', 'done', 'abandoned')),
  partition_id bigint references partition_archiver.partition (id),
  began_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  actor name not null default session_user,
  check ((state = 'done') = (partition_id is not null))
);
create unique index if not exists restore_target on partition_archiver.restore (target_schema, target_name)
  where state in ('begun', 'proven');

create table if not exists partition_archiver.restore_segment (
  restore_id bigint not null references partition_archiver.restore (id),
  number integer not null,
  row_count bigint not null check (row_count >= 0),
  imported_at timestamptz,
  primary key (restore_id, number)
);

comment on table partition_archiver.restore is 'one row for each restore, so that one that was interrupted can be resumed';
comment on table partition_archiver.restore_segment is 'which segments of a restore are imported: recorded in the transaction of the import';

-- Whether an object that the archived DDL depends on is there. Null where that cannot be told from its name alone.
create or replace function partition_archiver.dependency_exists(p_kind text, p_identity text) returns boolean
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return case
    when p_kind in ('table', 'view', 'materialized view', 'foreign table', 'sequence', 'composite type')
      then to_regclass(p_identity) is not null
    when p_kind = 'type' then to_regtype(p_identity) is not null
    when p_kind in ('function', 'procedure', 'aggregate') then to_regprocedure(p_identity) is not null
    when p_kind = 'operator' then to_regoperator(p_identity) is not null
    when p_kind = 'schema' then to_regnamespace(p_identity) is not null
    when p_kind = 'collation' then to_regcollation(p_identity) is not null
    when p_kind = 'role' then to_regrole(p_identity) is not null
    when p_kind = 'extension' then exists (select from pg_extension where quote_ident(extname) = p_identity)
    when p_kind = 'tablespace' then exists (select from pg_tablespace where quote_ident(spcname) = p_identity)
    when p_kind = 'publication' then exists (select from pg_publication where quote_ident(pubname) = p_identity)
  end;
-- An argument of a type, or a schema, that is not there either.
exception
  when undefined_object or invalid_schema_name or undefined_table or syntax_error or invalid_name then
    return false;
  -- In a schema that archive_owner may not use: what needs it will say so.
  when insufficient_privilege then
    return null;
end
$$;

-- Of the dependencies that an archive lists ([{kind, identity, definition, extension}]), those that are not there, and
-- types that are there with another definition. "statement" makes what is missing, where one is known.
create or replace function partition_archiver.missing_dependencies(p_dependencies jsonb)
  returns table (kind text, identity text, problem text, statement text)
  language sql stable security definer set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select d.kind, d.identity,
         case when e.is_there is false then 'is missing' else 'is there with another definition' end,
         coalesce(d.definition || ';', case
           when d.extension is not null then format('create extension %s;', d.extension)
           when d.kind in ('schema', 'role', 'extension', 'sequence') then format('create %s %s;', d.kind, d.identity) end)
    from jsonb_to_recordset(p_dependencies) as d (kind text, identity text, definition text, extension text)
    cross join lateral (select partition_archiver.dependency_exists(d.kind, d.identity) as is_there) e
   where case when e.is_there is null then false
              when not e.is_there then true
              else d.kind = 'type' and d.definition is not null
                and d.definition is distinct from partition_archiver.type_definition(to_regtype(d.identity)) end
   order by array_position(array['extension', 'role', 'schema', 'type'], d.kind), d.identity collate "C"
$$;

-- Why a table cannot be made here under this name for this owner. Empty where it can.
create or replace function partition_archiver.target_problems(p_schema name, p_name name, p_owner name) returns text[]
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select array(
    select format('there is no schema %I', p_schema) where to_regnamespace(quote_ident(p_schema)) is null
    union all
    select format('schema %I belongs to partition-archiver', p_schema)
      where p_schema in ('partition_archiver', 'partition_archive', 'partition_archiver_trial', 'partition_archiver_restore')
         or starts_with(p_schema, 'pg_') or p_schema = 'information_schema'
    union all
    select format('there is no role %I to own it', p_owner) where to_regrole(quote_ident(p_owner)) is null
    union all
    select format('archive_owner is not a member of role %1$I (grant %1$I to archive_owner;)', p_owner)
      where to_regrole(quote_ident(p_owner)) is not null and not pg_has_role('archive_owner', to_regrole(quote_ident(p_owner)), 'usage')
    union all
    select format('role %s may not use schema %I (select partition_archiver.enroll(%L, array[%L]::name[]);)', r.name, p_schema, p_owner, p_schema)
      from (values ('archive_owner'), ('archiver_restore')) as r (name)
     where to_regnamespace(quote_ident(p_schema)) is not null
       and not has_schema_privilege(r.name::name, to_regnamespace(quote_ident(p_schema)), 'usage')
    union all
    select format('role %1$I may not create tables in schema %2$I (grant create on schema %2$I to %1$I;)', r.name, p_schema)
      from (values (p_owner), ('archive_owner'::name)) as r (name)
     where to_regrole(quote_ident(r.name)) is not null and to_regnamespace(quote_ident(p_schema)) is not null
       and not has_schema_privilege(to_regrole(quote_ident(r.name)), to_regnamespace(quote_ident(p_schema)), 'create'))
$$;

-- The archived DDL as statements for a target; the caller runs them as itself.
create or replace function partition_archiver.render_restore(p_ddl jsonb, p_schema name, p_name name, p_sections text[]) returns text[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return partition_archiver.render_ddl(p_ddl, p_schema, p_name, p_sections);

-- Begins a restore, or finds the one that is under way for this archive and target. p_segments: [{number, rows}].
create or replace function partition_archiver.begin_restore(
    p_archive_id uuid, p_manifest_key text, p_manifest_version_id text, p_manifest_sha256 text, p_schema name, p_name name,
    p_owner name, p_segments jsonb, p_rows bigint, p_bytes bigint, p_line_hash_sum text) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  v_target text := format('%I.%I', p_schema, p_name);
  v_problems text[] := partition_archiver.target_problems(p_schema, p_name, p_owner);
  r partition_archiver.restore;
  v_known record;
  v_done bigint;
begin
  if v_problems <> '{}' then
    raise exception '%', array_to_string(v_problems, '; ') using errcode = 'PA014';
  end if;
  -- One at a time for one target.
  perform pg_advisory_xact_lock(hashtextextended('partition_archiver restore ' || v_target, 0));
  select * into r from partition_archiver.restore
   where (target_schema, target_name) = (p_schema, p_name) and state in ('begun', 'proven') for update;
  if found and (r.archive_id, r.manifest_version_id, r.manifest_sha256, r.owner)
       is distinct from (p_archive_id, p_manifest_version_id, p_manifest_sha256, p_owner) then
    raise exception 'restore % of another archive, or for another owner, to % is under way: finish or abandon it first', r.id, v_target
      using errcode = 'PA001';
  end if;
  -- Done already, and the answer was lost.
  select l.id into v_done
    from partition_archiver.restore d join partition_archiver.partition l on l.id = d.partition_id
   where d.archive_id = p_archive_id and d.manifest_sha256 = p_manifest_sha256 and d.state = 'done' and l.state = 'restored'
     and l.table_oid = to_regclass(v_target)::oid and (d.target_schema, d.target_name, d.owner) = (p_schema, p_name, p_owner);
  if v_done is not null then
    return jsonb_build_object('state', 'done', 'partition', v_done);
  end if;
  if to_regclass(v_target) is not null then
    raise exception 'there is already a table or another relation %', v_target using errcode = 'PA013';
  end if;
  if to_regtype(v_target) is not null then
    raise exception 'there is already a type %', v_target using errcode = 'PA013';
  end if;
  -- Where this database made the archive, its ledger knows the manifest.
  select l.manifest_sha256 into v_known from partition_archiver.partition l
   where l.archive_id = p_archive_id and l.manifest_sha256 is not null;
  if found and v_known.manifest_sha256 <> p_manifest_sha256 then
    raise exception 'the ledger knows archive % by another manifest', p_archive_id using errcode = 'PA015';
  end if;
  if r.id is null then
    insert into partition_archiver.restore (archive_id, manifest_key, manifest_version_id, manifest_sha256, target_schema,
        target_name, owner, row_count, byte_count, line_hash_sum)
      values (p_archive_id, p_manifest_key, p_manifest_version_id, p_manifest_sha256, p_schema, p_name, p_owner,
        p_rows, p_bytes, p_line_hash_sum)
      returning * into r;
    update partition_archiver.restore set work_name = 'restore_' || id where id = r.id returning * into r;
    insert into partition_archiver.restore_segment (restore_id, number, row_count)
      select r.id, s.number, s.rows from jsonb_to_recordset(p_segments) as s (number integer, rows bigint);
  end if;
  return jsonb_build_object('id', r.id, 'state', r.state, 'table', r.work_name, 'made', r.work_oid is not null,
    'statementsDone', r.statements_done,
    'open', (select coalesce(jsonb_agg(number order by number), '[]') from partition_archiver.restore_segment
              where restore_id = r.id and imported_at is null));
end
$$;

-- The restore that is under way for a target, locked, and its table, if it is still the one that was made.
create or replace function partition_archiver.claim_restore(p_id bigint, variadic p_states text[]) returns partition_archiver.restore
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  r partition_archiver.restore;
begin
  select * into r from partition_archiver.restore where id = p_id for update;
  if not found or r.state <> all (p_states) then
    raise exception 'restore % is %, not %', p_id, coalesce(r.state, 'unknown'), array_to_string(p_states, ' or ') using errcode = 'PA001';
  end if;
  if r.work_oid is distinct from to_regclass(format('partition_archiver_restore.%I', r.work_name))::oid then
    raise exception 'table partition_archiver_restore.% of restore % is gone or another one', r.work_name, p_id using errcode = 'PA001';
  end if;
  return r;
end
$$;

-- Records the table that archiver_restore made, in the transaction that made it.
create or replace function partition_archiver.record_restore_table(p_id bigint) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
begin
  update partition_archiver.restore r set work_oid = c.oid
    from pg_class c
   where r.id = p_id and r.state = 'begun' and r.work_oid is null
     and c.oid = to_regclass(format('partition_archiver_restore.%I', r.work_name)) and c.relkind = 'r';
  if not found then
    raise exception 'restore % has a table already, or none was made', p_id using errcode = 'PA001';
  end if;
end
$$;

-- Begins the import of a segment in this transaction: false where it is imported already, PA005 where another session is
-- at it just now.
create or replace function partition_archiver.begin_import(p_id bigint, p_number integer) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  v_open boolean;
begin
  if not pg_try_advisory_xact_lock(hashtextextended(format('partition_archiver import %s %s', p_id, p_number), 0)) then
    raise exception 'segment % of restore % is still being imported by another session', p_number, p_id using errcode = 'PA005';
  end if;
  -- Not locked: segments are imported side by side.
  if not exists (select from partition_archiver.restore r where r.id = p_id and r.state = 'begun' and r.statements_done = 0
                    and r.work_oid = to_regclass(format('partition_archiver_restore.%I', r.work_name))::oid) then
    raise exception 'restore % takes no data: it is done, abandoned, further on, or its table is gone', p_id using errcode = 'PA001';
  end if;
  select imported_at is null into v_open from partition_archiver.restore_segment where restore_id = p_id and number = p_number;
  if v_open is null then
    raise exception 'restore % has no segment %', p_id, p_number using errcode = 'PA001';
  end if;
  return v_open;
end
$$;

-- Records an import in its own transaction, so that a retry cannot import the same rows twice.
create or replace function partition_archiver.record_import(p_id bigint, p_number integer, p_rows bigint) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
begin
  update partition_archiver.restore_segment set imported_at = clock_timestamp()
   where restore_id = p_id and number = p_number and imported_at is null and row_count = p_rows;
  if not found then
    raise exception 'segment % of restore % was imported with % rows, not %', p_number, p_id, p_rows,
      (select row_count from partition_archiver.restore_segment where restore_id = p_id and number = p_number) using errcode = 'PA016';
  end if;
end
$$;

-- Records one of the statements that follow the data, in its own transaction.
create or replace function partition_archiver.record_restore_statement(p_id bigint, p_number integer) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  r partition_archiver.restore := partition_archiver.claim_restore(p_id, 'begun');
begin
  if exists (select from partition_archiver.restore_segment where restore_id = p_id and imported_at is null) then
    raise exception 'restore % has segments that are not imported', p_id using errcode = 'PA001';
  end if;
  update partition_archiver.restore set statements_done = p_number where id = p_id and statements_done = p_number - 1;
  if not found then
    raise exception 'restore % has done % statements, not %', p_id, r.statements_done, p_number - 1 using errcode = 'PA001';
  end if;
end
$$;

-- Records that the table was read again and is what the manifest says.
create or replace function partition_archiver.record_restore_proof(p_id bigint, p_rows bigint, p_bytes bigint, p_line_hash_sum text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  r partition_archiver.restore := partition_archiver.claim_restore(p_id, 'begun', 'proven');
begin
  if exists (select from partition_archiver.restore_segment where restore_id = p_id and imported_at is null)
     or (r.row_count, r.byte_count, r.line_hash_sum) <> (p_rows, p_bytes, p_line_hash_sum) then
    raise exception 'restore % is not what its manifest says', p_id using errcode = 'PA016';
  end if;
  update partition_archiver.restore set state = 'proven' where id = p_id;
end
$$;

-- Gives a restore up: its table goes, and the next one begins anew. Nobody else sees that table yet.
create or replace function partition_archiver.abandon_restore(p_id bigint) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  r partition_archiver.restore;
begin
  select * into r from partition_archiver.restore where id = p_id for update;
  if not found or r.state not in ('begun', 'proven', 'abandoned') then
    raise exception 'restore % is %, not begun or proven', p_id, coalesce(r.state, 'unknown') using errcode = 'PA001';
  end if;
  if r.work_oid is not null and r.work_oid = to_regclass(format('partition_archiver_restore.%I', r.work_name))::oid then
    execute format('drop table partition_archiver_restore.%I restrict', r.work_name);
  end if;
  update partition_archiver.restore set state = 'abandoned', ended_at = clock_timestamp() where id = p_id and state <> 'abandoned';
end
$$;

-- Statements of the archived DDL that are run with the rights of archive_owner: nothing but what is matched here word for
-- word. p_targets are the table and its own sequences, quoted. Answers 'foreign key', 'row security', 'grant', or null for what is left out.
create or replace function partition_archiver.restore_statement_kind(p_statement text, p_table text, p_sequences text[]) returns text
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  with word as (
    select '(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")' as name,
           regexp_replace(p_table, '([].\\*+?|(){}^$[])', '\\\1', 'g') as target),
  pattern as (
    select *, format('\(%1$s(?:, %1$s)*\)', name) as names,
           format('(?:TABLE %s%s)', target, (select string_agg('|SEQUENCE ' || regexp_replace(q, '([].\\*+?|(){}^$[])', '\\\1', 'g'), '')
                                               from unnest(p_sequences) q)) as object from word)
  select case
    when p_statement ~ format('^ALTER TABLE ONLY %1$s ADD CONSTRAINT %2$s FOREIGN KEY %3$s REFERENCES %2$s\.%2$s%3$s'
        '(?: MATCH FULL)?(?: ON (?:UPDATE|DELETE) (?:NO ACTION|RESTRICT|CASCADE|SET NULL|SET DEFAULT)(?: %3$s)?)*'
        '(?: DEFERRABLE)?(?: INITIALLY DEFERRED)?(?: NOT VALID)?$', target, name, names) then 'foreign key'
    when p_statement in (format('ALTER TABLE ONLY %s ENABLE ROW LEVEL SECURITY', p_table),
                         format('ALTER TABLE ONLY %s FORCE ROW LEVEL SECURITY', p_table)) then 'row security'
    when p_statement ~ format('^GRANT [A-Z]+(?: \(%2$s\))?(?:, [A-Z]+(?: \(%2$s\))?)* ON %1$s TO (?:PUBLIC|%2$s)(?: WITH GRANT OPTION)?$', object, name)
      or p_statement ~ format('^REVOKE ALL ON %1$s FROM (?:PUBLIC|%2$s)$', object, name) then 'grant'
    end from pattern
$$;

-- Brings a proven table out under its target name, all or nothing: schema, name, owner, foreign keys (not validated yet,
-- which would lock the referenced tables for as long as it takes), row security and grants, and its row in the ledger as
-- restored, so that no run archives it again. p_statements are of the sections that were asked for, for the target.
-- p_partition is the manifest's. Answers the ledger's id and what could not be done.
create or replace function partition_archiver.finish_restore(p_id bigint, p_statements jsonb, p_partition jsonb) returns jsonb
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  r partition_archiver.restore := partition_archiver.claim_restore(p_id, 'proven');
  v_target text := format('%I.%I', r.target_schema, r.target_name);
  v_work text := format('partition_archiver_restore.%I', r.work_name);
  v_warnings text[] := '{}';
  v_parent oid := to_regclass(format('%I.%I', p_partition ->> 'parentSchema', p_partition ->> 'parentName'))::oid;
  v_set record;
  v_object record;
  v_statement text;
  v_sequences text[];
  v_other_grantor boolean := false;
  v_partition_id bigint;
begin
  perform partition_archiver.set_lock_timeout();
  execute format('lock table only %s in access exclusive mode', v_work);
  if to_regclass(v_target) is not null or to_regtype(v_target) is not null then
    raise exception 'there is already a table or another relation %', v_target using errcode = 'PA013';
  end if;

  -- Indexes, sequences and statistics keep their names where these are free.
  for v_object in
    select c.oid, c.relname as name, case c.relkind when 'S' then 'sequence' else 'index' end as kind from pg_class c
     where (c.oid in (select indexrelid from pg_index where indrelid = r.work_oid)
            or c.oid in (select s.oid from partition_archiver.owned_sequences(r.work_oid) s))
       and (exists (select from pg_class o where o.relnamespace = to_regnamespace(quote_ident(r.target_schema)) and o.relname = c.relname)
            or c.relname = r.target_name)
  loop
    execute format('alter %s partition_archiver_restore.%I rename to %I', v_object.kind, v_object.name,
      partition_archiver.name_with(v_object.name, v_object.oid));
    v_warnings := v_warnings || format('%s %I is called %I: the name was taken', v_object.kind, v_object.name,
      partition_archiver.name_with(v_object.name, v_object.oid));
  end loop;
  execute format('alter table %s set schema %I', v_work, r.target_schema);
  execute format('alter table %I.%I rename to %I', r.target_schema, r.work_name, r.target_name);
  for v_object in
    select s.oid, s.stxname as name, n.nspname as schema from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
     where s.stxrelid = r.work_oid
  loop
    if v_object.schema = 'partition_archiver_restore' then
      if exists (select from pg_statistic_ext where stxnamespace = to_regnamespace(quote_ident(r.target_schema)) and stxname = v_object.name) then
        execute format('alter statistics partition_archiver_restore.%I rename to %I', v_object.name,
          partition_archiver.name_with(v_object.name, v_object.oid));
        v_warnings := v_warnings || format('statistics %I are called %I: the name was taken', v_object.name,
          partition_archiver.name_with(v_object.name, v_object.oid));
        v_object.name := partition_archiver.name_with(v_object.name, v_object.oid);
      end if;
      execute format('alter statistics partition_archiver_restore.%I set schema %I', v_object.name, r.target_schema);
      v_object.schema := r.target_schema;
    end if;
    execute format('alter statistics %I.%I owner to %I', v_object.schema, v_object.name, r.owner);
  end loop;
  -- Before the grants, which are then the owner's.
  execute format('alter table %s owner to %I', v_target, r.owner);

  v_sequences := array(select format('%I.%I', n.nspname, c.relname) from partition_archiver.owned_sequences(r.work_oid) q
                         join pg_class c on c.oid = q.oid join pg_namespace n on n.oid = c.relnamespace);
  for v_statement in select * from jsonb_array_elements_text(p_statements) loop
    case partition_archiver.restore_statement_kind(v_statement, v_target, v_sequences)
      when 'foreign key' then
        execute v_statement || case when v_statement ~ ' NOT VALID$' then '' else ' NOT VALID' end;
      when 'row security' then
        execute v_statement;
      when 'grant' then
        if not v_other_grantor then
          execute v_statement;
        else
          v_warnings := v_warnings || format('not done, since another role granted it: %s', v_statement);
        end if;
      else
        v_other_grantor := case when v_statement ~ '^SET ROLE ' then true when v_statement = 'RESET ROLE' then false else v_other_grantor end;
        if v_statement !~ '^(SET ROLE |RESET ROLE$|ALTER TABLE .* OWNER TO |ALTER STATISTICS .* OWNER TO )' then
          v_warnings := v_warnings || format('not done: %s', v_statement);
        end if;
    end case;
  end loop;

  select * into v_set from partition_archiver.partition_set(v_parent);
  insert into partition_archiver.partition (
      system_identifier, database_name, table_oid, table_schema, table_name, parent_oid, parent_schema, parent_name,
      control_column, control_kind, bounds, lower_bound, upper_bound, lower_time, upper_time, period, attach_statement, state)
    select partition_archiver.this_system(), current_database(), r.work_oid, r.target_schema, r.target_name, coalesce(v_parent, 0),
           p.parent_schema, p.parent_name, p.control_column, p.control_kind, p.bounds, p.lower_bound, p.upper_bound,
           case when p.control_kind = 'time' and v_set.control_kind = 'time'
             then partition_archiver.bound_time(p.lower_bound, v_set.control_type, v_set.epoch, 'UTC') end,
           case when p.control_kind = 'time' and v_set.control_kind = 'time'
             then partition_archiver.bound_time(p.upper_bound, v_set.control_type, v_set.epoch, 'UTC') end,
           p.period, format('alter table %I.%I attach partition %s %s', p.parent_schema, p.parent_name, v_target, p.bounds), 'restored'
      from (select p_partition ->> 'parentSchema' as parent_schema, p_partition ->> 'parentName' as parent_name,
                   p_partition ->> 'controlColumn' as control_column, p_partition ->> 'controlKind' as control_kind,
                   p_partition ->> 'bounds' as bounds, p_partition ->> 'lowerBound' as lower_bound,
                   p_partition ->> 'upperBound' as upper_bound, p_partition ->> 'period' as period) p
    returning id into v_partition_id;
  update partition_archiver.restore set state = 'done', partition_id = v_partition_id, ended_at = clock_timestamp() where id = p_id;
  return jsonb_build_object('partition', v_partition_id, 'warnings', to_jsonb(v_warnings));
end
$$;

-- Validates a foreign key of a restored table, under a lock that readers and writers of neither table notice.
create or replace function partition_archiver.validate_restored(p_partition_id bigint, p_constraint name) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_partition_id, 'restored');
begin
  perform partition_archiver.set_lock_timeout();
  if to_regclass(format('%I.%I', l.table_schema, l.table_name))::oid is distinct from l.table_oid then
    raise exception 'table %.% is another one now', l.table_schema, l.table_name using errcode = 'PA002';
  end if;
  execute format('alter table %I.%I validate constraint %I', l.table_schema, l.table_name, p_constraint);
end
$$;

-- Names of the foreign keys of a restored table that are not validated.
create or replace function partition_archiver.unvalidated_foreign_keys(p_partition_id bigint) returns name[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (select array(select k.conname from partition_archiver.partition l join pg_constraint k on k.conrelid = l.table_oid
                        where l.id = p_partition_id and l.state = 'restored' and k.contype = 'f' and not k.convalidated
                        order by k.conname));

-- Why a partition cannot be attached to a parent, or would not stay there. p_columns as in the archived DDL:
-- [{name, type, collation, not_null, generated}]. Empty where it can. p_table is the table, where there is one already.
create or replace function partition_archiver.attach_problems(
    p_parent_schema name, p_parent_name name, p_control_column name, p_lower text, p_upper text, p_columns jsonb) returns text[]
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' set quote_all_identifiers = off
  set row_security = off as $$
declare
  v_parent oid := to_regclass(format('%I.%I', p_parent_schema, p_parent_name))::oid;
  v_display text := format('%I.%I', p_parent_schema, p_parent_name);
  v_key record;
  v_set record;
  v_other record;
  v_overlaps boolean;
  v_is_old boolean;
  v_default_has_rows boolean;
  v_problems text[] := '{}';
begin
  select a.attname, format_type(a.atttypid, a.atttypmod) as type, t.partdefid, c.relispartition into v_key
    from pg_partitioned_table t join pg_attribute a on a.attrelid = t.partrelid and a.attnum = t.partattrs[0]
    join pg_class c on c.oid = t.partrelid
   where t.partrelid = v_parent and t.partstrat = 'r' and t.partnatts = 1;
  if not found then
    return array[format('%s is no table that is partitioned by ranges of one column', v_display)];
  end if;
  if v_key.attname <> p_control_column then
    return array[format('%s is partitioned by %I, the archive by %I', v_display, v_key.attname, p_control_column)];
  end if;

  select v_problems || coalesce(array_agg(format('column %I: %s', coalesce(p.name, c.name), case
           when p.name is null then 'the parent has none of this name'
           when c.name is null then 'the archive has none of this name'
           when p.type <> c.type then format('%s in the parent, %s in the archive', p.type, c.type)
           when p."collation" is distinct from c."collation" then 'another collation in the parent'
           when p.generated <> c.generated then 'generated in one of them only, or in another way'
           else 'NOT NULL in the parent, not so in the archive' end)), '{}') into v_problems
    from (select facts ->> 'name' as name, facts ->> 'type' as type, facts ->> 'collation' as "collation",
                 (facts ->> 'not_null')::boolean as not_null, facts ->> 'generated' as generated
            from partition_archiver.ddl_columns(v_parent, 'none')) p
    full join jsonb_to_recordset(p_columns) as c (name text, type text, "collation" text, not_null boolean, generated text) on c.name = p.name
   where p.name is null or c.name is null or p.type <> c.type or p."collation" is distinct from c."collation"
      or p.generated <> c.generated or p.not_null and not c.not_null;

  -- The range.
  for v_other in
    select n.nspname, c.relname, e.ends
      from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
      cross join lateral (select regexp_match(pg_get_expr(c.relpartbound, c.oid),
        '^FOR VALUES FROM \((?:''?)([^'']+?)(?:''?)\) TO \((?:''?)([^'']+?)(?:''?)\)$') as ends) e
     where i.inhparent = v_parent and c.oid <> v_key.partdefid
  loop
    execute format('select (%1$L = ''MAXVALUE'' or %2$L = ''MINVALUE'' or %3$L::%5$s < nullif(%2$L, ''MAXVALUE'')::%5$s or %2$L = ''MAXVALUE'')
                       and (%1$L = ''MINVALUE'' or nullif(%1$L, ''MINVALUE'')::%5$s < %4$L::%5$s)',
      v_other.ends[1], v_other.ends[2], p_lower, p_upper, v_key.type) into v_overlaps;
    if v_overlaps then
      v_problems := v_problems || format('the range is taken by %I.%I', v_other.nspname, v_other.relname);
    end if;
  end loop;
  if v_key.partdefid <> 0 then
    execute format('select exists (select from only %s where %I >= %L and %I < %L)', v_key.partdefid::regclass,
      p_control_column, p_lower, p_control_column, p_upper) into v_default_has_rows;
    if v_default_has_rows then
      v_problems := v_problems || 'the default partition has rows of this range'::text;
    end if;
  end if;

  -- pg_partman detaches by the lower bound and one interval, or by what it takes for them; here the wider reading counts.
  select * into v_set from partition_archiver.partition_set(v_parent);
  if v_set.retention is not null then
    if v_set.control_kind = 'time' then
      v_is_old := partition_archiver.bound_time(p_lower, v_set.control_type, v_set.epoch, 'UTC') + v_set.partition_interval::interval
        <= now() - v_set.retention::interval;
    else
      v_is_old := p_lower::numeric + v_set.partition_interval::numeric <= partition_archiver.highest_id(v_parent) - v_set.retention::numeric;
    end if;
    if v_is_old then
      v_problems := v_problems || format('the retention of %s is %L: its next maintenance would only detach the partition again',
        v_display, v_set.retention);
    end if;
  end if;
  return v_problems;
end
$$;

-- Attaches a restored table to a parent, its own or another one. PA017 with the reasons where it cannot be, or would not stay.
create or replace function partition_archiver.attach_restored(p_partition_id bigint, p_parent_schema name, p_parent_name name) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  l partition_archiver.partition := partition_archiver.claim(p_partition_id, 'restored');
  v_table text := format('%I.%I', l.table_schema, l.table_name);
  v_parent oid := to_regclass(format('%I.%I', p_parent_schema, p_parent_name))::oid;
  v_problems text[];
begin
  if to_regclass(v_table)::oid is distinct from l.table_oid then
    raise exception 'table % is another one now', v_table using errcode = 'PA002';
  end if;
  if exists (select from pg_inherits where inhrelid = l.table_oid and inhparent = v_parent) then
    return;
  end if;
  v_problems := partition_archiver.attach_problems(p_parent_schema, p_parent_name, l.control_column, l.lower_bound, l.upper_bound,
    (select jsonb_agg(facts) from partition_archiver.ddl_columns(l.table_oid, 'none')));
  if v_problems <> '{}' then
    raise exception '% cannot be attached to %.%: %', v_table, p_parent_schema, p_parent_name, array_to_string(v_problems, '; ')
      using errcode = 'PA017';
  end if;
  perform partition_archiver.set_lock_timeout();
  begin
    execute format('alter table %I.%I attach partition %s for values from (%L) to (%L)', p_parent_schema, p_parent_name, v_table,
      l.lower_bound, l.upper_bound);
  exception when lock_not_available or deadlock_detected or query_canceled or admin_shutdown then
    raise;
  when others then
    -- The message of a violated bound or constraint names tables and columns, and no values.
    raise exception '% cannot be attached to %.%: %', v_table, p_parent_schema, p_parent_name, sqlerrm using errcode = 'PA017';
  end;
  update partition_archiver.partition
     set parent_oid = v_parent, parent_schema = p_parent_schema, parent_name = p_parent_name, last_attached_at = now(),
         attach_statement = format('alter table %I.%I attach partition %s %s', p_parent_schema, p_parent_name, v_table, l.bounds)
   where id = p_partition_id;
end
$$;

reset role;
