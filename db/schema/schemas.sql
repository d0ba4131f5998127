-- The schemas, of archiver_owner alone. Safe to run again.

-- The archiver's tables are few and small, and archiver_owner may have no rights on the tablespace that the
-- database has for others.
set local default_tablespace = '';

create schema if not exists partition_archiver authorization archiver_owner;
create schema if not exists partition_archiver_quarantine authorization archiver_owner;
create schema if not exists partition_archiver_trial authorization archiver_owner;

-- The owner of a schema may drop what is in it, the tables of other owners too.
do $schemas$
declare
  v_schema record;
begin
  for v_schema in
    select nspname, pg_get_userbyid(nspowner) as owner from pg_namespace
     where nspname in ('partition_archiver', 'partition_archiver_quarantine', 'partition_archiver_trial')
       and nspowner <> 'archiver_owner'::regrole
  loop
    raise exception 'there is already a schema % of role %, who could drop what is put there',
      v_schema.nspname, v_schema.owner
      using hint = format('Rename it (alter schema %I rename to …), or, where nothing else uses it, give it '
        'to the archiver: alter schema %1$I owner to archiver_owner;', v_schema.nspname);
  end loop;
end
$schemas$;

comment on schema partition_archiver is 'partition-archiver: ledger and functions';
comment on schema partition_archiver_quarantine
  is 'partition-archiver: quarantine, detached partitions behind a fence that refuses every write';
comment on schema partition_archiver_trial is 'partition-archiver: always empty, archived DDL is tried here '
  'and rolled back';
