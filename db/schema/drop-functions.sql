-- Functions of the version that is there, before this one is installed: CREATE OR REPLACE with other
-- arguments would leave the old function beside the new one, with another result it fails, and while a
-- function uses a table's row type the table takes no new column. So all are dropped, and made again further
-- down, in the same transaction. Those that something else is built upon stay: the fence's, the guard's,
-- defaults of the ledger's columns; and what a view of yours uses, which check-leftovers.sql looks at.

do $do$
declare
  v_function record;
  v_dropped boolean;
begin
  -- Some use others.
  loop
    v_dropped := false;
    for v_function in
      select oid::regprocedure::text as signature from pg_proc p
       where pronamespace = to_regnamespace('partition_archiver')
         and pg_has_role(current_user, proowner, 'usage')
         and proname <> 'system_identifier' -- which the guard asks at every drop
         and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid
           and deptype = 'e')
       order by oid desc
    loop
      begin
        execute format('drop routine %s restrict', v_function.signature);
        v_dropped := true;
      exception when dependent_objects_still_exist then
        null;
      end;
    end loop;
    exit when not v_dropped;
  end loop;
end
$do$;
