#!/bin/sh
# PostgreSQL 15.18-0+deb12u1: CREATE CONSTRAINT TRIGGER … ON orders FROM archive depends on the table after FROM. DROP TABLE archive
# RESTRICT does not refuse, and gives no notice: the trigger of orders goes with the other table. A view of it would stop RESTRICT.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download postgresql-15=15.18-0+deb12u1 postgresql-client-15=15.18-0+deb12u1 >apt.log 2>&1 || { cat apt.log >&2; exit 2; }
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

"$bin/psql" -X -q -A -t -h "$folder/data" -U postgres >now 2>&1 <<'SQL'
create table orders (id integer);
create table archive (id integer);
create function checked() returns trigger language plpgsql as 'begin return null; end';
create constraint trigger of_orders after insert on orders from archive for each row execute function checked();
select 'before', count(*) from pg_trigger where tgrelid = 'orders'::regclass;
drop table archive restrict;
select 'after', count(*) from pg_trigger where tgrelid = 'orders'::regclass;
SQL

cat >seen <<'SEEN'
before|1
after|0
SEEN

diff seen now
