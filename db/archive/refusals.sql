-- Refusals: what of a table is archived, what depends on it, and why it cannot be archived.

set role archiver_owner;

-- The columns that hold data, as a select list: without generated ones, in order, quoted.
create or replace function partition_archiver.column_list(p_table oid) returns text
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off
  return (select string_agg(quote_ident(attname), ', ' order by attnum)
            from pg_attribute where attrelid = p_table and attnum > 0 and not attisdropped
              and attgenerated = '');

-- What depends on a table and would stop DROP ... RESTRICT: views, foreign keys, functions, columns of its
-- row type, policies of other tables that look at it. What belongs to the table itself does not count. And
-- constraint triggers of other tables FROM this one, which DROP ... RESTRICT takes along.
create or replace function partition_archiver.dependents_of(p_table oid) returns text[]
  language sql stable set search_path = pg_catalog, pg_temp
  return (
    select array_agg(distinct x.description order by x.description) from (
      select case d.classid when 'pg_rewrite'::regclass then pg_describe_object('pg_class'::regclass,
        o.relid, 0)
                            else pg_describe_object(d.classid, d.objid, d.objsubid) end as description
        from pg_depend d
        join (select 'pg_class'::regclass as classid, p_table as objid
              union all select 'pg_type'::regclass, t.oid from pg_type t
                where t.typrelid = p_table
                  or t.typelem = (select reltype from pg_class where oid = p_table)) r
          on d.refclassid = r.classid and d.refobjid = r.objid
        left join lateral (
          select ev_class from pg_rewrite where d.classid = 'pg_rewrite'::regclass and oid = d.objid
          union all
          -- The part of a foreign key of the set that is this partition's goes with the detach.
          select case when conparentid = 0 then conrelid else p_table end from pg_constraint
           where d.classid = 'pg_constraint'::regclass and oid = d.objid
          union all
          select adrelid from pg_attrdef where d.classid = 'pg_attrdef'::regclass and oid = d.objid
          union all
          select tgrelid from pg_trigger where d.classid = 'pg_trigger'::regclass and oid = d.objid
          union all
          select polrelid from pg_policy where d.classid = 'pg_policy'::regclass and oid = d.objid
          union all
          select stxrelid from pg_statistic_ext where d.classid = 'pg_statistic_ext'::regclass
            and oid = d.objid
        ) o (relid) on true
       -- A publication releases a table that is dropped; it depends on the columns of its list or filter.
       where (d.deptype = 'n' or d.classid = 'pg_trigger'::regclass) and o.relid is distinct from p_table
         and d.classid <> 'pg_publication_rel'::regclass) x
     where x.description is not null);

-- What draws numbers from a sequence that a table's column owns: the default of the parent, where the
-- sequence came along with the plain table that became the first partition. It would go into quarantine with
-- the table, and every insert into the parent would fail. One line for each sequence, with what parts it from
-- the table.
create or replace function partition_archiver.shared_sequences(p_table oid) returns setof text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select format('it owns sequence %1$s, which is used by %2$s: alter sequence %1$s owned by none;',
    s.oid::regclass,
           array_to_string((array_agg(distinct pg_describe_object(d.classid, d.objid, d.objsubid)))[1:3],
             ', '))
    from pg_depend o join pg_class s on s.oid = o.objid and s.relkind = 'S'
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = s.oid and d.deptype = 'n'
    left join pg_attrdef a on d.classid = 'pg_attrdef'::regclass and a.oid = d.objid
   where o.classid = 'pg_class'::regclass and o.refclassid = 'pg_class'::regclass and o.refobjid = p_table
     and o.refobjsubid > 0
     and o.deptype in ('a', 'i') and a.adrelid is distinct from p_table
   group by s.oid order by s.oid
$$;

-- The subscriptions that feed a table. In quarantine, or in the place of a table that was replaced, it is not
-- the one that they know: the apply worker would stop at its next row, or pass it over without a word.
create or replace function partition_archiver.feeding_subscriptions(p_table oid) returns setof text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select format('subscription %I replicates into it and would fail once the table is moved: remove the '
    'table from the publication, then alter subscription %1$I refresh publication;', s.subname)
    from pg_subscription_rel r join pg_subscription s on s.oid = r.srsubid where r.srrelid = p_table
$$;

-- What a base type says that can be written as text and not be read from it, like pg_ndistinct and gtsvector:
-- COPY would archive its values, and nothing could ever restore them. Null for all others, whatever they say
-- of an empty text.
create or replace function partition_archiver.input_refusal(p_type oid) returns text
  language plpgsql stable set search_path = pg_catalog, pg_temp set client_min_messages = error as $$
begin
  if exists (select from pg_type where oid = p_type and typtype = 'b' and typcategory <> 'A') then
    execute format('select %L::%s', '', p_type::regtype);
  end if;
  return null;
exception
  when feature_not_supported then
    return sqlerrm;
  when others then
    return null;
end
$$;

-- Why a table cannot be archived: nothing of this can be fixed by trying again. Empty where it can.
create or replace function partition_archiver.refusals(p_table oid) returns text[]
  language sql stable set search_path = pg_catalog, pg_temp
  return array(
    select reason from (
      select 'it is not an ordinary table (relkind ' || c.relkind::text || ')' as reason from pg_class c
        where c.oid = p_table and c.relkind <> 'r'
      union all
      select format('it belongs to %I, of which archiver_owner is not a member', pg_get_userbyid(c.relowner))
        from pg_class c
        where c.oid = p_table and not pg_has_role('archiver_owner', c.relowner, 'usage')
      union all
      select 'it is unlogged or temporary: after a crash it would be empty' from pg_class c
        where c.oid = p_table and c.relpersistence <> 'p'
      union all
      select 'it is attached to ' || i.inhparent::regclass::text
        || case when i.inhdetachpending then ', with a DETACH CONCURRENTLY pending' else '' end
        from pg_inherits i where i.inhrelid = p_table
      union all
      select 'tables inherit from it: ' || string_agg(i.inhrelid::regclass::text, ', ') from pg_inherits i
        where i.inhparent = p_table having count(*) > 0
      union all
      select 'type ' || t.oid::regtype || case
               when t.typname = 'lo' then ' holds large objects, which COPY does not carry'
               else ' cannot be read back from text: ' || partition_archiver.input_refusal(t.oid) end
        from pg_type t where t.oid in (select partition_archiver.used_types(p_table))
         and (t.typname = 'lo' or partition_archiver.input_refusal(t.oid) is not null)
      union all
      select 'it has no column with data' where partition_archiver.column_list(p_table) is null
      union all
      select 'depended upon by ' || array_to_string(d, ', ')
        from (select partition_archiver.dependents_of(p_table) as d) x
        where d is not null
      union all
      select partition_archiver.shared_sequences(p_table)
      union all
      select partition_archiver.feeding_subscriptions(p_table)
    ) r);

-- Texts one after the other in one line; a sentence ends with its full stop, a statement with its semicolon.
-- Null where there are none.
create or replace function partition_archiver.in_one_line(p_texts text[]) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
  return (select string_agg(t || case when n < cardinality(p_texts) and t !~ '[.;]$' then ';' else '' end,
    ' ' order by n) from unnest(p_texts) with ordinality x (t, n));

reset role;
