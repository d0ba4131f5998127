#!/bin/sh
# connectorx 0.4.6, pyarrow 23.0.1, PostgreSQL 15: a column of type json, which PostgreSQL keeps as it was written, is parsed and
# written again. Its keys are sorted, of doubled keys the last one is left, and numbers go through a double where they are no
# 64-bit integers: 123456789012345678901234567890 becomes 1.2345678901234568e29. The same of numbers in jsonb.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet connectorx==0.4.6 pyarrow==23.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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
import urllib.parse

import connectorx

url = f"postgresql://postgres@{urllib.parse.quote(sys.argv[1], safe='')}/postgres"
for value in (
    """'{"b": 1, "a": 1.0}'::json""",
    """'{"a": 1, "a": 2}'::json""",
    """'123456789012345678901234567890'::json""",
    """'{"price": 0.1234567890123456789}'::jsonb""",
):
    table = connectorx.read_sql(url, f"select {value} as read, ({value})::text as text", return_type="arrow")
    (row,) = table.to_pylist()
    print(row["text"], "->", row["read"])
PROGRAM

cat >seen <<'SEEN'
{"b": 1, "a": 1.0} -> {"a":1.0,"b":1}
{"a": 1, "a": 2} -> {"a":2}
123456789012345678901234567890 -> 1.2345678901234568e29
{"price": 0.1234567890123456789} -> {"price":0.12345678901234568}
SEEN

venv/bin/python finding.py "$folder/data" >now
diff seen now
