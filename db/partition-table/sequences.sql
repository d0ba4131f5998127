-- Partition-table, at the swap: the sequences of the table's columns go to the new table, and stay what they
-- are for the application.

set role archiver_owner;

-- The sequences that belong to columns of the table, made ready to go to the new one: [{oid, name, column,
-- identity}]. Serial columns' change their owner; an identity's cannot, so that of the new table takes over
-- its name, options and value.
create or replace function partition_archiver.detach_sequences(j partition_archiver.partition_job)
  returns jsonb
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_shadow text := format('partition_archiver_shadow.%I', j.table_name);
  v_sequences jsonb;
  v_each record;
  v_value record;
  v_new regclass;
begin
  select coalesce(jsonb_agg(jsonb_build_object('oid', s.oid, 'name', s.name, 'column', a.attname,
           'identity', s.is_identity) order by s.number), '[]')
    into v_sequences
    from partition_archiver.owned_sequences(j.table_oid) s
    join pg_attribute a on a.attrelid = j.table_oid and a.attnum = s.attnum;
  for v_each in
    select * from jsonb_to_recordset(v_sequences) as s (oid oid, name name, "column" name, identity boolean)
  loop
    if v_each.identity then
      v_new := pg_get_serial_sequence(v_shadow, v_each.column)::regclass;
      execute format('alter sequence %s %s', v_new, (
        select format('INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s CYCLE', seqincrement,
                 seqmin, seqmax, seqstart, seqcache, case when seqcycle then '' else 'NO' end)
          from pg_sequence where seqrelid = v_each.oid));
      execute format('select last_value, is_called from %s', v_each.oid::regclass) into v_value;
      perform setval(v_new, v_value.last_value, v_value.is_called);
      -- By way of a name that no other has: two of them may have changed names.
      execute format('alter sequence %s rename to partition_archiver_%s', v_new, v_each.oid);
    else
      execute format('alter sequence %s owned by none', v_each.oid::regclass);
    end if;
  end loop;
  for v_each in
    select * from jsonb_to_recordset(v_sequences) as s (oid oid, name name, identity boolean) where s.identity
  loop
    execute format('alter sequence partition_archiver_shadow.partition_archiver_%s rename to %I', v_each.oid,
      v_each.name);
  end loop;
  return v_sequences;
end
$$;

-- The other half, when the new table is in its place: serial columns' sequences belong to it, an identity's
-- has comment and grants.
create or replace function partition_archiver.attach_sequences(j partition_archiver.partition_job,
    p_sequences jsonb) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_each record;
  v_grant record;
begin
  for v_each in
    select s.oid, s.identity, s."column" as attname, c.relacl, obj_description(s.oid, 'pg_class') as comment,
           format('%I.%I', j.table_schema, s.name) as name
      from jsonb_to_recordset(p_sequences) as s (oid oid, name name, "column" name, identity boolean)
      join pg_class c on c.oid = s.oid
  loop
    if not v_each.identity then
      execute format('alter sequence %s owned by %I.%I.%I', v_each.name, j.table_schema, j.table_name,
        v_each.attname);
      continue;
    end if;
    if v_each.comment is not null then
      execute format('comment on sequence %s is %L', v_each.name, v_each.comment);
    end if;
    perform partition_archiver.revoke_default_grants(v_each.name::regclass);
    continue when v_each.relacl is null;
    execute format('revoke all on sequence %s from %I', v_each.name, j.table_owner);
    for v_grant in select grantee, privilege_type, is_grantable from aclexplode(v_each.relacl) loop
      execute format('grant %s on sequence %s to %s%s', v_grant.privilege_type, v_each.name,
        case v_grant.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(v_grant.grantee)) end,
        case when v_grant.is_grantable then ' with grant option' else '' end);
    end loop;
  end loop;
end
$$;

reset role;
