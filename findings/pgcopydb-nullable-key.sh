#!/bin/sh
# pgcopydb 0.10 (Debian 12's pgcopydb 0.10-1), PostgreSQL 15: a copy of a database with --split-tables-larger-than. A large table
# is copied in ranges of an integer column with a unique index. The column may have NULL, which is in none of the ranges, so
# those rows are not copied: 2000 of 6001 rows arrive, and the run ends in success. The rows of an unlogged table are not copied
# either, with and without the option. A table whose column is a primary key arrives whole.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download pgcopydb=0.10-1 postgresql-15 postgresql-client-15 >apt.log 2>&1 || { cat apt.log >&2; exit 2; }
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
sql() { as_server "$bin/psql" -X -h "$folder/data" -U postgres -qAt -v ON_ERROR_STOP=1 "$@"; }

sql -c 'create database source' -c 'create database whole' -c 'create database split'
sql source <<'SQL'
create table keyed (id integer primary key, note text);
create table nullable (id integer unique, note text);
create unlogged table unlogged (id integer);
insert into keyed select n, repeat('x', 400) from generate_series(-3000, 3000) n;
insert into nullable select case when n % 3 > 0 then n end, repeat('x', 400) from generate_series(-3000, 3000) n;
insert into unlogged values (1);
SQL
# It ends by a signal to its process group, so it gets one of its own.
copy() {
  database=$1
  shift
  HOME=$folder PATH=$bin:$PATH setsid -w root/usr/bin/pgcopydb clone --dir "$folder/$database" "$@" \
    --source "postgres:///source?host=$folder/data&user=postgres" \
    --target "postgres:///$database?host=$folder/data&user=postgres" >pgcopydb.log 2>&1 </dev/null
  echo "$database: status $?"
}
rows() {
  sql "$1" -c "select '$1', (select count(*) from keyed), (select count(*) from nullable), (select count(*) from unlogged)"
}
{
  copy whole
  copy split --split-tables-larger-than 100kB
  rows source
  rows whole
  rows split
} >now || { cat pgcopydb.log >&2; exit 2; }

cat >seen <<'SEEN'
whole: status 0
split: status 0
source|6001|6001|1
whole|6001|6001|0
split|6001|2000|0
SEEN

diff seen now
