-- Upgrade of the ledger: the rows that were written for this database before a major upgrade or a rename
-- become rows of what it is now, all of them or none. That this is the same database, and no copy of its
-- tables by dump or replication, is what the OIDs of its tables tell: pg_upgrade keeps them, and a dump does
-- not.

set role archiver_owner;

-- PreflightFailed where the rows of another system cannot be those of this database before an upgrade; with
-- p_forget, where they are.
create or replace function partition_archiver.check_upgrade(p_from bigint, p_database name, p_forget boolean)
  returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_matching bigint;
  v_others text;
  v_whose constant text := format('the database %I of the system %s', p_database, p_from);
  v_jobs constant bigint := (select count(*) from partition_archiver.mismatched_jobs() j
    where j.system_identifier = p_from and j.database_name = p_database);
begin
  if exists (select from pg_subscription_rel where srrelid in ('partition_archiver.partition'::regclass,
               'partition_archiver.segment'::regclass, 'partition_archiver.event'::regclass)) then
    raise exception 'a subscription still feeds the ledger of this database: switch over and drop the '
      'subscription first'
      using errcode = 'PA010'; -- PreflightFailed
  end if;
  with here as materialized (select * from partition_archiver.mismatched_tables(p_from, p_database)),
  -- What was made again under the name of an older row's table has a row of its own.
  other as (select * from here h where h.actual_oid <> h.table_oid
    and not exists (select from here o where o.matches and o.actual_oid = h.actual_oid))
  select v_jobs + (select count(*) from here where matches),
         (select string_agg(format('%s had oid %s and has %s', expected_name, table_oid, actual_oid), ', '
           order by id)
            from (select * from other order by id limit 10) x)
    into v_matching, v_others;
  if p_forget and v_matching > 0 then
    raise exception '% of % found here under the OIDs that they had: this is that database after an '
      'upgrade or a rename, so its rows are to be upgraded and not forgotten',
      partition_archiver.counted(v_matching, 'table'), v_whose using errcode = 'PA010'; -- PreflightFailed
  elsif not p_forget and (v_matching = 0 or v_others is not null) then
    raise exception 'this is not % after an upgrade or a rename, which keep the OIDs of tables: %. If its '
      'tables were copied (by a dump, or by replication), forget its rows: UpgradeLedger with {"from": "%", '
      '%"forget": true}; see docs/upgrade.md',
      v_whose, coalesce(v_others, 'none of its tables is here'), p_from,
      case when p_database <> current_database() then format('"database": %s, ', to_json(p_database::text))
        else '' end using errcode = 'PA010'; -- PreflightFailed
  end if;
end
$$;

-- What becomes of one row: its state, why it is blocked then, and the same for a person. Changes nothing.
create or replace function partition_archiver.resolve_row(l partition_archiver.partition,
  p_expected_name text, p_current_name text, p_forget boolean,
    out state text, out blocked_code text, out blocked_reason text, out remark text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  state := l.state;
  blocked_code := l.blocked_code;
  blocked_reason := l.blocked_reason;
  if p_forget then
    state := 'missing';
    remark := 'forgotten' || case
      when l.state in ('restored', 'released', 'blocked')
        then format('; if %s is attached, it is taken for any other partition', p_expected_name)
      when l.quarantine_name is not null then format('; if there is a table %s, no step looks after it',
        p_expected_name) else '' end;
  elsif p_current_name is null and l.state <> 'blocked' then
    state := 'missing';
    remark := 'its table is gone';
  elsif p_current_name is null or l.quarantine_name is null then
    remark := case l.state
        when 'attached' then 'stays in its set'
        when 'detached' then 'is archived once it is past the retention'
        when 'blocked' then 'stays blocked: ' || l.blocked_reason
        else 'no run archives it, as before' end
      || case when p_current_name <> p_expected_name then '; it is called ' || p_current_name || ' now'
        when p_current_name is null then '; its table is gone' else '' end;
  elsif p_current_name = format('%I.%I', l.table_schema, l.table_name) then
    -- On the server that this one got its rows from, but not its tables any more: a blue/green deployment.
    state := 'released';
    remark := format('it is not in quarantine here, but %s: resume it to have it archived',
      p_current_name);
  elsif p_current_name <> p_expected_name then
    state := 'blocked';
    blocked_code := 'IdentityChanged';
    blocked_reason := format('it was %s and is %s now', p_expected_name, p_current_name);
  elsif l.manifest_version_id is null then
    state := case l.state when 'blocked' then l.state else 'quarantined' end;
    remark := case l.state when 'blocked' then 'stays blocked: ' || l.blocked_reason
      else 'is exported from the beginning, behind a new fence' end;
  elsif l.state = 'verified' and l.system_identifier = partition_archiver.system_identifier() then
    remark := 'stays verified, with its archive under the old name';
  elsif l.state <> 'blocked' then
    state := 'blocked';
    blocked_code := 'SealBroken';
    blocked_reason := 'the server was upgraded, which makes the fence''s rows in the catalog again: have it '
      'verified again';
  end if;
  remark := coalesce(remark, 'blocked: ' || blocked_reason);
end
$$;

-- A partition in quarantine that has no archive yet: fenced and sealed again, and to be exported from the
-- beginning under an archive id of its own. What was exported before may differ from what this version
-- prints; and where the server was copied and then upgraded, the original continues under the old id. Returns
-- null, or why it is not the table that was sealed.
create or replace function partition_archiver.reset_quarantine(l partition_archiver.partition) returns text
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_table text := format('partition_archiver_quarantine.%I', l.quarantine_name);
  v_archive_id uuid := gen_random_uuid();
  v_changed text;
begin
  execute format('lock table only %s in access exclusive mode', v_table);
  v_changed := coalesce(
    (select format('it belongs to %I now', pg_get_userbyid(relowner)) from pg_class where oid = l.table_oid
      and relowner <> 'archiver_owner'::regrole),
    partition_archiver.altered_columns(l.seal, partition_archiver.seal_of(l.table_oid)) || ' changed',
    partition_archiver.in_one_line(partition_archiver.refusals(l.table_oid)));
  if v_changed is not null then
    return v_changed;
  end if;
  perform partition_archiver.protect_quarantined_table(v_table);
  insert into partition_archiver.segment (archive_id, number, first_block, next_block, mismatched_at)
    select v_archive_id, number, first_block, next_block, mismatched_at from partition_archiver.segment
      where archive_id = l.archive_id;
  delete from partition_archiver.segment where archive_id = l.archive_id;
  update partition_archiver.partition
     set archive_id = v_archive_id, seal = partition_archiver.seal_of(table_oid), exported_at = null
   where id = l.id;
  return null;
exception when insufficient_privilege then
  return 'it belongs to another role now';
end
$$;

-- Upgrades the rows that were written on the system p_from for a database of the name p_database, and the
-- unfinished jobs of partition-table. With p_forget they are forgotten: they are missing then, and a table
-- that has the name of one is taken for any other. One line for each row, with what became of it in words.
-- Safe to call again.
create or replace function partition_archiver.upgrade_ledger(p_from bigint, p_forget boolean, p_database name)
  returns table (id bigint, table_schema name, table_name name, was text, state text, remark text)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  v_this constant bigint := partition_archiver.system_identifier();
  v_here record;
  v_newer record;
  v_resolved record;
  v_changed text;
  v_oids oid[] := '{}';
  l partition_archiver.partition;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'transaction isolation is %', current_setting('transaction_isolation')
      using errcode = 'PA001'; -- StateConflict
  end if;
  -- Only autovacuum uses what is locked here.
  perform partition_archiver.set_long_lock_timeout();
  lock table partition_archiver.partition in share row exclusive mode;
  if not exists (select from partition_archiver.identity_mismatches() s where s.system = p_from
    and s.database = p_database) then
    return;
  end if;
  perform partition_archiver.check_upgrade(p_from, p_database, p_forget);

  for v_here in select * from partition_archiver.mismatched_tables(p_from, p_database) h order by h.id loop
    select * into l from partition_archiver.partition p where p.id = v_here.id;
    v_oids := v_oids || l.database_oid;
    select * into v_resolved
      from partition_archiver.resolve_row(l, v_here.expected_name, v_here.current_name, p_forget);
    -- Recorded again, by an inventory of a release that took no notice of the old row.
    select n.id, n.state into v_newer from partition_archiver.partition n
     where n.system_identifier = v_this and n.database_name = current_database() and n.table_oid = l.table_oid
       and n.state not in ('dropped', 'missing') and not p_forget;
    if v_newer.state in ('attached', 'detached') then
      update partition_archiver.partition p set state = 'missing' where p.id = v_newer.id;
    elsif v_newer.id is not null then
      v_resolved.state := 'missing';
      v_resolved.remark := format('was %s, but is %s by partition %s, which was recorded after it', l.state,
        v_newer.state, v_newer.id);
    end if;
    if v_resolved.state = 'quarantined' or v_resolved.state = 'blocked' and l.quarantine_name is not null
         and l.manifest_version_id is null and v_here.current_name = v_here.expected_name then
      v_changed := partition_archiver.reset_quarantine(l);
      if v_changed is not null then
        v_resolved.state := 'blocked';
        v_resolved.blocked_code := 'SealBroken';
        v_resolved.blocked_reason := v_changed;
        v_resolved.remark := 'blocked: ' || v_changed;
      end if;
    end if;

    update partition_archiver.partition p
       set system_identifier = case v_resolved.state when 'missing' then p_from else v_this end,
           database_name = case v_resolved.state when 'missing' then p_database else current_database() end,
           database_oid = case v_resolved.state when 'missing' then l.database_oid
             else partition_archiver.database_oid() end,
           state = v_resolved.state, blocked_state = case when v_resolved.state = 'blocked'
             then coalesce(l.blocked_state, l.state) end,
           blocked_code = case when v_resolved.state = 'blocked' then v_resolved.blocked_code end,
           blocked_reason = case when v_resolved.state = 'blocked' then v_resolved.blocked_reason end,
           -- Not to be dropped on the strength of a seal of another server, whatever the catalog's rows are
           -- like.
           seal = case when p.manifest_version_id is null or p_from = v_this then p.seal
             else p.seal || '{"fence": null}' end
     where p.id = l.id;
    if v_resolved.state = 'released' and l.quarantine_name is not null then
      update partition_archiver.partition p
         set archive_id = null, quarantine_name = null, original_owner = null, original_owner_oid = null,
             original_names = null, seal = null, ddl = null, column_list = null, row_count = null,
             byte_count = null, manifest_key = null, manifest_version_id = null, manifest_sha256 = null,
             counted_whole = null, table_bytes = null, drop_after = null, quarantined_at = null,
             exported_at = null, verified_at = null
       where p.id = l.id;
      delete from partition_archiver.segment where archive_id = l.archive_id;
    end if;
    insert into partition_archiver.event (partition_id, from_state, to_state, note)
      values (l.id, l.state, v_resolved.state, format('upgraded from database %I of the system %s: %s',
        p_database, p_from, v_resolved.remark));
    return query select l.id, l.table_schema, l.table_name, l.state, v_resolved.state, v_resolved.remark;
  end loop;

  -- Archives whose tables were dropped belong to this database, too: queries find them under its identity.
  -- Not those of an earlier database of this name, whose OID was another one.
  if not p_forget then
    update partition_archiver.partition p
       set system_identifier = v_this, database_name = current_database(),
         database_oid = partition_archiver.database_oid()
     where p.state = 'dropped' and p.system_identifier = p_from and p.database_name = p_database
       and p.database_oid = any (v_oids);
  end if;

  -- What partition-table has still to continue with, to roll back, or to drop.
  return query
    update partition_archiver.partition_job j
       set system_identifier = v_this, database_name = current_database(),
         database_oid = partition_archiver.database_oid(),
         -- pg_upgrade makes triggers again, a rename does not: a fence that was altered looks as before.
         trigger_state = case when j.state <> 'swapped' or p_from = v_this then j.trigger_state end
      from partition_archiver.mismatched_jobs() k
     where j.id = k.id and k.system_identifier = p_from and k.database_name = p_database
    returning j.id, j.table_schema, j.table_name, j.state, j.state, 'a job of PartitionTable: ' || case
      when j.state = 'swapped' and p_from <> v_this then 'nothing shows whether the replaced table was '
        'written to before the upgrade: look for such rows, and drop it yourself'
      when j.state = 'swapped' then 'the table that was replaced waits to be dropped'
      when p_from = v_this then 'it continues where it was' else 'roll it back, and begin again' end;
end
$$;

reset role;
