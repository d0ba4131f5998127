-- Partition-table: the publications of a table. With publish_via_partition_root a partitioned table is
-- published as if it were the plain one, so that its subscribers continue; it takes the plain table's place
-- in the transaction of the swap, so that no row is missing or sent twice.

set role archiver_owner;

-- What its publications stand in the way of. p_keys as in partition_table_problems.
create or replace function partition_archiver.publication_problems(p_table oid, p_control name, p_keys text)
  returns setof text
  language sql stable set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
  select format('publication %I carries %s: ', x.publication, x.how) || y.problem
    from partition_archiver.publications_of(p_table) x
    cross join (
      select exists (
        select from pg_constraint k join pg_attribute a on a.attrelid = p_table and a.attname = p_control
         where k.conrelid = p_table and k.contype = 'p' and a.attnum <> all (k.conkey)) as lacks_control) key
    cross join lateral (values
      (case when x.how = 'every table' then
         'subscribers would be sent the copy and the partitions, which they have not got, and would stop. '
         'Let it name its tables, with publish_via_partition_root, without those of '
         'partition_archiver_shadow' end),
      (case when x.how <> 'every table' and not x.via_root then
         format('rows of its partitions would be sent under the names of the partitions, which its '
           'subscribers have not got: alter publication %I set (publish_via_partition_root = true);',
           x.publication) end),
      (case when x.how = 'this table' and not pg_has_role(x.owner, 'usage') then
         format('the partitioned table takes its place there, which is for a member of %I to do: grant %1$I '
           'to %I;', pg_get_userbyid(x.owner), current_user) end),
      (case when x.keys_sent and p_keys = 'drop' and key.lacks_control then
         'where its primary key is dropped, the table has no replica identity, and every update and delete '
         'of the application fails; extend the key' end),
      (case when x.keys_sent and p_keys = 'extend' and key.lacks_control
           and p_control <> all (x.columns) then
         format('its list of columns lacks %I, which will belong to the primary key, and every update and '
           'delete of the application would fail: add the column to the list', p_control) end)
      ) as y (problem)
   where y.problem is not null
  union all
  -- Of every table but this one, say: the copy, its partitions and the log of changes are tables, too.
  select format('publication %I would carry the copy and the log of changes: it %s. Take schema '
           'partition_archiver_shadow out of it', p.publication, split_part(p.problem, ', thereby', 1))
    from partition_archiver.publications('[{"schema": "partition_archiver_shadow"}]', false) p
   where p.publication not in (select publication from partition_archiver.publications_of(p_table))
   order by 1
$$;

-- At the swap, under its lock: the new table takes the old one's place in the publications that carry it by
-- name.
create or replace function partition_archiver.move_publications(p_old oid, p_new text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set quote_all_identifiers = off as $$
declare
  v_each record;
begin
  for v_each in select * from partition_archiver.publications_of(p_old) where how = 'this table' loop
    execute format('alter publication %I drop table only %s', v_each.publication, p_old::regclass);
    execute format('alter publication %I add table %s%s', v_each.publication, p_new, v_each.member);
  end loop;
end
$$;

reset role;
