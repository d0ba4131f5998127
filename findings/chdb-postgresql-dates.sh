#!/bin/sh
# chdb 4.4.0 (ClickHouse; with psycopg2-binary 2.9.13), PostgreSQL 15: values that the table function postgresql() reads as other
# ones, without an error. The infinity of a date is 1970-01-01, where that of a timestamp is refused; a date or timestamp before
# Christ loses its era; a timestamp with a fraction of a second before 1970 is right in a column, and is 1970-01-01 as an element
# of an array; and of numeric without a precision 19 decimals are left, so 1e-20 is 0.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet chdb==4.4.0 psycopg2-binary==2.9.13; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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
import os
import sys

os.environ["TZ"] = "UTC"

import chdb
import psycopg2

connection = psycopg2.connect(host="127.0.0.1", port=sys.argv[1], user="postgres", dbname="postgres")
connection.autocommit = True
cursor = connection.cursor()
for number, (type, text) in enumerate(
    (
        ("date", "infinity"),
        ("date", "0044-03-15 BC"),
        ("date", "1500-01-01"),
        ("timestamp", "0044-03-15 00:00:00 BC"),
        ("timestamp", "1969-12-31 23:59:59.5"),
        ("timestamp[]", "{1969-12-31 23:59:59.5,2026-01-01 00:00:00.5}"),
        ("numeric", "1e-20"),
    )
):
    cursor.execute(f"create table t{number} (v {type})")
    cursor.execute(f"insert into t{number} values (%s)", [text])
    table = f"postgresql('127.0.0.1:{sys.argv[1]}', 'postgres', 't{number}', 'postgres', 'none')"
    print(type, text, "is", str(chdb.query(f"select toString(v) from {table}", "TSVRaw")).strip())
PROGRAM

cat >seen <<'SEEN'
date infinity is 1970-01-01
date 0044-03-15 BC is 0044-03-15
date 1500-01-01 is 1500-01-01
timestamp 0044-03-15 00:00:00 BC is 0044-03-15 00:00:00.000000
timestamp 1969-12-31 23:59:59.5 is 1969-12-31 23:59:59.500000
timestamp[] {1969-12-31 23:59:59.5,2026-01-01 00:00:00.5} is ['1970-01-01 00:00:00.000000','2026-01-01 00:00:00.500000']
numeric 1e-20 is 0
SEEN

venv/bin/python finding.py "$port" >now
diff seen now
