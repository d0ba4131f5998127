-- Partition-table: why a table cannot be made a partition set.

set role archiver_owner;

-- Why a table cannot be partitioned by calls that each may read p_largest bytes of it as a whole; null where
-- it can.
create or replace function partition_archiver.large_scan_problem(p_table oid, p_control name,
  p_largest bigint) returns text
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  return (
    select format('it has %s, more than the %s that a step can read in its time, and no index begins with '
      '%I, by which it could be read range by range. '
        'Either make one before it begins: create index concurrently on %s (%I); or use the command '
          'partition-table, which has no such limit',
        pg_size_pretty(pg_table_size(p_table)), pg_size_pretty(p_largest), p_control, p_table::regclass,
          p_control)
     where pg_table_size(p_table) > p_largest
       and not partition_archiver.has_control_index(p_table, p_control));

-- Why a table cannot be made a partition set, all at once. p_keys: what becomes of unique keys that lack the
-- control column: 'extend' them by it, or 'drop' them for plain indexes; null where none was given.
create or replace function partition_archiver.partition_table_problems(p_table oid, p_control name,
  p_mode text, p_keys text) returns text[]
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select array(
    select reason from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join lateral (
      select 'it is not an ordinary table' as reason where c.relkind <> 'r' or c.relispartition
        or c.reloftype <> 0
      union all select 'it is unlogged or temporary' where c.relpersistence <> 'p'
      union all select 'it inherits, or others inherit from it'
        where exists (select from pg_inherits i where p_table in (i.inhrelid, i.inhparent))
      union all select 'its schema belongs to the system or to partition-archiver'
        where n.nspname ~ '^(pg_|information_schema$|partition_archiver_quarantine)'
      union all select 'pg_partman does not bear a dot or an apostrophe in the name of a schema or table'
        where n.nspname || c.relname ~ '[.'']'
      union all select 'it belongs to an extension' where exists (
        select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = p_table
          and d.deptype = 'e')
      union all select format('it has no column %I', p_control)
        where not exists (select from pg_attribute a where a.attrelid = p_table and a.attname = p_control
          and a.attnum > 0 and not a.attisdropped)
      union all select case
          when a.atttypid not in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype,
            'int2'::regtype, 'int4'::regtype, 'int8'::regtype)
            then format('its column %I is of type %s, which is neither a time nor a whole number', a.attname,
              format_type(a.atttypid, null))
          when a.attgenerated <> '' then format('its column %I is generated', a.attname)
          else format('its column %1$I may be null: alter table %2$s alter column %1$I set not null; '
            '(validate a check constraint first, so that this takes no scan)', a.attname, c.oid::regclass) end
        from pg_attribute a where a.attrelid = p_table and a.attname = p_control and a.attnum > 0
         and (a.atttypid not in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype,
           'int2'::regtype, 'int4'::regtype, 'int8'::regtype)
              or a.attgenerated <> '' or not a.attnotnull)
      union all
      -- The most frequent question.
      select format('unique key %I (%s) lacks the control column, and a partitioned table can hold a key '
        'unique only together with it. Choose: %sdrop it for an index that is not unique%s; or partition by '
        'a column of the key',
          k.name, k.columns,
          case when k.extendable then format('extend it to (%1$s, %2$I), so that the same %1$s may then '
            'occur once for each %2$I; or ', k.columns, p_control) else '' end,
          case when k.extendable then '' else ' (extending is not possible: it is partial, on expressions, '
            'deferrable, or has options)' end)
          || case when p_keys = 'extend' then ' (chosen: extend)' else '' end
        from partition_archiver.keys_without(p_table, p_control) k
       where p_keys is null or p_keys = 'extend' and not k.extendable
      -- ON CONFLICT, by which rows are taken over, refuses it.
      union all select format('key %I is deferrable, and rows that change while they are taken over could be '
        'in its way: use the offline mode, or make it one that is not (alter table %2$s drop constraint '
        '%1$I, add constraint %1$I %3$s;)', k.conname, c.oid::regclass,
        regexp_replace(pg_get_constraintdef(k.oid), ' DEFERRABLE( INITIALLY DEFERRED)?', ''))
        from pg_constraint k where k.conrelid = p_table and k.contype in ('p', 'u') and k.condeferrable
          and p_mode = 'online'
      -- It counts characters where the server counts bytes.
      union all select format('its name has %s bytes in %s characters: the names that pg_partman makes of it '
        'would be cut off to the same one; rename it to at most 43 bytes', octet_length(c.relname),
        char_length(c.relname)) where octet_length(c.relname) > greatest(char_length(c.relname), 43)
      union all select format('exclusion constraint %I', k.conname) from pg_constraint k
        where k.conrelid = p_table and k.contype = 'x'
      -- Its periods may overlap in two partitions, or one key in as many as there are.
      union all select
          format('key %I is WITHOUT OVERLAPS, which no index of a partitioned table could see to', k.conname)
        from pg_constraint k where k.conrelid = p_table and k.contype in ('p', 'u')
          and to_jsonb(k) ->> 'conperiod' = 'true'
      -- One that is not enforced cannot be validated, and need not be.
      union all select format('constraint %I is not validated: alter table %s validate constraint %I;%s',
        k.conname, c.oid::regclass, k.conname,
          case when k.contype = 'n' then ' (rows that are null have to be given a value before)' else '' end)
        from pg_constraint k where k.conrelid = p_table and k.contype in ('c', 'f', 'n')
          and not k.convalidated
         and coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true'
      union all select format('constraint %1$I is NO INHERIT, which no constraint of a partitioned table '
        'can be: %2$s', k.conname,
          case k.contype when 'n' then format('alter table %s alter constraint %I inherit;', c.oid::regclass,
            k.conname)
            else format('alter table %1$s drop constraint %2$I; alter table %1$s add constraint %2$I %3$s '
              'not valid; alter table %1$s validate constraint %2$I;',
              c.oid::regclass, k.conname, regexp_replace(pg_get_constraintdef(k.oid),
                '( NO INHERIT)?( NOT VALID)?$', '')) end)
        from pg_constraint k where k.conrelid = p_table and k.contype in ('c', 'n') and k.connoinherit
      union all select format('foreign key %1$I: while rows are taken over, the new table may still have '
        'some that the old one has no more, and deletes in %2$s would fail. Use the offline mode, or '
        'drop it: alter table %3$s drop constraint %1$I; and add it to the partitioned table afterwards: '
        'alter table %3$s add constraint %1$I %4$s;',
            k.conname, k.confrelid::regclass, c.oid::regclass, pg_get_constraintdef(k.oid))
        from pg_constraint k where k.conrelid = p_table and k.contype = 'f' and p_mode = 'online'
      union all select format('foreign key %I refers to the table itself', k.conname) from pg_constraint k
        where k.conrelid = p_table and k.contype = 'f' and k.confrelid = p_table
      union all select format('%s depends on it and would continue with the old table; drop it, and make it '
        'again afterwards. A foreign key to it needs a unique key that contains the control column', d)
        from unnest(partition_archiver.dependents_of(p_table)) d
      union all select format('rule %I', r.rulename) from pg_rewrite r where r.ev_class = p_table
      union all select format('trigger %I is a constraint trigger or has transition tables, which row '
        'triggers of partitioned tables cannot have', t.tgname)
        from pg_trigger t where t.tgrelid = p_table and not t.tgisinternal
          and (t.tgconstraint <> 0 or t.tgoldtable is not null or t.tgnewtable is not null)
      union all select partition_archiver.publication_problems(p_table, p_control, p_keys)
      union all select partition_archiver.feeding_subscriptions(p_table)
      union all select format('it has a replica identity of its own, which partitions that are made later '
        'would lack: alter table %s replica identity default;', c.oid::regclass)
        where c.relreplident not in ('d', 'n')
      union all select 'it has security labels'
        where exists (select from pg_seclabel s where s.classoid = 'pg_class'::regclass
        and s.objoid = p_table)
      union all select 'it has no unique key without nulls by which a changed row could be found again; use '
        'the offline mode'
        where p_mode = 'online' and partition_archiver.row_key(p_table) = '{}'
      union all select format('its owner %1$I may not create tables in schema %2$I: grant create on schema '
        '%2$I to %1$I;', pg_get_userbyid(c.relowner), n.nspname)
        where not has_schema_privilege(c.relowner, n.oid, 'create')
    ) r where c.oid = p_table
    union all select format('there is no table with oid %s', p_table)
      where not exists (select from pg_class where oid = p_table))
$$;

-- What stands where the shadow table and the table that it replaces are to be put.
create or replace function partition_archiver.shadow_problems(p_table oid) returns text[]
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select array(
    select format('%s is there already; drop the table that was replaced before, or roll back what was begun',
      o.oid::regclass)
      from pg_class o
     where o.relnamespace in ('partition_archiver_shadow'::regnamespace,
       'partition_archiver_replaced'::regnamespace)
       and o.relname in (select relname from pg_class where oid = p_table
                         union all select x.relname from pg_index i join pg_class x on x.oid = i.indexrelid
                           where i.indrelid = p_table))
$$;

reset role;
