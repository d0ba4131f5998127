#!/bin/sh
# pgcopy 1.6.2 (with psycopg2-binary 2.9.13), PostgreSQL 15: two values that come into the table as other ones, without an error. A text
# that is longer than its varchar(n) is cut at n characters, where INSERT and PostgreSQL's own COPY refuse the row ("value too
# long"); so are the elements of an array. Infinity of numeric, which PostgreSQL has since version 14, comes as NaN, whatever its
# sign, and so it does in an INSERT by psycopg2. As a text it comes as it is.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet pgcopy==1.6.2 psycopg2-binary==2.9.13; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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
import sys
from decimal import Decimal

import pgcopy
import psycopg2

connection = psycopg2.connect(host=sys.argv[1], user="postgres", dbname="postgres")
cursor = connection.cursor()
for kind, value in (
    ("varchar(3)", "abc"),
    ("varchar(3)", "abcd"),
    ("varchar(3)[]", ["abcd"]),
    ("numeric", Decimal("1E+20")),
    ("numeric", Decimal("-Infinity")),
    ("numeric", "-Infinity"),
):
    print(kind, repr(value), end=" -> ")
    if kind != "numeric" or isinstance(value, Decimal):
        cursor.execute(f"create table item (value {kind})")
        pgcopy.CopyManager(connection, "item", ["value"]).copy([(value,)])
        cursor.execute("select value::text from item")
        print("pgcopy", cursor.fetchone()[0], end=", ")
        connection.rollback()
    try:
        cursor.execute(f"create table item (value {kind}); insert into item values (%s) returning value::text", (value,))
        print("INSERT", cursor.fetchone()[0])
    except psycopg2.Error as error:
        print("INSERT", error.diag.message_primary)
    connection.rollback()
connection.close()
PROGRAM

cat >seen <<'SEEN'
varchar(3) 'abc' -> pgcopy abc, INSERT abc
varchar(3) 'abcd' -> pgcopy abc, INSERT value too long for type character varying(3)
varchar(3)[] ['abcd'] -> pgcopy {abc}, INSERT value too long for type character varying(3)
numeric Decimal('1E+20') -> pgcopy 100000000000000000000, INSERT 100000000000000000000
numeric Decimal('-Infinity') -> pgcopy NaN, INSERT NaN
numeric '-Infinity' -> INSERT -Infinity
SEEN

venv/bin/python finding.py "$folder/data" >now
diff seen now
