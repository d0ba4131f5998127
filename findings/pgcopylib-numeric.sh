#!/bin/sh
# pgcopylib 0.2.3.3 (with psycopg2-binary 2.9.13), PostgreSQL 15: values of COPY's binary format that become other ones, without
# an error. Written, a decimal loses its point: 1.10 is 110.00 in the table, 0.00001 is 1.00000. An interval loses its years, and
# a timestamp the fraction of its second. Read, NaN and Infinity of numeric are 0, an offset of timetz has the other sign, and
# what follows NULL in a text[] is wrong: the bytes of the next element's length are part of its text.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet pgcopylib==0.2.3.3 psycopg2-binary==2.9.13; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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
import io
import sys

import psycopg2
from pgcopylib import PGCopyReader, PGCopyWriter, PGOid

connection = psycopg2.connect(host=sys.argv[1], user="postgres", dbname="postgres")
cursor = connection.cursor()


def read(type, text):
    cursor.execute(f"create temporary table wide (v {type}) on commit drop")
    cursor.execute("insert into wide values (%s)", [text])
    file = io.BytesIO()
    cursor.copy_expert("copy wide to stdout (format binary)", file)
    file.seek(0)
    cursor.execute("select %s::regtype::oid::integer", [type])
    columns = [PGOid(cursor.fetchone()[0])]
    return columns, list(PGCopyReader(file, columns).to_rows())


for type, text in (
    ("numeric", "1.10"),
    ("numeric", "0.00001"),
    ("numeric", "-1.50"),
    ("interval", "1 year 2 mons"),
    ("timestamp", "2026-01-01 00:00:01.7"),
):
    columns, rows = read(type, text)
    file = io.BytesIO()
    PGCopyWriter(file, columns).write(rows)
    cursor.execute("truncate wide")
    cursor.copy_expert("copy wide from stdin (format binary)", io.BytesIO(file.getvalue()))
    cursor.execute("select v::text from wide")
    print(f"written, {type} {text}:", cursor.fetchone()[0])
    connection.rollback()

for type, text in (("numeric", "NaN"), ("numeric", "Infinity"), ("timetz", "12:00+05:30"), ("text[]", "{a,NULL,b}")):
    rows = read(type, text)[1]
    print(f"read, {type} {text}:", rows[0][0] if type != "text[]" else [str(element) for element in rows[0][0]])
    connection.rollback()
PROGRAM

cat >seen <<'SEEN'
written, numeric 1.10: 110.00
written, numeric 0.00001: 1.00000
written, numeric -1.50: -150.00
written, interval 1 year 2 mons: 2 mons
written, timestamp 2026-01-01 00:00:01.7: 2026-01-01 00:00:01
read, numeric NaN: 0
read, numeric Infinity: 0E-32
read, timetz 12:00+05:30: 12:00:00-05:30
read, text[] {a,NULL,b}: ['a', '\x00\x00\x00\x01b', '']
SEEN

venv/bin/python finding.py "$folder/data" >now
diff seen now
