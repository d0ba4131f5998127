-- Partition-table, its end: shadow table and table change places.

set role archiver_owner;

-- Lets shadow table and table change places. 55P03 where the lock was not to be had in time, or too much
-- changed meanwhile; ShadowDiffers where a row that was taken over again differs. Nothing but what changed
-- since the last comparison is read under the lock.
create or replace function partition_archiver.swap_partition_job(p_id bigint, p_limit bigint) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
    set row_security = off as $$
declare
  j partition_archiver.partition_job;
  v_count bigint;
  v_old text;
  v_new text;
  v_object record;
  v_sequences jsonb;
  v_problems text[];
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'transaction isolation is %', current_setting('transaction_isolation')
      using errcode = 'PA001'; -- StateConflict
  end if;
  j := partition_archiver.claim_partition_job(p_id, 'checked');
  v_new := format('%I.%I', j.table_schema, j.table_name);
  v_old := format('partition_archiver_replaced.%I', j.table_name);
  perform partition_archiver.refuse_without_lock_room(j);
  perform partition_archiver.wait_for_autovacuum_of_job(j);
  -- Their foreign keys are dropped below, which needs this lock; a delete there comes to the table by
  -- cascade, and locks it second.
  perform partition_archiver.lock_referenced(j.table_oid);
  execute format('lock table only %s in access exclusive mode', v_new);
  -- What changed while this waited, or came to depend on the table since it began and would continue with the
  -- old one.
  j := partition_archiver.claim_partition_job(p_id, 'checked');
  if pg_relation_filenode(j.table_oid) <> j.filenode then
    -- ALTER COLUMN TYPE … USING may have changed rows, and fires no trigger.
    raise exception '% was rewritten since the comparison (VACUUM FULL, CLUSTER, ALTER TABLE): compare '
      'again, with upTo: check, --up-to-check', v_new using errcode = 'PA001'; -- StateConflict
  end if;
  v_problems := partition_archiver.partition_table_problems(j.table_oid, j.control_column, j.mode,
    j.options ->> 'keys');
  if not coalesce((j.options ->> 'trustFunctions')::boolean, false) then
    v_problems := v_problems || array(select partition_archiver.trigger_problems(j.table_oid,
      j.control_column));
  end if;
  if v_problems <> '{}' then
    raise exception '%', array_to_string(v_problems, E'\n') using errcode = 'PA010'; -- PreflightFailed
  end if;
  if j.mode = 'online' then
    execute format('select (select count(*) from partition_archiver_shadow.changelog_%1$s) + (select '
      'count(*) from partition_archiver_shadow.applied_%1$s)', p_id)
      into v_count;
    if v_count > p_limit then
      raise exception '% changed since the last comparison, more than are taken over under the lock',
        partition_archiver.counted(v_count, 'row') using errcode = '55P03';
    end if;
    perform partition_archiver.apply_changes(p_id);
    v_count := partition_archiver.differences_since_check(p_id);
    if v_count > 0 then
      raise exception '% and its shadow table differ in %', v_new,
          partition_archiver.counted(v_count, 'row')
        using errcode = 'PA018'; -- ShadowDiffers
    end if;
  end if;
  perform partition_archiver.extend_shadow(j);
  perform partition_archiver.empty_default(j);
  perform partition_archiver.drop_change_triggers(p_id, j.table_oid);
  -- Owner, grants, triggers and policies of now: they may have been others when it began.
  j.ddl := partition_archiver.capture_ddl(j.table_oid);
  j.table_owner := (select pg_get_userbyid(relowner) from pg_class where oid = j.table_oid);
  if j.ddl -> 'refused' <> '[]' then
    raise exception '%', (select string_agg(r, E'\n') from jsonb_array_elements_text(j.ddl -> 'refused') r)
      using errcode = 'PA010'; -- PreflightFailed
  end if;

  -- The old table: out of the way, behind a fence, without what would hold others up.
  v_sequences := partition_archiver.detach_sequences(j);
  for v_object in select conname from pg_constraint where conrelid = j.table_oid and contype = 'f'
    and conparentid = 0 loop
    execute format('alter table %s drop constraint %I', v_new, v_object.conname);
  end loop;
  for v_object in select n.nspname, s.stxname from pg_statistic_ext s
    join pg_namespace n on n.oid = s.stxnamespace where s.stxrelid = j.table_oid loop
    execute format('drop statistics %I.%I', v_object.nspname, v_object.stxname);
  end loop;
  execute format('alter table %s set schema partition_archiver_replaced', v_new);
  perform partition_archiver.create_fence_triggers(v_old);

  -- The new one, with its partitions, in its place.
  perform partition_archiver.refuse_taken_names(j);
  for v_object in select c.oid, c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = j.shadow_oid loop
    execute format('alter table partition_archiver_shadow.%I set schema %I', v_object.relname,
      j.table_schema);
    execute format('alter table %I.%I owner to %I', j.table_schema, v_object.relname, j.table_owner);
    perform partition_archiver.revoke_default_grants(v_object.oid);
  end loop;
  execute format('alter table partition_archiver_shadow.%I set schema %I', j.table_name, j.table_schema);
  perform partition_archiver.revoke_default_grants(j.shadow_oid);
  perform partition_archiver.copy_table_properties(j);
  perform partition_archiver.attach_sequences(j, v_sequences);
  perform partition_archiver.move_publications(j.table_oid, v_new);
  execute format('alter table %s owner to archiver_owner', v_old);
  perform partition_archiver.configure_partman(j);
  update partition_archiver.partition_job
     set state = 'swapped', swapped_at = clock_timestamp(),
       trigger_state = partition_archiver.trigger_state(j.table_oid)
    where id = p_id;
end
$$;

-- Takes away what default privileges of the administrator granted to others when the relation was made.
create or replace function partition_archiver.revoke_default_grants(p_relation oid) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_grant record;
begin
  for v_grant in
    select distinct case c.relkind when 'S' then 'sequence' else 'table' end as kind,
           case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end as grantee
      from pg_class c cross join lateral aclexplode(c.relacl) x
     where c.oid = p_relation and x.grantee <> c.relowner
  loop
    execute format('revoke all on %s %s from %s', v_grant.kind, p_relation::regclass, v_grant.grantee);
  end loop;
end
$$;

-- What makes the new table what the old one was: owner, grants, triggers, policies, statistics, comments.
create or replace function partition_archiver.copy_table_properties(j partition_archiver.partition_job)
  returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_new text := format('%I.%I', j.table_schema, j.table_name);
  v_column text := format('ALTER TABLE ONLY %s ALTER COLUMN ', v_new);
  v_statement text;
  v_table text;
begin
  foreach v_statement in array partition_archiver.render_ddl(j.ddl, j.table_schema, j.table_name,
    array['ownership']) loop
    continue when v_statement ~ '^ALTER STATISTICS ' or v_statement ~ '^(GRANT|REVOKE) .* ON SEQUENCE ';
    execute v_statement;
  end loop;
  foreach v_statement in array partition_archiver.render_ddl(j.ddl, j.table_schema, j.table_name,
    array['structure']) loop
    if v_statement ~ '^(CREATE STATISTICS|ALTER STATISTICS|CREATE POLICY|CREATE TRIGGER) '
       or starts_with(v_statement, format('ALTER TABLE %s ', v_new))
       and v_statement ~ '(DISABLE|ENABLE|REPLICA|ALWAYS) TRIGGER ("(?:[^"]|"")+"|[^ "]+)$' then
      execute v_statement;
    elsif starts_with(v_statement, v_column) then
      -- Statistics are made of partitions, too.
      for v_table in select i.inhrelid::regclass::text from pg_inherits i where i.inhparent = j.shadow_oid
        union all select v_new loop
        execute overlay(v_statement placing format('ALTER TABLE ONLY %s ALTER COLUMN ', v_table)
          from 1 for length(v_column));
      end loop;
    elsif v_statement ~ '^COMMENT ON ' and v_statement !~ '^COMMENT ON SEQUENCE ' then
      begin
        execute v_statement;
      exception when undefined_object or undefined_table then
        null; -- On a key that was dropped or is an index now.
      end;
    end if;
  end loop;
  foreach v_statement in array partition_archiver.render_ddl(j.ddl, j.table_schema, j.table_name,
    array['row_security']) loop
    execute regexp_replace(v_statement, '^ALTER TABLE ONLY ', 'ALTER TABLE ');
  end loop;
end
$$;

-- pg_partman's configuration for the place that the shadow table has now, with the retention.
create or replace function partition_archiver.configure_partman(j partition_archiver.partition_job)
  returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_partman name := partition_archiver.partman_schema();
  v_template name;
  v_wanted name := left(format('template_%s_%s', j.table_schema, j.table_name), 63)::name;
begin
  execute format($config$
      update %I.part_config set parent_table = %L, retention = %L, retention_keep_table = true,
             infinite_time_partitions = true, automatic_maintenance = 'on'
       where parent_table = %L returning split_part(template_table, '.', 2)$config$,
    v_partman, j.table_schema || '.' || j.table_name, j.options ->> 'retention', 'partition_archiver_shadow.'
      || j.table_name) into strict v_template;
  if v_template <> '' and to_regclass(format('%I.%I', v_partman, v_wanted)) is null then
    execute format('alter table %I.%I rename to %I', v_partman, v_template, v_wanted);
    execute format('update %I.part_config set template_table = %L where parent_table = %L', v_partman,
      v_partman || '.' || v_wanted,
      j.table_schema || '.' || j.table_name);
    v_template := v_wanted;
  end if;
  -- From 5.5 on pg_partman copies from the template table for members of its owner only.
  if v_template <> '' then
    begin
      execute format('alter table %I.%I owner to %I', v_partman, v_template, j.table_owner);
    exception when insufficient_privilege then
      null; -- The owner may not create tables there; the preflight says what to do.
    end;
  end if;
end
$$;

reset role;
