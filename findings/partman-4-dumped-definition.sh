#!/bin/sh
# pg_partman 4.7.2 (Debian 12's postgresql-15-partman 4.7.2-1) on PostgreSQL 15: dump_partitioned_table_definition() prints a call of
# create_parent() that runs, and makes another set. 'weekly' and 'quarterly' are printed as '7 days' and '3 mons', which are
# other intervals to create_parent(): names have the date, and quarters may begin in any month. The update behind it sets
# the old pattern of names, so partitions made from then on have names of the other kind, beside the first ones.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download postgresql-15 postgresql-client-15 postgresql-15-partman=4.7.2-1 >apt.log 2>&1 || { cat apt.log >&2; exit 2; }
for file in *.deb; do dpkg -x "$file" root; done
bin=$folder/root/usr/lib/postgresql/15/bin

# The server refuses to run as root.
as_server() { if [ "$(id -u)" -eq 0 ]; then setpriv --reuid=nobody --clear-groups "$@"; else "$@"; fi; }
stop() { if [ -e data/postmaster.pid ]; then as_server "$bin/pg_ctl" -D data -m immediate -w stop >pg_ctl.log; fi; }
trap 'stop; rm -rf "$folder"' EXIT
chmod 755 .
mkdir data
[ "$(id -u)" -ne 0 ] || chown nobody data
as_server "$bin/initdb" -D "$folder/data" -A trust -U postgres >initdb.log 2>&1 || { cat initdb.log >&2; exit 2; }
as_server "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/data/log" \
  -o "-k $folder/data -c listen_addresses=" start >pg_ctl.log || { cat data/log >&2; exit 2; }
# Only the server's account may go into its folder, where the socket is.
as_server "$bin/psql" -X -h "$folder/data" -U postgres -qAt -v ON_ERROR_STOP=1 >now 2>notices <<'SQL'
create schema partman;
create extension pg_partman schema partman;
create table sale (at timestamptz not null) partition by range (at);
create table visit (at timestamptz not null) partition by range (at);
select partman.create_parent('public.sale', 'at', 'native', 'quarterly', p_premake := 1),
       partman.create_parent('public.visit', 'at', 'native', 'weekly', p_premake := 1);
create view names as select i.inhparent::regclass as set, translate(c.relname, '0123456789', '9999999999') as name, count(*)
  from pg_inherits i join pg_class c on c.oid = i.inhrelid group by 1, 2 order by 1, 2;
select * from names;
select partman.dump_partitioned_table_definition('public.sale') || partman.dump_partitioned_table_definition('public.visit') as again \gset
delete from partman.part_config;
drop table sale, visit;
create table sale (at timestamptz not null) partition by range (at);
create table visit (at timestamptz not null) partition by range (at);
:again
update partman.part_config set premake = 3;
insert into sale values (now());
insert into visit values (now());
select partman.run_maintenance();
select * from names;
SQL

cat >seen <<'SEEN'
t|t
sale|sale_default|1
sale|sale_p9999q9|3
visit|visit_default|1
visit|visit_p9999w99|3
t
t

sale|sale_default|1
sale|sale_p9999_99|3
sale|sale_p9999q9|2
visit|visit_default|1
visit|visit_p9999_99_99|3
visit|visit_p9999w99|2
SEEN
diff seen now
