#!/bin/sh
# migra 3.0.1663481299 (schemainspect 3.1.1663587362, sqlalchemy 1.4.54, psycopg2-binary 2.9.13, setuptools 65.5.0) on PostgreSQL 15: two
# databases whose partitions have the same names, but other bounds of ranges and lists and another default of their own, are the
# same to it: it prints nothing. Of a partition that is itself partitioned it prints the bounds where the key belongs ("partition
# by FOR VALUES ..."), which is no SQL.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet migra==3.0.1663481299 schemainspect==3.1.1663587362 sqlalchemy==1.4.54 psycopg2-binary==2.9.13 setuptools==65.5.0; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
apt-get -qq download postgresql-15 postgresql-client-15 >apt.log 2>&1 || { cat apt.log >&2; exit 2; }
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
compare() { venv/bin/migra --unsafe "postgresql://postgres@/$1?host=$folder/data" "postgresql://postgres@/$2?host=$folder/data"; }

sql -c 'create database empty' -c 'create database one' -c 'create database two'
sql one <<'SQL'
create table event (at date not null, note text default 'x') partition by range (at);
create table event_2025 partition of event for values from ('2025-01-01') to ('2026-01-01');
create table event_2026 partition of event for values from ('2026-01-01') to ('2027-01-01') partition by list (note);
create table event_2026_a partition of event_2026 for values in ('a');
SQL
sql two <<'SQL'
create table event (at date not null, note text default 'x') partition by range (at);
create table event_2025 partition of event for values from ('2024-01-01') to ('2026-01-01');
alter table event_2025 alter note set default 'y';
create table event_2026 partition of event for values from ('2026-01-01') to ('2027-01-01') partition by list (note);
create table event_2026_a partition of event_2026 for values in ('b');
SQL
{
  echo 'one to two:'
  compare one two
  echo 'empty to one:'
  compare empty one | grep -F 'partition'
} >now || true

cat >seen <<'SEEN'
one to two:
empty to one:
) partition by RANGE (at);
create table "public"."event_2025" partition of "public"."event" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
) partition by FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
create table "public"."event_2026_a" partition of "public"."event_2026" FOR VALUES IN ('a');
SEEN

diff seen now
