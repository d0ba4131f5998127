#!/bin/sh
# pg8000 1.31.6, PostgreSQL 15. Two things, without an error:
# - of a negative time of less than an hour in an interval, the sign is lost: -00:00:00.5 comes as half a second, and one day less
#   one second as one day and one second. From an hour on, the hours are negative, but not the minutes: -01:30 is read as -00:30.
# - NULL fields of a row value are missing, and those behind them move up: row(null, 1) comes as ('1',).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet pg8000==1.31.6; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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

import pg8000.native

connection = pg8000.native.Connection("postgres", unix_sock=sys.argv[1] + "/.s.PGSQL.5432")
for value in (
    "interval '-00:00:00.5'",
    "interval '1 day -00:00:01'",
    "interval '-01:00'",
    "interval '-01:30'",
    "row(1, 'x')",
    "row(null, 1)",
    "row(1, null, 'x', null)",
):
    ((text, read),) = connection.run(f"select ({value})::text, {value}")
    print(value, "is", text, "->", read.total_seconds() if hasattr(read, "total_seconds") else read)
PROGRAM

cat >seen <<'SEEN'
interval '-00:00:00.5' is -00:00:00.5 -> 0.5
interval '1 day -00:00:01' is 1 day -00:00:01 -> 86401.0
interval '-01:00' is -01:00:00 -> -3600.0
interval '-01:30' is -01:30:00 -> -1800.0
row(1, 'x') is (1,x) -> ('1', 'x')
row(null, 1) is (,1) -> ('1',)
row(1, null, 'x', null) is (1,,x,) -> ('1', 'x')
SEEN

venv/bin/python finding.py "$folder/data" >now
diff seen now
