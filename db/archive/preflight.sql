-- Preflight: everything that can be known to go wrong before anything is changed, all at once, with the
-- statement that fixes it where there is one. p_sets: [{schema, table, timeZone}]; p_accepted: the names of
-- publications that may carry the archiver's tables and those of the sets.

set role archiver_owner;

create or replace function partition_archiver.preflight(p_sets jsonb, p_accepted jsonb default '[]')
  returns table (subject text, problem text, remedy text)
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, YMD' as $$
declare
  v_wanted record;
  v_set record;
  v_partman name := partition_archiver.partman_schema();
  v_relkind "char";
  v_oid oid;
  v_owner name;
  v_role text;
  v_partman_version constant integer[] := (
    select string_to_array(substring(extversion from '^[0-9.]+'), '.')::integer[] from pg_extension
      where extname = 'pg_partman');
  v_template record;
  v_publication record;
  v_forced bigint;
  -- Since 16, a member may have been denied to use the rights of a role, or to become it.
  v_options constant text := case when current_setting('server_version_num')::integer >= 160000
    then ' with inherit true, set true' else '' end;
begin
  return query select d.subject, d.problem, d.remedy
    from partition_archiver.database_problems(p_sets, p_accepted) d;
  if not partition_archiver.partman_is_readable() then
    return;
  end if;
  for v_wanted in select *
    from jsonb_to_recordset(p_sets) as x (schema name, "table" name, "timeZone" text) loop
    subject := format('%I.%I', v_wanted.schema, v_wanted."table");
    remedy := null;
    select c.oid, c.relkind, pg_get_userbyid(c.relowner) into v_oid, v_relkind, v_owner
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = v_wanted.schema and c.relname = v_wanted."table";
    if v_oid is null then
      problem := 'there is no such table in database ' || quote_ident(current_database());
      remedy := 'Correct the name in the configuration.';
      return next; continue;
    end if;
    if v_relkind = 'p' and v_partman is not null then
      return query select format('%I.%I', v_wanted.schema, v_wanted."table"), c.problem, c.remedy
        from partition_archiver.configuration_problems(v_oid) c;
      if found then
        continue;
      end if;
    end if;
    select * into v_set from partition_archiver.partition_set(v_oid);
    if v_relkind <> 'p' or v_set.parent_oid is null then
      problem := 'is not a range partition set of pg_partman with one control column';
      remedy := 'Have pg_partman manage it (create_parent), or take it out of the configuration.';
      if v_relkind = 'r' then
        problem := 'is not a range partition set of pg_partman, but a plain table';
        remedy := format('Partition it (partition-table %1$s; inspect %1$s proposes how), or take it out of '
          'the configuration.', subject);
      end if;
      return next; continue;
    end if;
    -- Membership in such an owner would be a login with all that it may.
    problem := partition_archiver.rights_beyond_tables(v_owner);
    if problem is not null then
      problem := format('its owner %I %s: archiver_maintain, which logs in, would become a member of it',
        v_owner, problem);
      remedy := 'Give it to a role of its own: ' || partition_archiver.statements_for_own_role(v_oid);
      return next; continue;
    end if;
    problem := 'its ' || partition_archiver.key_problem(v_oid);
    if problem is not null then
      remedy := 'Take it out of the configuration; time, whole-number and epoch columns are supported.';
      return next; continue;
    end if;
    -- Whatever casts them further down would end the preflight of all sets.
    return query select format('%I.%I', v_wanted.schema, v_wanted."table"), v.problem, v.remedy
      from partition_archiver.value_problems(v_oid) v;
    if found then
      continue;
    end if;
    if v_set.retention is null then
      problem := 'has no retention, so nothing is ever detached';
      remedy := format('update %I.part_config set retention = ''12 months'', retention_keep_table = true '
        'where parent_table = %L;',
        v_partman, v_wanted.schema || '.' || v_wanted."table");
      return next;
    end if;
    if v_set.retention_keep_table is not true then
      problem := 'has retention_keep_table = false: pg_partman would drop partitions instead of detaching '
        'them';
      remedy := format('update %I.part_config set retention_keep_table = true where parent_table = %L;',
        v_partman, v_wanted.schema || '.' || v_wanted."table");
      return next;
    end if;
    -- pg_partman 4 adds each new partition to these, with the rights of the role that runs its maintenance.
    for v_publication in
      execute format($query$
        select w.name, p.oid, pg_get_userbyid(p.pubowner) as owner, p.puballtables from %1$I.part_config c
          cross join lateral jsonb_array_elements_text(to_jsonb(c) -> 'publications') as w (name)
          left join pg_publication p on p.pubname = w.name
         where c.parent_table = $1
           and jsonb_typeof(to_jsonb(c) -> 'publications') = 'array'$query$, v_partman)
      using v_wanted.schema || '.' || v_wanted."table"
    loop
      if v_publication.oid is null then
        problem := format('pg_partman would add each new partition of it to publication %I, which is not '
          'there', v_publication.name);
        remedy := format('update %I.part_config set publications = array_remove(publications, %L) where '
          'parent_table = %L;',
          v_partman, v_publication.name, v_wanted.schema || '.' || v_wanted."table");
        return next;
      elsif not pg_has_role('archiver_maintain', v_publication.owner, 'usage') then
        problem := format('pg_partman would add each new partition of it to publication %I, which belongs '
          'to %I, of which archiver_maintain is not a member',
          v_publication.name, v_publication.owner);
        remedy := format('grant create on database %I to %I; alter publication %I owner to %2$I;',
          current_database(), v_owner, v_publication.name);
        return next;
      end if;
      if v_publication.oid is not null and not p_accepted ? v_publication.name and not exists (
           select from partition_archiver.publications(p_sets) p
             where p.publication = v_publication.name) then
        problem := format('pg_partman would add each new partition of it to publication %I',
          v_publication.name);
        remedy := format('See to it that new partitions are at its subscribers under the same name; then '
          'accept it: "acceptedPublications": [%s] in the configuration.',
          to_json(v_publication.name));
        return next;
      end if;
    end loop;
    -- From 5.5 on pg_partman copies from the template table for members of its owner only.
    if v_partman_version >= '{5,5}' then
      execute format($query$
        select n.nspname, c.relname, pg_get_userbyid(c.relowner) as owner,
               pg_has_role('archiver_maintain', c.relowner, 'usage') as usable
          from %1$I.part_config p
          join pg_namespace n on n.nspname = split_part(p.template_table, '.', 1)
          join pg_class c on c.relnamespace = n.oid and c.relname = split_part(p.template_table, '.', 2)
         where p.parent_table = $1$query$, v_partman)
        into v_template using v_wanted.schema || '.' || v_wanted."table";
      if v_template.owner <> v_owner and not v_template.usable then
        problem := format('pg_partman''s template table for it belongs to %I, of which archiver_maintain is '
          'not a member', v_template.owner);
        remedy := format('alter table %I.%I owner to %I;', v_template.nspname, v_template.relname, v_owner);
        return next;
      end if;
    end if;
    foreach v_role in array array['archiver_owner', 'archiver_maintain'] loop
      if not pg_has_role(v_role, v_owner, 'usage') then
        problem := format('role %s is not a member of its owner %I', v_role, v_owner);
        remedy := format('grant %I to %s%s;', v_owner, v_role,
          case when pg_has_role(v_role, v_owner, 'member') then v_options end);
        return next;
      elsif v_options <> '' and not pg_has_role(v_role, v_owner, 'set') then
        problem := format('role %s may not give tables to their owner %I', v_role, v_owner);
        remedy := format('grant %I to %s%s;', v_owner, v_role, v_options);
        return next;
      end if;
      if not has_schema_privilege(v_role, v_wanted.schema, 'usage') then
        problem := format('role %s may not use schema %I', v_role, v_wanted.schema);
        remedy := format('grant usage on schema %I to %s;', v_wanted.schema, v_role);
        return next;
      end if;
    end loop;
    if not has_schema_privilege(v_owner, v_wanted.schema, 'create') then
      problem := format('its owner %I may not create tables in schema %I, so new partitions could not be '
        'given to it', v_owner, v_wanted.schema);
      remedy := format('grant create on schema %I to %I;', v_wanted.schema, v_owner);
      return next;
    end if;
    -- Whose highest id is asked for: by us, to whom that is an error, and by pg_partman, who would see no
    -- rows.
    if v_set.control_kind = 'id' then
      select count(*), string_agg(format('alter table %s no force row level security;', f.oid::regclass), ' '
        order by f.oid) filter (where f.nth <= 10)
        into v_forced, remedy
        from (select c.oid, row_number() over (order by c.oid) as nth from pg_inherits i
          join pg_class c on c.oid = i.inhrelid
               where i.inhparent = v_oid and c.relrowsecurity and c.relforcerowsecurity) f;
      if v_forced > 0 then
        problem := format('partitions of it have FORCE ROW LEVEL SECURITY (%s), which hides the highest id '
          'from pg_partman and the archiver', v_forced);
        return next;
      end if;
    end if;
    -- In another time zone pg_partman would make partitions whose bounds do not meet those that are there.
    if (v_set.control_type = 'timestamptz'::regtype or v_set.epoch <> 'none')
      and v_set.partition_interval::interval >= interval '1 day'
       and exists (select from partition_archiver.attached_partitions(v_oid, v_wanted."timeZone") a
                    where a.lower_time at time zone v_wanted."timeZone" <> date_trunc('day',
                      a.lower_time at time zone v_wanted."timeZone"))
    then
      problem := format('its partitions do not begin at midnight in time zone %s', v_wanted."timeZone");
      remedy := 'Set timeZone of the partition set to the one it was made with.';
      return next;
    end if;
  end loop;
  return query select r.subject, r.problem, r.remedy from partition_archiver.rights_to_restore(p_sets) r;
end
$$;

reset role;
