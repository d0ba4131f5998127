#!/bin/sh
# PostgreSQL 15.18-0+deb12u1: the null of an outer join is stored in a column of a domain that is NOT NULL, as the page on CREATE
# DOMAIN says. A dump of that table cannot be loaded: pg_dump succeeds and writes \N, COPY checks the domain, and the loaded table
# has no row at all. The same with a CHECK that refuses a null.
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
sql() { "$bin/psql" -X -q -A -t -h "$folder/data" -U postgres "$@"; }

sql <<'SQL'
create domain required as text not null;
create domain given as text check (value is not null);
create table names (id integer, required required, given given);
create table rows_of_not_null (id integer, value required);
create table rows_of_check (id integer, value given);
insert into rows_of_not_null select g, required from generate_series(1, 3) g left join names on false;
insert into rows_of_check select g, given from generate_series(1, 3) g left join names on false;
create database loaded;
SQL
"$bin/pg_dump" -h "$folder/data" -U postgres postgres >dump.sql
sql -d loaded -f dump.sql >load.log 2>&1 || true
{
  for database in postgres loaded; do
    sql -d "$database" -c "select '$database', (select count(*) from rows_of_not_null), (select count(*) from rows_of_check)"
  done
  grep -o 'ERROR: .*' load.log
} >now

cat >seen <<'SEEN'
postgres|3|3
loaded|0|0
ERROR:  value for domain public.given violates check constraint "given_check"
ERROR:  domain public.required does not allow null values
SEEN

diff seen now
