-- Registers an owner: lets the archiver work on the tables of one owner, and use pg_partman and aws_s3. Run
-- by an administrator, who acts with rights of his own: the function has none.
--
--   select partition_archiver.register_owner('shop_owner', '{shop}');

set role archiver_owner;

-- The template tables of pg_partman's sets; null where the caller may not read which they are.
create or replace function partition_archiver.partman_templates() returns oid[]
  language plpgsql stable security invoker set search_path = pg_catalog, pg_temp as $$
declare
  v_schema constant name := partition_archiver.partman_schema();
  v_templates oid[];
begin
  if has_schema_privilege(v_schema, 'usage')
    and has_table_privilege(format('%I.part_config', v_schema), 'select') then
    execute format($query$
      select coalesce(array_agg(c.oid), '{}') from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname || '.' || c.relname in (select template_table from %I.part_config)$query$, v_schema)
      into v_templates;
  end if;
  return v_templates;
end
$$;

-- What our roles need of pg_partman and do not have: on the members of the extension and on the template
-- tables of its sets. Never on all that is in its schema, which may be public.
create or replace function partition_archiver.missing_partman_grants()
  returns table (grantee name, is_template boolean, statement text)
  language plpgsql stable security invoker set search_path = pg_catalog, pg_temp as $$
declare
  v_extension constant oid := (select oid from pg_extension where extname = 'pg_partman');
begin
  return query
    select r.role::name, false, format('grant %s on table %s to %I;',
      string_agg(r.privilege, ', ' order by r.ordinal), c.oid::regclass, r.role)
      from pg_depend d join pg_class c on c.oid = d.objid and c.relkind in ('r', 'p', 'v')
      cross join (values ('archiver_owner', 'select', 0), ('archiver_maintain', 'select', 0),
        ('archiver_maintain', 'insert', 1),
                         ('archiver_maintain', 'update', 2), ('archiver_maintain', 'delete', 3)) as r (role,
                           privilege, ordinal)
     where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_extension'::regclass
       and d.refobjid = v_extension and d.deptype = 'e'
       -- grant_part_config() grants columns of this one.
       and not (c.relname = 'part_config' and r.privilege <> 'select')
       and not has_table_privilege(r.role, c.oid, r.privilege)
     group by c.oid, r.role;
  return query
    select 'archiver_maintain'::name, false, format('grant execute on routine %s to archiver_maintain;',
      d.objid::regprocedure)
      from pg_depend d
     where d.classid = 'pg_proc'::regclass and d.refclassid = 'pg_extension'::regclass
       and d.refobjid = v_extension and d.deptype = 'e'
       and not has_function_privilege('archiver_maintain', d.objid, 'execute');
  return query
    select 'archiver_maintain'::name, true, format('grant select on table %s to archiver_maintain;',
      t.oid::regclass)
      from unnest(partition_archiver.partman_templates()) as t (oid)
     where not has_table_privilege('archiver_maintain', t.oid, 'select');
end
$$;

-- What our roles were granted in pg_partman's schema, by versions before this one, on tables and routines
-- that are not of pg_partman.
create or replace function partition_archiver.excess_partman_grants()
  returns table (grantee name, object text, statement text)
  language sql stable security invoker set search_path = pg_catalog, pg_temp as $$
  with partman as (select e.oid, e.extnamespace as schema from pg_extension e where e.extname = 'pg_partman'),
    ours as (select r.oid, r.rolname from pg_roles r
      where r.rolname in ('archiver_owner', 'archiver_maintain'))
  select distinct o.rolname, c.oid::regclass::text,
    format('revoke select, insert, update, delete on table %s from %I;', c.oid::regclass, o.rolname)
    from partman p join pg_class c on c.relnamespace = p.schema and c.relkind in ('r', 'p', 'v', 'm', 'f')
    cross join lateral aclexplode(c.relacl) a join ours o on o.oid = a.grantee
   where c.relowner <> o.oid and c.oid <> all (partition_archiver.partman_templates())
     and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
       and d.deptype = 'e')
  union all
  select distinct o.rolname, f.oid::regprocedure::text,
    format('revoke execute on routine %s from %I;', f.oid::regprocedure, o.rolname)
    from partman p join pg_proc f on f.pronamespace = p.schema
    cross join lateral aclexplode(f.proacl) a join ours o on o.oid = a.grantee
   where f.proowner <> o.oid and o.rolname = 'archiver_maintain'
     and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = f.oid
       and d.deptype = 'e')
$$;

-- Lets our roles use pg_partman and aws_s3, as far as they are installed. Part of each registration.
create or replace function partition_archiver.grant_extensions() returns void
  language plpgsql security invoker set search_path = pg_catalog, pg_temp as $$
declare
  v_partman name := partition_archiver.partman_schema();
  v_other record;
  v_statement text;
begin
  if v_partman is not null then
    execute format('grant usage on schema %I to archiver_owner, archiver_maintain', v_partman);
    for v_statement in select m.statement from partition_archiver.missing_partman_grants() m loop
      execute v_statement;
    end loop;
    -- Earlier versions granted whatever was in pg_partman's schema.
    for v_statement in select e.statement from partition_archiver.excess_partman_grants() e loop
      begin
        execute v_statement;
      exception when insufficient_privilege then
        null; -- prepare lists it
      end;
    end loop;
    -- After whatever is granted on pg_partman's tables as a whole.
    perform partition_archiver.grant_part_config(v_partman);
  end if;
  if exists (select from pg_extension where extname = 'aws_s3') then
    grant usage on schema aws_s3, aws_commons to archiver_read, archiver_restore;
    grant execute on all functions in schema aws_s3, aws_commons to archiver_read, archiver_restore;
    -- Each in its own direction only. archiver_restore runs DDL out of the bucket: it must not be able to
    -- write there. What PUBLIC may, it may, too: then those who are let into the schema get it by name, and
    -- PUBLIC no more.
    for v_other in
      select p.oid::regprocedure as function, w.role from pg_proc p
        join (values ('query_export_to_s3', 'archiver_restore'),
          ('table_import_from_s3', 'archiver_read')) as w (name, role)
          on w.name = p.proname
       where p.pronamespace = 'aws_s3'::regnamespace
    loop
      execute format('revoke execute on function %s from %I', v_other.function, v_other.role);
      if has_function_privilege(v_other.role, v_other.function::oid, 'execute') then
        perform partition_archiver.withdraw_from_public(v_other.function);
      end if;
    end loop;
  end if;
end
$$;

-- What maintenance writes into pg_partman's configuration: the retention, which is null within a transaction,
-- and what run_maintenance itself notes there. By column: a role that may write the others can have
-- pg_partman drop or move tables.
create or replace function partition_archiver.grant_part_config(p_partman name) returns void
  language plpgsql security invoker set search_path = pg_catalog, pg_temp as $$
begin
  execute format('revoke insert, update, delete on %I.part_config from archiver_maintain', p_partman);
  execute (
    select format('grant select, update (%s) on %I.part_config to archiver_maintain',
                  string_agg(quote_ident(a.attname), ', ' order by a.attnum), p_partman)
      from pg_attribute a
     where a.attrelid = format('%I.part_config', p_partman)::regclass and not a.attisdropped
       and a.attname in ('retention', 'sub_partition_set_full', 'maintenance_last_run'));
end
$$;

-- Revokes EXECUTE on a function of aws_s3 from PUBLIC and grants it to every role with USAGE on its schema,
-- except ours. Not where PUBLIC has USAGE, or the function is not the administrator's: prepare reports it
-- then.
create or replace function partition_archiver.withdraw_from_public(p_function regprocedure) returns void
  language plpgsql security invoker set search_path = pg_catalog, pg_temp as $$
declare
  v_users oid[] := array(
    select a.grantee from pg_namespace n, aclexplode(n.nspacl) a
     where n.nspname = 'aws_s3' and a.privilege_type = 'USAGE' and a.grantee <> n.nspowner
       and a.grantee not in (select oid from pg_roles
         where rolname in ('archiver_read', 'archiver_restore')));
  v_user oid;
begin
  if 0 = any (v_users) then
    return;
  end if;
  foreach v_user in array v_users loop
    execute format('grant execute on function %s to %I', p_function, pg_get_userbyid(v_user));
  end loop;
  execute format('revoke execute on function %s from public', p_function);
exception when insufficient_privilege then
  null;
end
$$;

-- What a role may beyond its own tables, itself or as a member of others; null where it is nothing.
-- archiver_maintain, which logs in, becomes a member of each registered owner: its password would open all of
-- that.
create or replace function partition_archiver.rights_beyond_tables(p_role name) returns text
  language sql stable security invoker set search_path = pg_catalog, pg_temp as $$
  with recursive up (oid) as (
    select oid from pg_roles where rolname = p_role
    union
    select a.roleid from up join pg_auth_members a on a.member = up.oid)
  select string_agg(
           case when r.rolname = p_role then 'has the attributes ' || p.power
                when p.power = r.rolname then 'is a member of ' || r.rolname
                else format('is a member of %s, which has the attributes %s', r.rolname, p.power) end, ', '
                  order by r.rolname <> p_role, r.rolname)
    from up join pg_roles r on r.oid = up.oid
    cross join lateral (select case when r.rolname in ('rds_superuser', 'rds_replication',
      'pg_execute_server_program', 'pg_read_server_files',
                                        'pg_write_server_files', 'pg_read_all_data',
                                          'pg_write_all_data') then r.rolname::text
                                    else nullif(concat_ws(', ', case when r.rolsuper then 'superuser' end,
                                      case when r.rolcreaterole then 'createrole' end,
                                        case when r.rolbypassrls then 'bypassrls' end,
                                          case when r.rolreplication then 'replication' end),
                                          '') end as power) p
   where p.power is not null
     -- The local stack's stand-in for aws_s3 grants this to each role that may use it; no role of RDS has it.
     and not (p.power = 'pg_execute_server_program' and to_regnamespace('aws_s3_local') is not null)
$$;

-- The statements that give a partition set, or a plain table, to a role of its own. The role that had it
-- becomes a member, so that the application keeps its rights.
create or replace function partition_archiver.statements_for_own_role(p_table oid) returns text
  language sql stable security invoker set search_path = pg_catalog, pg_temp as $own$
  select format('create role %1$I; grant %1$I to %2$I%3$s; grant usage, create on schema %4$I to %1$I; '
           || 'do $$ declare t regclass; begin for t in select relid from pg_partition_tree(%5$L) union '
             'select %5$L::regclass loop '
           || 'execute format(''alter table %%s owner to %%I'', t, %1$L); end loop; end $$;',
           r.name, pg_get_userbyid(c.relowner),
           case when current_setting('server_version_num')::integer >= 160000
             then ' with inherit true, set true' else '' end,
           n.nspname, format('%I.%I', n.nspname, c.relname))
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    cross join lateral (
      select candidate as name
        from (values (n.nspname || '_owner'), (n.nspname || '_' || c.relname || '_owner'),
        ('owner_of_' || c.oid)) as w (candidate)
       where length(candidate) <= 63 and to_regrole(quote_ident(candidate)) is null limit 1) r
   where c.oid = p_table
$own$;

create or replace function partition_archiver.register_owner(p_owner name, p_schemas name[]) returns void
  language plpgsql security invoker set search_path = pg_catalog, pg_temp set lock_timeout = '30s' as $$
declare
  v_schema name;
  v_beyond constant text := partition_archiver.rights_beyond_tables(p_owner);
begin
  if v_beyond is not null then
    raise exception 'owner % is not registered, since it %: archiver_maintain, which logs in, would become '
      'a member of it', quote_ident(p_owner), v_beyond
      using errcode = 'PA010', -- PreflightFailed
            hint = 'Give the tables to a role of their own; docs/setup.md has the statements.';
  end if;
  -- Maintenance and quarantine alter tables, which only their owner may.
  execute format('grant %I to archiver_owner, archiver_maintain', p_owner);
  foreach v_schema in array p_schemas loop
    execute format('grant usage on schema %I to archiver_owner, archiver_trial, archiver_maintain, '
      'archiver_restore', v_schema);
  end loop;
  perform partition_archiver.grant_extensions();
end
$$;

reset role;
