#!/bin/sh
# asyncpg 0.32.0, PostgreSQL 15: an offset of timetz may have seconds, as local mean time had. asyncpg writes them, and drops them when
# it reads: the time of day in UTC is another one, without an error. So a value that is read and written back changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet asyncpg==0.32.0; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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
import asyncio
import sys
from datetime import time, timedelta, timezone

import asyncpg


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    amsterdam = time(12, 0, tzinfo=timezone(timedelta(minutes=19, seconds=32)))
    print("written:", await connection.fetchval("select $1::timetz::text", amsterdam))
    read = await connection.fetchval("select '12:00+00:19:32'::timetz")
    print("read:", read)
    print("the same:", await connection.fetchval("select $1::timetz = '12:00+00:19:32'::timetz", read))
    await connection.close()


asyncio.run(main())
PROGRAM

cat >seen <<'SEEN'
written: 12:00:00+00:19:32
read: 12:00:00+00:19
the same: False
SEEN

venv/bin/python finding.py "$folder/data" >now
diff seen now
