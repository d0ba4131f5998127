#!/bin/sh
# SQLAlchemy 2.1.9 (with psycopg2-binary 2.9.13), sqlacodegen 4.0.4, PostgreSQL 15: tables that are reflected from one database and
# made in another, parents first, without an error. A partitioned table loses its key, and its partition is one that INHERITS,
# without bounds: a row of 2025 goes into the parent itself, and so does one that has no partition. An exclusion constraint is lost, a
# check that is NOT VALID is valid. sqlacodegen writes an index without DESC NULLS LAST, and one of an expression without it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet SQLAlchemy==2.1.9 psycopg2-binary==2.9.13 sqlacodegen==4.0.4; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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

sql -c 'create database source' -c 'create database target'
sql source <<'SQL'
create table event (at date not null) partition by range (at);
create table event_2025 partition of event for values from ('2025-01-01') to ('2026-01-01');
create table plain (id integer, note text, exclude using btree (id with =));
alter table plain add check (id > 0) not valid;
create index plain_order on plain (id desc nulls last);
create index plain_lower on plain (lower(note)) where id > 5;
SQL

cat >finding.py <<'PROGRAM'
import sys

from sqlalchemy import MetaData, create_engine

source, target = (create_engine(f"postgresql+psycopg2://postgres@/{name}?host={sys.argv[1]}") for name in ("source", "target"))
tables = MetaData()
tables.reflect(source)
for name in sorted(tables.tables):
    tables.tables[name].create(target)
PROGRAM

url="postgresql+psycopg2://postgres@/source?host=$folder/data"
venv/bin/python -W ignore finding.py "$folder/data"
{
  sql target -c "insert into event values ('2025-05-05'), ('1999-01-01')"
  sql target -c 'select tableoid::regclass, at from event'
  sql target -c "select relname, relkind from pg_class where relname like 'event%' order by 1"
  sql target -c "select conname, convalidated from pg_constraint where conrelid = 'plain'::regclass"
  venv/bin/python -W ignore venv/bin/sqlacodegen "$url" | grep -o "Index('plain.*)"
} >now

cat >seen <<'SEEN'
event|2025-05-05
event|1999-01-01
event|r
event_2025|r
plain_id_check|t
Index('plain_lower', postgresql_where='(id > 5)')
Index('plain_order', 'id')
SEEN

diff seen now
