#!/bin/sh
# connectorx 0.4.6 (pyarrow 23.0.1, psycopg2-binary 2.9.13), PostgreSQL 15: read_sql() with partition_on reads ranges of a column
# at a time, and leaves rows out without an error. Bounds become integers, cut towards zero, so of numbers with a fraction those
# below the lower one are missing: -5.5 of -5.5 and -4.5. The upper bound is the largest value and one: of a bigint, where it is
# 9223372036854775807, nothing is read at all. Rows with NULL belong to no range. Without partition_on all rows come.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet connectorx==0.4.6 pyarrow==23.0.1 psycopg2-binary==2.9.13; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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

import connectorx
import psycopg2

connection = psycopg2.connect(host="127.0.0.1", port=sys.argv[1], user="postgres", dbname="postgres")
connection.autocommit = True
cursor = connection.cursor()
url = f"postgresql://postgres@127.0.0.1:{sys.argv[1]}/postgres"


def texts(query, **options):
    read = connectorx.read_sql(url, query, return_type="arrow", **options)
    return read.column("text").to_pylist()


for number, (type, values) in enumerate(
    (
        ("numeric(10,2)", ("-5.50", "-4.50", "4.50", "5.50")),
        ("float8", ("-0.75", "1", "9.75")),
        ("bigint", ("0", "1", "9223372036854775807")),
        ("integer", ("1", "2", None)),
    )
):
    cursor.execute(f"create table t{number} (k {type})")
    cursor.executemany(f"insert into t{number} values (%s)", [[value] for value in values])
    query = f"select k, k::text as text from t{number} order by k"
    print(type, "all:", texts(query))
    print(type, "in ranges:", sorted(texts(query, partition_on="k", partition_num=2)))
PROGRAM

cat >seen <<'SEEN'
numeric(10,2) all: ['-5.50', '-4.50', '4.50', '5.50']
numeric(10,2) in ranges: ['-4.50', '4.50', '5.50']
float8 all: ['-0.75', '1', '9.75']
float8 in ranges: ['1', '9.75']
bigint all: ['0', '1', '9223372036854775807']
bigint in ranges: []
integer all: ['1', '2', None]
integer in ranges: ['1', '2']
SEEN

venv/bin/python finding.py "$port" >now
diff seen now
