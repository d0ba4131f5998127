#!/bin/sh
# reladiff 0.6.0 (with psycopg2-binary 2.9.13), PostgreSQL 15: a comparison of a table in two databases, as after a restore. A
# numeric column without precision is rounded to whole numbers on both sides before it is compared, so 1.0 and 1.4 are equal.
# Timestamps and dates are compared without their era, and the two infinities as NULL: 44 BC is AD 44, infinity is -infinity. The
# result is "no difference", without a warning. In one database the default is another algorithm, a join, which sees all of them.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet reladiff==0.6.0 psycopg2-binary==2.9.13; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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

import psycopg2
import reladiff

VALUES = {
    "numeric": (("1.0", "1.4"), ("0.001", "0.002"), ("1.0", "2.0")),
    "numeric(10,3)": (("1.0", "1.4"),),
    "timestamp": (("0044-03-15 BC", "0044-03-15"), ("infinity", "-infinity"), ("2026-01-01", "2026-01-02")),
    "date": (("0044-03-15 BC", "0044-03-15"),),
}
server = psycopg2.connect(host="127.0.0.1", port=sys.argv[1], user="postgres", dbname="postgres")
server.autocommit = True
for name in ("before", "after"):
    server.cursor().execute(f"create database {name}")


def connect(name):
    connection = psycopg2.connect(host="127.0.0.1", port=sys.argv[1], user="postgres", dbname=name)
    connection.autocommit = True
    return connection.cursor()


def differences(one, other):
    tables = []
    for database, table in (one, other):
        url = f"postgresql://postgres@127.0.0.1:{sys.argv[1]}/{database}"
        tables.append(reladiff.connect_to_table(url, table, "id"))
    return len(list(reladiff.diff_tables(*tables, extra_columns=("v",))))


before, after = connect("before"), connect("after")
number = 0
for type, pairs in VALUES.items():
    for left, right in pairs:
        number += 1
        for cursor, table, value in (
            (before, f"t{number}", left),
            (after, f"t{number}", right),
            (before, f"u{number}", right),
        ):
            cursor.execute(f"create table {table} (id integer primary key, v {type})")
            cursor.execute(f"insert into {table} values (1, '{value}')")
        two = differences(("before", f"t{number}"), ("after", f"t{number}"))
        one = differences(("before", f"t{number}"), ("before", f"u{number}"))
        print(f"{type} {left} and {right}: {two} rows differ in two databases, {one} in one")
PROGRAM

cat >seen <<'SEEN'
numeric 1.0 and 1.4: 0 rows differ in two databases, 2 in one
numeric 0.001 and 0.002: 0 rows differ in two databases, 2 in one
numeric 1.0 and 2.0: 2 rows differ in two databases, 2 in one
numeric(10,3) 1.0 and 1.4: 2 rows differ in two databases, 2 in one
timestamp 0044-03-15 BC and 0044-03-15: 0 rows differ in two databases, 2 in one
timestamp infinity and -infinity: 0 rows differ in two databases, 2 in one
timestamp 2026-01-01 and 2026-01-02: 2 rows differ in two databases, 2 in one
date 0044-03-15 BC and 0044-03-15: 0 rows differ in two databases, 2 in one
SEEN

venv/bin/python finding.py "$port" >now
diff seen now
