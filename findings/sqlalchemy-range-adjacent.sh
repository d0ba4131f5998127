#!/bin/sh
# SQLAlchemy 2.1.9 (with psycopg2-binary 2.9.13), PostgreSQL 15: sqlalchemy.dialects.postgresql.Range compares ranges in Python
# as PostgreSQL does, with two exceptions, of whole numbers and of days. Where the first range ends without its bound and the
# second begins without its own, a day later, two days are in neither, and adjacent_to() is true; union() of them is one range
# that has those days. So a gap between two partitions is taken for none. PostgreSQL says false, and refuses the union. With the
# bounds that PostgreSQL returns, [), it does not occur.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet sqlalchemy==2.1.9 psycopg2-binary==2.9.13; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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
from datetime import date

import psycopg2
from sqlalchemy.dialects.postgresql import Range

connection = psycopg2.connect(host="127.0.0.1", port=sys.argv[1], user="postgres", dbname="postgres")
connection.autocommit = True
cursor = connection.cursor()


def postgresql(operator, kind, first, second):
    try:
        cursor.execute(f"select ('{first}'::{kind} {operator} '{second}'::{kind})::text")
        return cursor.fetchone()[0]
    except psycopg2.Error as error:
        return str(error).strip()


for kind, bounds, first, second in (
    ("int4range", ("[)", "[)"), (1, 5), (5, 9)),
    ("int4range", ("[)", "()"), (1, 5), (6, 9)),
    ("daterange", ("[)", "()"), (date(2025, 12, 1), date(2026, 1, 1)), (date(2026, 1, 2), date(2026, 2, 1))),
):
    ranges = Range(*first, bounds=bounds[0]), Range(*second, bounds=bounds[1])
    texts = [f"{each.bounds[0]}{each.lower},{each.upper}{each.bounds[1]}" for each in ranges]
    union = ranges[0].union(ranges[1])
    print(kind, *texts)
    print("  SQLAlchemy:", ranges[0].adjacent_to(ranges[1]), f"{union.bounds[0]}{union.lower},{union.upper}{union.bounds[1]}")
    print("  PostgreSQL:", postgresql("-|-", kind, *texts), postgresql("+", kind, *texts))
PROGRAM

cat >seen <<'SEEN'
int4range [1,5) [5,9)
  SQLAlchemy: True [1,9)
  PostgreSQL: true [1,9)
int4range [1,5) (6,9)
  SQLAlchemy: True [1,9)
  PostgreSQL: false result of range union would not be contiguous
daterange [2025-12-01,2026-01-01) (2026-01-02,2026-02-01)
  SQLAlchemy: True [2025-12-01,2026-02-01)
  PostgreSQL: false result of range union would not be contiguous
SEEN

venv/bin/python finding.py "$port" >now
diff seen now
