#!/bin/sh
# dlt 1.31.0 (duckdb 1.5.5, SQLAlchemy 2.0.58, psycopg2-binary 2.9.13), PostgreSQL 15: a table read by its default backend, with
# values that arrive as other ones without an error or a failed job. NaN and both infinities of double precision are NULL; numeric
# without a precision is rounded to nine decimals, so 1e-10 is 0; and a timetz is its time of day without the offset, so three
# different times are one. The backend "pyarrow" keeps the doubles and refuses the numeric.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet dlt==1.31.0 duckdb==1.5.5 sqlalchemy==2.0.58 psycopg2-binary==2.9.13; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as_server "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/data/log" \
  -o "-k $folder/data -c listen_addresses=127.0.0.1 -p $port" start >pg_ctl.log || { cat data/log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import sys

import dlt
import duckdb
import psycopg2
from dlt.sources.sql_database import sql_table

connection = psycopg2.connect(host="127.0.0.1", port=sys.argv[1], user="postgres", dbname="postgres")
connection.autocommit = True
cursor = connection.cursor()
cursor.execute("create table samples (id integer primary key, f float8, n numeric, t timetz)")
cursor.execute(
    "insert into samples values (1, 1.5, 1e-10, '12:00+00'), (2, 'NaN', 0.1234567896, '12:00+05:30'),"
    " (3, 'Infinity', 1, '12:00-08'), (4, '-Infinity', 1.5, null)"
)
pipeline = dlt.pipeline(
    "finding", destination=dlt.destinations.duckdb("samples.duckdb"), dataset_name="loaded", pipelines_dir="pipelines"
)
done = pipeline.run(sql_table(f"postgresql://postgres@127.0.0.1:{sys.argv[1]}/postgres", table="samples"))
print("failed jobs:", done.has_failed_jobs)
for row in duckdb.connect("samples.duckdb").execute("select id, f, n, t from loaded.samples order by id").fetchall():
    print(*row)
PROGRAM

cat >seen <<'SEEN'
failed jobs: False
1 1.5 0E-9 12:00:00
2 None 0.123456790 12:00:00
3 None 1.000000000 12:00:00
4 None 1.500000000 None
SEEN

HOME=$folder RUNTIME__DLTHUB_TELEMETRY=false venv/bin/python finding.py "$port" >now 2>python.log || { cat python.log >&2; exit 2; }
diff seen now
