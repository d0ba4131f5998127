-- DDL archive: what cannot be written down is refused, before anything is.

set role archiver_owner;

-- What makes a table impossible to write down. Unlogged tables can be; quarantine has its own opinion of
-- them.
create or replace function partition_archiver.ddl_refusals(p_table oid) returns text[]
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select array(
    select format('there is no table with OID %s', p_table)
      where not exists (select from pg_class where oid = p_table)
    union all
    select reason from pg_class c left join pg_am am on am.oid = c.relam, lateral (values
        (c.relkind <> 'r', format('it is not an ordinary table (relkind %s)', c.relkind)),
        (c.relpersistence not in ('p', 'u'), format('it is temporary (persistence %s)', c.relpersistence)),
        (c.reloftype <> 0, format('it is a typed table, of type %s', format_type(c.reloftype, null))),
        (c.relispartition, 'it is attached to a partitioned table'),
        (c.relkind = 'r' and am.amname is distinct from 'heap', 'its access method is '
          || coalesce(quote_ident(am.amname), 'unknown')),
        (c.relreplident not in ('d', 'n', 'f', 'i'),
          format('its replica identity is unknown (%s)', c.relreplident))
      ) as r (is_so, reason) where c.oid = p_table and is_so
    union all
    select distinct case when inhrelid = p_table then 'it inherits from another table'
      else 'another table inherits from it' end
      from pg_inherits where inhrelid = p_table or inhparent = p_table
    union all
    select format('it belongs to extension %I', e.extname) from pg_depend d
      join pg_extension e on e.oid = d.refobjid
      where d.classid = 'pg_class'::regclass and d.objid = p_table
        and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'
    union all
    select format('column %I is of an unknown kind (generated %s, identity %s, storage %s, compression %s)',
             attname, attgenerated, attidentity, attstorage, attcompression)
      from pg_attribute a where attrelid = p_table and attnum > 0 and not attisdropped
       and (attgenerated not in ('', 's', 'v') or attidentity not in ('', 'a', 'd')
         or attstorage not in ('p', 'e', 'm', 'x')
            or attcompression not in ('', 'p', 'l')
            -- From 17 on a partition has the identity of its parent while it is attached, without a sequence.
            or attidentity <> '' and not exists (
                 select from pg_class c where c.oid = p_table and c.relispartition)
               and not exists (
                 select from partition_archiver.owned_sequences(p_table) s where s.is_identity
                   and s.attnum = a.attnum))
    union all
    select format('sequence %I is logged otherwise than its table', s.name)
      from partition_archiver.owned_sequences(p_table) s join pg_class k on k.oid = s.oid
      join pg_class c on c.oid = p_table where s.is_identity and k.relpersistence <> c.relpersistence
    union all
    select format('index %I is invalid or not ready', k.relname) from pg_index i
      join pg_class k on k.oid = i.indexrelid
      where i.indrelid = p_table and not (i.indisvalid and i.indisready and i.indislive)
    union all
    select format('constraint %I is of unknown type %s', conname, contype) from pg_constraint
      where conrelid = p_table and contype not in ('c', 'f', 'n', 'p', 't', 'u', 'x')
    union all
    select format('the internal triggers of constraint %I are disabled or otherwise altered', k.conname)
      from pg_trigger t join pg_constraint k on k.oid = t.tgconstraint
      where t.tgrelid = p_table and t.tgisinternal and t.tgenabled <> 'O'
      group by k.conname
    union all
    select format('trigger %I is in unknown state %s', tgname, tgenabled) from pg_trigger
      where tgrelid = p_table and not tgisinternal and tgenabled not in ('O', 'D', 'R', 'A')
    union all
    select format('rule %I is ON SELECT or in unknown state %s', rulename, ev_enabled) from pg_rewrite
      where ev_class = p_table and (ev_type = '1' or ev_enabled not in ('O', 'D', 'R', 'A'))
    union all
    select format('policy %I is for unknown command %s', polname, polcmd) from pg_policy
      where polrelid = p_table and polcmd not in ('*', 'r', 'a', 'w', 'd')
  )
$$;

reset role;
