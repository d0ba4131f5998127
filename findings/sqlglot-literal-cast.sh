#!/bin/sh
# sqlglot 30.30.0 (with psycopg2-binary 2.9.13), PostgreSQL 15: PostgreSQL's SQL, read and written as PostgreSQL's. A literal
# with its type in front and a cast behind, as in timestamptz '...'::date, is read with the cast first: the text becomes a date,
# and that a timestamptz. So an offset is ignored, or taken where it was to be ignored: another moment or day, and the outer
# type is another one, without an error or a warning. With parentheses around the literal, and with two casts behind it, it is
# read right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet sqlglot==30.30.0 psycopg2-binary==2.9.13; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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
import sqlglot

connection = psycopg2.connect(host="127.0.0.1", port=sys.argv[1], user="postgres", dbname="postgres")
cursor = connection.cursor()
cursor.execute("set timezone = 'UTC'")


def value(sql):
    cursor.execute(f"select value::text, pg_typeof(value)::text from ({sql}) as one (value)")
    return " ".join(cursor.fetchone())


for expression in (
    "timestamptz '2026-01-01 00:00+05'::timestamp",
    "timestamptz '2026-01-01 00:00+05'::date",
    "timestamp '2026-01-01 00:00+05'::timestamptz",
    "(timestamptz '2026-01-01 00:00+05')::timestamp",
    "'2026-01-01 00:00+05'::timestamptz::timestamp",
):
    sql = "select " + expression
    written = sqlglot.transpile(sql, read="postgres", write="postgres")[0]
    print(expression, value(sql), value(written), sep="\n  ")
PROGRAM

cat >seen <<'SEEN'
timestamptz '2026-01-01 00:00+05'::timestamp
  2025-12-31 19:00:00 timestamp without time zone
  2026-01-01 00:00:00+00 timestamp with time zone
timestamptz '2026-01-01 00:00+05'::date
  2025-12-31 date
  2026-01-01 00:00:00+00 timestamp with time zone
timestamp '2026-01-01 00:00+05'::timestamptz
  2026-01-01 00:00:00+00 timestamp with time zone
  2025-12-31 19:00:00 timestamp without time zone
(timestamptz '2026-01-01 00:00+05')::timestamp
  2025-12-31 19:00:00 timestamp without time zone
  2025-12-31 19:00:00 timestamp without time zone
'2026-01-01 00:00+05'::timestamptz::timestamp
  2025-12-31 19:00:00 timestamp without time zone
  2025-12-31 19:00:00 timestamp without time zone
SEEN

venv/bin/python finding.py "$port" >now
diff seen now
