#!/bin/sh
# backparq 0.4.0 (with psycopg2-binary 2.9.13), PostgreSQL 15: an archiver of old rows, whose delete_chunk_safely() deletes what
# was exported by the rows' ctid. In a partitioned table each partition counts its own: the ctid (0,1) is a row in every
# partition. So deleting January deletes February and March with it, rows that were in no archive. The number it returns is the
# only sign. In a table without partitions it deletes January.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet backparq==0.4.0 psycopg2-binary==2.9.13; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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
from datetime import datetime, timezone

import psycopg2
from backparq.db.operations import delete_chunk_safely

connection = psycopg2.connect(host=sys.argv[1], user="postgres", dbname="postgres")
cursor = connection.cursor()
cursor.execute("set timezone = 'UTC'")
cursor.execute("create table one (at timestamptz not null)")
cursor.execute("create table parted (at timestamptz not null) partition by range (at)")
for month in (1, 2, 3):
    cursor.execute(
        f"create table parted_{month} partition of parted "
        f"for values from ('2026-0{month}-01') to ('2026-0{month + 1}-01')"
    )
for table in ("one", "parted"):
    cursor.execute(f"insert into {table} select generate_series('2026-01-01', '2026-03-31', interval '1 day')")
connection.commit()


def months(table):
    cursor.execute(f"select to_char(at, 'YYYY-MM'), count(*) from {table} group by 1 order by 1")
    return dict(cursor.fetchall())


january = datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2026, 2, 1, tzinfo=timezone.utc)
for table in ("one", "parted"):
    print(table, "before:", months(table))
    print(table, "deleted:", delete_chunk_safely(connection, table, *january, 1000, "at"))
    print(table, "after:", months(table))
PROGRAM

cat >seen <<'SEEN'
one before: {'2026-01': 31, '2026-02': 28, '2026-03': 31}
one deleted: 31
one after: {'2026-02': 28, '2026-03': 31}
parted before: {'2026-01': 31, '2026-02': 28, '2026-03': 31}
parted deleted: 90
parted after: {}
SEEN

venv/bin/python finding.py "$folder/data" >now
diff seen now
