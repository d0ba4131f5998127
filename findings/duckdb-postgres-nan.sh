#!/bin/sh
# DuckDB 1.5.5 with its extension postgres_scanner (duckdb-extension-postgres-scanner 1.5.5; psycopg2-binary 2.9.13), PostgreSQL
# 15: NaN and the infinities of numeric come as 0, of every precision, without an error. A filter is computed by PostgreSQL, where
# NaN is above every number, so "n > 1" returns rows whose n is 0. Timestamps beyond year 294247 come before Christ. And a list
# that has the text NULL is inserted into a text[] with NULL in its place. NaN of double precision is right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet duckdb==1.5.5 duckdb-extension-postgres-scanner==1.5.5 psycopg2-binary==2.9.13; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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

cat >finding.py <<'PROGRAM'
import glob
import sys

import duckdb
import psycopg2

connection = psycopg2.connect(host=sys.argv[1], user="postgres", dbname="postgres")
connection.autocommit = True
cursor = connection.cursor()
cursor.execute("create table samples (id integer, n numeric, p numeric(10,2), f float8, ts timestamp)")
cursor.execute(
    "insert into samples values (1, 'NaN', 'NaN', 'NaN', '294276-12-31'), (2, 'Infinity', null, 'Infinity', 'infinity'),"
    " (3, '-Infinity', 1.50, 1, '2026-01-01'), (4, 5, 5, 5, null)"
)
cursor.execute("create table lists (texts text[])")

(extension,) = glob.glob("venv/lib/python3*/site-packages/duckdb_extension_postgres_scanner/extensions/*/*.duckdb_extension")
database = duckdb.connect()
database.execute(f"load '{extension}'")
database.execute(f"attach 'host={sys.argv[1]} user=postgres dbname=postgres' as pg (type postgres)")


def show(sql):
    print(sql + ":", *database.execute(sql).fetchall())


show("select id, n, p, f, ts::varchar from pg.samples")
show("select id, n from pg.samples where n > 1")
show("select id, p from pg.samples where p > 1")
database.execute("insert into pg.lists values (['NULL', 'null', 'a', NULL])")
cursor.execute("select texts::text from lists")
print("inserted:", cursor.fetchone()[0])
PROGRAM

cat >seen <<'SEEN'
select id, n, p, f, ts::varchar from pg.samples: (1, 0.0, Decimal('0.00'), nan, '290279-12-13 (BC) 15:58:10.448384') (2, 0.0, None, inf, 'infinity') (3, 0.0, Decimal('1.50'), 1.0, '2026-01-01 00:00:00') (4, 5.0, Decimal('5.00'), 5.0, None)
select id, n from pg.samples where n > 1: (1, 0.0) (2, 0.0) (4, 5.0)
select id, p from pg.samples where p > 1: (1, Decimal('0.00')) (3, Decimal('1.50')) (4, Decimal('5.00'))
inserted: {NULL,NULL,a,NULL}
SEEN

venv/bin/python finding.py "$folder/data" >now
diff seen now
