-- Functions of earlier versions that schema/drop-functions.sql could not drop, and that were not created
-- again: a call may find them instead of this version's, or be ambiguous. What a view or function of yours
-- was built upon stops the installation, since only its owner knows what it is for.
--
-- What this transaction has made, its subtransactions included, has its number or a later one. Comes before
-- the grants, which give every function a new row in the catalog. The guard's function is made by guard.sql,
-- in a transaction of its own.

set role archiver_owner;

do $do$
declare
  v_mine constant integer := age(pg_current_xact_id()::xid);
  v_function record;
  v_kept text;
  v_dependents text;
begin
  if (select age(xmin) > v_mine from pg_proc where oid = 'partition_archiver.schema_version()'::regprocedure)
    then
    raise exception 'this file belongs into one transaction with those before it'
      using errcode = 'PA010', hint = 'Run db/install.sql.'; -- PreflightFailed
  end if;
  for v_function in
    select oid, oid::regprocedure::text as signature from pg_proc p
     where pronamespace = 'partition_archiver'::regnamespace and age(xmin) > v_mine
       and oid <> coalesce(to_regprocedure('partition_archiver.guard_drop()'), 0)
       and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid
         and deptype = 'e')
     order by 2
  loop
    begin
      execute format('drop routine %s restrict', v_function.signature);
    exception when dependent_objects_still_exist then
      get stacked diagnostics v_dependents = pg_exception_detail;
      v_kept := concat_ws('; ', v_kept, replace(v_dependents, E'\n', ', '));
    end;
  end loop;
  if v_kept is not null then
    raise exception 'functions of an earlier version of partition-archiver are still used: %', v_kept
      using errcode = 'PA010', -- PreflightFailed
            hint = 'Drop or change what uses them, then run this again.';
  end if;
end
$do$;

reset role;
