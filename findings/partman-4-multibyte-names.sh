#!/bin/sh
# pg_partman 4.7.2 (Debian 12's postgresql-15-partman 4.7.2-1) on PostgreSQL 15: partman.check_name_length() counts characters, and
# PostgreSQL cuts a name at 63 bytes. With a table name of 30 two-byte letters, the suffix of every month is cut to the same
# three bytes: create_parent() returns true, and of nine months one has a partition. Rows of the others are in the
# default partition.
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
select repeat('ü', 30) as name \gset
create table :"name" (at timestamptz not null) partition by range (at);
select 'create_parent ' || partman.create_parent('public.' || :'name', 'at', 'native', 'monthly', p_premake := 4);
select 'partitions beside the default one: ' || count(*) from pg_inherits
  where inhparent = format('%I', :'name')::regclass and pg_get_expr((select relpartbound from pg_class where oid = inhrelid), inhrelid) <> 'DEFAULT';
select 'bytes of the name: ' || max(octet_length(relname)) from pg_class where relispartition and relname like repeat('ü', 30) || '\_p%';
insert into :"name" values (now() + interval '70 days'), (now() - interval '70 days');
select 'rows in the default partition: ' || count(*) from public.:"name" where tableoid = (select inhrelid from pg_inherits join pg_class c on c.oid = inhrelid where inhparent = format('%I', :'name')::regclass and pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT');
SQL

cat >seen <<'SEEN'
create_parent true
partitions beside the default one: 1
bytes of the name: 63
rows in the default partition: 2
SEEN
diff seen now
