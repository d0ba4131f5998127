-- Restore, bringing a proven table out.

set role archiver_owner;

-- Statements of the archived DDL that are run with the rights of archiver_owner: nothing but what is matched
-- here word for word. p_targets are the table and its own sequences, quoted. Returns 'foreign key', 'row
-- security', 'grant', or null for what is left out.
create or replace function partition_archiver.restore_statement_kind(p_statement text, p_table text,
  p_sequences text[]) returns text
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  with word as (
    select '(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")' as name,
           regexp_replace(p_table, '([].\\*+?|(){}^$[])', '\\\1', 'g') as target),
  pattern as (
    select *, format('\((?:PERIOD )?%1$s(?:, (?:PERIOD )?%1$s)*\)', name) as names,
           format('(?:TABLE %s%s)', target, (select string_agg('|SEQUENCE '
             || regexp_replace(q, '([].\\*+?|(){}^$[])', '\\\1', 'g'), '')
                                               from unnest(p_sequences) q)) as object from word)
  select case
    when p_statement ~ format('^ALTER TABLE ONLY %1$s ADD CONSTRAINT %2$s FOREIGN KEY %3$s REFERENCES '
      '%2$s\.%2$s%3$s'
        '(?: MATCH FULL)?(?: ON (?:UPDATE|DELETE) (?:NO ACTION|RESTRICT|CASCADE|SET NULL|SET DEFAULT)(?: '
          '%3$s)?)*'
        '(?: DEFERRABLE)?(?: INITIALLY DEFERRED)?(?: NOT VALID| NOT ENFORCED)?$', target, name,
          names) then 'foreign key'
    when p_statement in (format('ALTER TABLE ONLY %s ENABLE ROW LEVEL SECURITY', p_table),
                         format('ALTER TABLE ONLY %s FORCE ROW LEVEL SECURITY', p_table)) then 'row security'
    when p_statement ~ format('^GRANT [A-Z]+(?: \(%2$s\))?(?:, [A-Z]+(?: \(%2$s\))?)* ON %1$s TO '
      '(?:PUBLIC|%2$s)(?: WITH GRANT OPTION)?$', object, name)
      or p_statement ~ format('^REVOKE ALL ON %1$s FROM (?:PUBLIC|%2$s)$', object, name) then 'grant'
    end from pattern
$$;

-- The table that a foreign key refers to, quoted, of its statement in the archived DDL.
create or replace function partition_archiver.referenced_table(p_statement text) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
  return substring(p_statement from '\) REFERENCES ((?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")\.'
    '(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+"))\(');

-- Publishes a proven table under its target name, all or nothing: schema, name, owner, foreign keys (not
-- validated yet, which would lock the referenced tables for as long as it takes), row security and grants,
-- and its row in the ledger as restored, so that no run archives it again. Returns the ledger's id.
create or replace function partition_archiver.publish_restore(p_id bigint) returns bigint
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  r partition_archiver.restore;
  v_target text;
  v_work text;
  v_warnings text[] := '{}';
  v_unmade jsonb := '[]';
  v_code text;
  v_message text;
  v_context text;
  v_parent oid;
  v_set record;
  v_inventory record;
  v_time_zone text;
  v_object record;
  v_statement text;
  v_sequences text[];
  v_other_grantor boolean := false;
  v_partition_id bigint;
  v_deadline timestamptz;
begin
  perform partition_archiver.set_lock_timeout();
  -- Done already, and the answer was lost.
  select partition_id into v_partition_id from partition_archiver.restore where id = p_id
    and state = 'done' for update;
  if found then
    return v_partition_id;
  end if;
  r := partition_archiver.claim_restore(p_id, 'proven');
  if r.drill then
    raise exception 'restore % is a drill, which is never published', p_id
      using errcode = 'PA001'; -- StateConflict
  end if;
  v_target := format('%I.%I', r.target_schema, r.target_name);
  v_work := format('partition_archiver_restore.%I', r.work_name);
  v_parent := to_regclass(format('%I.%I', r.partition ->> 'parentSchema', r.partition ->> 'parentName'))::oid;
  perform partition_archiver.wait_for_autovacuum(r.work_oid);
  execute format('lock table only %s in access exclusive mode', v_work);
  -- Still the file that was proven.
  perform partition_archiver.proven_restore(p_id);
  if to_regclass(v_target) is not null or to_regtype(v_target) is not null then
    raise exception 'there is already a table or another relation %', v_target
      using errcode = 'PA013'; -- TargetExists
  end if;

  perform partition_archiver.hide_restored_names(p_id);
  select original_names into r.original_names from partition_archiver.restore where id = p_id;
  execute format('alter table %s set schema %I', v_work, r.target_schema);
  execute format('alter table %I.%I rename to %I', r.target_schema, r.work_name, r.target_name);
  -- Indexes, sequences and statistics get their names back where these are free.
  for v_object in
    select o.kind, o.oid, o.name, r.original_names ->> o.oid::text as original
      from partition_archiver.restored_objects(r.work_oid) o order by o.oid
  loop
    if v_object.kind = 'statistics' then
      execute format('alter statistics partition_archiver_restore.%I set schema %I', v_object.name,
        r.target_schema);
    end if;
    if v_object.kind = 'statistics' and exists (select from pg_statistic_ext
        where stxname = v_object.original and stxnamespace = to_regnamespace(quote_ident(r.target_schema)))
      or v_object.kind <> 'statistics' and exists (select from pg_class
        where relname = v_object.original and relnamespace = to_regnamespace(quote_ident(r.target_schema)))
    then
      v_warnings := v_warnings || format('%s %I is called %I: the name was taken', v_object.kind,
        v_object.original, v_object.name);
    else
      execute format('alter %s %I.%I rename to %I', v_object.kind, r.target_schema, v_object.name,
        v_object.original);
    end if;
  end loop;
  for v_object in
    select s.stxname as name, n.nspname as schema from pg_statistic_ext s
      join pg_namespace n on n.oid = s.stxnamespace
     where s.stxrelid = r.work_oid
  loop
    execute format('alter statistics %I.%I owner to %I', v_object.schema, v_object.name, r.owner);
  end loop;
  -- Before the grants, which are then the owner's.
  execute format('alter table %s owner to %I', v_target, r.owner);

  v_sequences := array(select format('%I.%I', n.nspname, c.relname)
    from partition_archiver.owned_sequences(r.work_oid) q
                         join pg_class c on c.oid = q.oid join pg_namespace n on n.oid = c.relnamespace);
  v_deadline := partition_archiver.lock_deadline();
  for v_statement in select * from jsonb_array_elements_text(r.last_statements) loop
    begin
      case partition_archiver.restore_statement_kind(v_statement, v_target, v_sequences)
        when 'foreign key' then
          perform partition_archiver.lock_tree(
            to_regclass(partition_archiver.referenced_table(v_statement))::oid, 'share row exclusive',
            v_deadline);
          execute v_statement || case when v_statement ~ ' NOT (VALID|ENFORCED)$' then ''
            else ' NOT VALID' end;
        when 'row security' then
          execute v_statement;
        when 'grant' then
          if not v_other_grantor then
            execute v_statement;
          else
            v_warnings := v_warnings || format('not done, since another role granted it: %s', v_statement);
          end if;
        else
          v_other_grantor := case when v_statement ~ '^SET ROLE ' then true
            when v_statement = 'RESET ROLE' then false else v_other_grantor end;
          if v_statement !~ '^(SET ROLE |RESET ROLE$|ALTER TABLE .* OWNER TO |ALTER STATISTICS .* OWNER TO )'
            then
            v_warnings := v_warnings || format('not done: %s', v_statement);
          end if;
      end case;
    -- Separately, as the statements that follow the data: a column that is not there takes its grants and its
    -- keys along.
    exception when others then
      get stacked diagnostics v_code = returned_sqlstate, v_message = message_text,
        v_context = pg_exception_context;
      if partition_archiver.passes_by_itself(v_code) then
        raise;
      end if;
      v_unmade := v_unmade || jsonb_build_object('statement', v_statement, 'code', v_code,
        'reason', partition_archiver.failure_in_words(v_code, v_message, v_context));
    end;
  end loop;

  select * into v_set from partition_archiver.partition_set(v_parent);
  -- What the inventory made of these bounds in the set's time zone; where the ledger has no such row, the
  -- zone in the manifest decides.
  select l.lower_time, l.upper_time, l.time_zone into v_inventory from partition_archiver.partition l
   where l.parent_schema = r.partition ->> 'parentSchema' and l.parent_name = r.partition ->> 'parentName'
     and l.lower_bound = r.partition ->> 'lowerBound' and l.upper_bound = r.partition ->> 'upperBound'
     and l.control_kind = r.partition ->> 'controlKind' and l.lower_time is not null
   order by l.archive_id is distinct from r.archive_id, l.id limit 1;
  v_time_zone := coalesce(v_inventory.time_zone, r.partition ->> 'timeZone');
  insert into partition_archiver.partition (
      system_identifier, database_name, table_oid, table_schema, table_name, parent_oid, parent_schema,
        parent_name,
      control_column, control_kind, bounds, lower_bound, upper_bound, lower_time, upper_time, period,
        attach_statement, time_zone, state)
    select partition_archiver.system_identifier(), current_database(), r.work_oid, r.target_schema,
      r.target_name, coalesce(v_parent, 0),
           p.parent_schema, p.parent_name, p.control_column, p.control_kind, p.bounds, p.lower_bound,
             p.upper_bound,
           coalesce(v_inventory.lower_time, t.lower_time), coalesce(v_inventory.upper_time, t.upper_time),
           p.period, format('alter table %I.%I attach partition %s %s', p.parent_schema, p.parent_name,
             v_target, p.bounds), v_time_zone, 'restored'
      from (select r.partition ->> 'parentSchema' as parent_schema,
        r.partition ->> 'parentName' as parent_name,
                   r.partition ->> 'controlColumn' as control_column,
                     r.partition ->> 'controlKind' as control_kind,
                   r.partition ->> 'bounds' as bounds, r.partition ->> 'lowerBound' as lower_bound,
                   r.partition ->> 'upperBound' as upper_bound, r.partition ->> 'period' as period) p
      left join lateral partition_archiver.bound_times(p.lower_bound, p.upper_bound, v_set.control_type,
        v_set.epoch, v_time_zone, p.period) t on (p.control_column, p.control_kind)
          = (v_set.control_column, v_set.control_kind)
    returning id into v_partition_id;
  update partition_archiver.restore
     set state = 'done', partition_id = v_partition_id, ended_at = clock_timestamp(), warnings = warnings
       || to_jsonb(v_warnings),
         unmade = unmade || v_unmade
   where id = p_id;
  return v_partition_id;
end
$$;

-- Validates a foreign key of a restored table, under a lock that readers and writers of neither table notice.
-- Nothing else: a check constraint would call functions of the application with the rights of archiver_owner.
create or replace function partition_archiver.validate_restored(p_partition_id bigint, p_constraint name)
  returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  l partition_archiver.partition := partition_archiver.claim_restored(p_partition_id);
begin
  if not exists (select from pg_constraint where conrelid = l.table_oid and conname = p_constraint
    and contype = 'f') then
    raise exception '%.% has no foreign key %', l.table_schema, l.table_name, quote_ident(p_constraint)
      using errcode = 'PA001'; -- StateConflict
  end if;
  execute format('alter table %I.%I validate constraint %I', l.table_schema, l.table_name, p_constraint);
end
$$;

-- Names of the foreign keys of a restored table that are not validated and were when it was archived.
create or replace function partition_archiver.unvalidated_foreign_keys(p_partition_id bigint) returns name[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (select array(select k.conname from partition_archiver.partition l
    join pg_constraint k on k.conrelid = l.table_oid
                        where l.id = p_partition_id and l.state = 'restored' and k.contype = 'f'
                          and not k.convalidated
                          -- A key to a partitioned table has parts, one for each of its partitions, which no
                          -- table fulfils alone; they are validated with it.
                          and k.conparentid = 0
                          and not exists (select from partition_archiver.restore r
                                           where r.partition_id = l.id and r.invalid_keys ? k.conname)
                        order by k.conname));

-- What was restored: {schema, table, rows, bytes, warnings, unmade, manifestKey, parentSchema, parentName}.
-- Null where the partition is no restored one.
create or replace function partition_archiver.published(p_partition_id bigint) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (select jsonb_build_object('schema', target_schema, 'table', target_name, 'rows', row_count,
    'bytes', byte_count,
                                    'warnings', warnings, 'unmade', unmade, 'manifestKey', manifest_key,
                                    'parentSchema', partition ->> 'parentSchema', 'parentName',
                                      partition ->> 'parentName')
            from partition_archiver.restore where partition_id = p_partition_id);

reset role;
