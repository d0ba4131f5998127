-- Strangers: rows of this ledger that were written for this database on another server.
--
-- A major upgrade makes a new cluster, with a system identifier of its own, and keeps the OIDs of tables. The rows are then
-- those of the tables that are here, under an identifier that no step looks at: an inventory that took no notice would
-- record those tables anew as attached, and later runs would archive and drop what an operator had restored or released.

set role archive_owner;

-- One for each other server that live rows are of, with what preflight answers of a problem. Above and below, since unequal is nothing
-- that an index can be asked for, and every inventory of every set asks this.
create or replace function partition_archiver.strangers()
  returns table (system bigint, subject text, problem text, remedy text)
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select l.system_identifier, 'the ledger',
         format('has %s partitions of this database on the system %s, and this is the system %s: the server was upgraded, or the ledger copied',
           count(*), l.system_identifier, partition_archiver.this_system()),
         format('Start MoveIn with {"from": "%1$s"} (npm run archive -- move-in %1$s); see docs/upgrade.md.', l.system_identifier)
    from partition_archiver.partition l
   where (l.system_identifier < partition_archiver.this_system() or l.system_identifier > partition_archiver.this_system())
     and l.database_name = current_database() and l.state not in ('dropped', 'missing')
   group by l.system_identifier order by l.system_identifier
$$;

-- PA010 while there are any. Whatever writes tables into the ledger that it does not know asks this first.
create or replace function partition_archiver.refuse_strangers() returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_problems text := (select string_agg(format('%s %s. %s', subject, problem, remedy), ' ') from partition_archiver.strangers());
begin
  if v_problems is not null then
    raise exception '%', rtrim(v_problems, '.') using errcode = 'PA010';
  end if;
end
$$;

reset role;
