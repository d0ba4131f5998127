#!/bin/sh
# adbc-driver-postgresql 1.13.0 (with adbc-driver-manager 1.13.0, pyarrow 23.0.1), PostgreSQL 15: values that come as other ones, without
# an error. An array of two dimensions comes flat; the largest oids come negative; money comes as a bare number of cents; and
# timestamps from 294247 on, 'infinity' among them, come before Christ, since 30 years are added in 64 bits.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet adbc-driver-postgresql==1.13.0 adbc-driver-manager==1.13.0 pyarrow==23.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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

import adbc_driver_postgresql.dbapi
import pyarrow

with adbc_driver_postgresql.dbapi.connect(f"postgresql:///postgres?host={sys.argv[1]}&user=postgres") as connection:
    for value in (
        "array[[1,2],[3,4]]",
        "'4000000000'::oid",
        "'$1.50'::money",
        "'2000-01-01'::timestamp",
        "'294276-12-31'::timestamp",
        "'infinity'::timestamp",
    ):
        with connection.cursor() as cursor:
            cursor.execute(f"select {value}")
            column = cursor.fetch_arrow_table().column(0)
        if pyarrow.types.is_timestamp(column.type):
            column = column.cast(pyarrow.int64())
        print(value, "->", column[0].as_py())
PROGRAM

cat >seen <<'SEEN'
array[[1,2],[3,4]] -> [1, 2, 3, 4]
'4000000000'::oid -> -294967296
'$1.50'::money -> 150
'2000-01-01'::timestamp -> 946684800000000
'294276-12-31'::timestamp -> -9222426144109551616
'infinity'::timestamp -> -9222425352054775809
SEEN

venv/bin/python finding.py "$folder/data" >now
diff seen now
