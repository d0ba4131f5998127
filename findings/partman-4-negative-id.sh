#!/bin/sh
# pg_partman 4.7.2 (Debian 12's postgresql-15-partman 4.7.2-1) on PostgreSQL 15: partition_data_proc() moves the rows of an id set's
# default partition into partitions of their own, from the smallest id on. It rounds towards zero, so for -5 it looks at 0 to
# 99, finds nothing, and takes that for the end: no row is moved, the positive ones neither, and there is no error.
# create_parent() rounds the same way: a set that is to begin at -250 begins at -200.
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
create table item (id bigint not null) partition by range (id);
select 'create_parent ' || partman.create_parent('public.item', 'id', 'native', '100', p_premake := 1);
insert into item values (500), (600);
call partman.partition_data_proc('public.item', p_quiet := true);
select tableoid::regclass, id from item order by id;
insert into item values (-5), (700), (800);
call partman.partition_data_proc('public.item', p_quiet := true);
select tableoid::regclass, id from item order by id;
create table entry (id bigint not null) partition by range (id);
select 'create_parent ' || partman.create_parent('public.entry', 'id', 'native', '100', p_start_partition := '-250', p_premake := 1);
insert into entry values (-250);
select tableoid::regclass, id from entry;
SQL

cat >seen <<'SEEN'
create_parent true
item_p500|500
item_p600|600
item_default|-5
item_p500|500
item_p600|600
item_default|700
item_default|800
create_parent true
entry_default|-250
SEEN
diff seen now
