#!/bin/sh
# psqlpy 0.13.1, PostgreSQL 15: a numeric goes through a number of 96 bits, both ways. Digits behind the point that do not fit
# are rounded away without an error: of 1e-29 zero is left, of 38 digits 29, so two amounts that differ are equal. Only where
# the digits before the point do not fit, it is an error. The time 24:00 comes as 00:00, the other end of the day, an oid from
# 2147483648 on negative, and of an inet the netmask is lost.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet psqlpy==0.13.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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
import asyncio
import sys
from decimal import Decimal

import psqlpy


async def main():
    pool = psqlpy.ConnectionPool(dsn=f"postgres://postgres@127.0.0.1:{sys.argv[1]}/postgres", max_db_pool_size=2)
    connection = await pool.connection()
    for value in (
        "1.10::numeric",
        "12345678901234567890123456789.123456789::numeric",
        "-99999999999999999999.999999999999::numeric",
        "1e-29::numeric",
        "'24:00'::time",
        "3000000000::oid",
        "'10.0.0.1/24'::inet",
    ):
        result = await connection.execute(f"select {value} as value")
        print("read", value, "->", result.result()[0]["value"])
    for value in ("1.10", "12345678901234567890123456789.123456789"):
        result = await connection.execute("select ($1::numeric)::text as text", [Decimal(value)])
        print("written", value, "->", result.result()[0]["text"])


asyncio.run(main())
PROGRAM

cat >seen <<'SEEN'
read 1.10::numeric -> 1.10
read 12345678901234567890123456789.123456789::numeric -> 12345678901234567890123456789
read -99999999999999999999.999999999999::numeric -> -100000000000000000000.00000000
read 1e-29::numeric -> 0E-28
read '24:00'::time -> 00:00:00
read 3000000000::oid -> -1294967296
read '10.0.0.1/24'::inet -> 10.0.0.1
written 1.10 -> 1.10
written 12345678901234567890123456789.123456789 -> 12345678901234567890123456789
SEEN

venv/bin/python finding.py "$port" >now
diff seen now
