#!/bin/sh
# adbc-driver-postgresql 1.13.0 (adbc-driver-manager 1.13.0, pyarrow 23.0.1), PostgreSQL 15: values that it writes as other ones,
# without an error. A column of uint64 is a bigint, into which a number of 2^63 or more goes as a negative one: the largest is -1.
# Nanoseconds are cut to microseconds towards 1970, so one nanosecond before 1970 is 1970, where a number of microseconds rounded
# down is the last one of 1969. Smaller unsigned columns have a type that holds them.
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

table = pyarrow.table(
    {
        "u64": pyarrow.array([2**64 - 1, 2**63, 2**63 - 1], pyarrow.uint64()),
        "u32": pyarrow.array([2**32 - 1, 1, 0], pyarrow.uint32()),
        "ns": pyarrow.array([-1, -1001, 1999], pyarrow.timestamp("ns")),
    }
)
with adbc_driver_postgresql.dbapi.connect(f"postgresql://postgres@/postgres?host={sys.argv[1]}") as connection:
    with connection.cursor() as cursor:
        cursor.adbc_ingest("samples", table, mode="create")
        cursor.execute("select u64::text, u32::text, ns::text from samples")
        for row in cursor.fetchall():
            print(*row)
PROGRAM

cat >seen <<'SEEN'
-1 4294967295 1970-01-01 00:00:00
-9223372036854775808 1 1969-12-31 23:59:59.999999
9223372036854775807 0 1970-01-01 00:00:00.000001
SEEN

venv/bin/python finding.py "$folder/data" >now
diff seen now
