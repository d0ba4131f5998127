#!/bin/sh
# sqlglot 30.30.0: PostgreSQL's SQL, read and written as PostgreSQL's, is another statement without an error or a warning: of an interval
# literal of one unit and a time of day, the time is lost (1 day 06:00 is 1 day), so a comparison with now() finds other rows.
# The same text with a cast is kept, and so are two units. And of the number forms of PostgreSQL 16, 1_000 becomes the number
# 1 with an alias, and 0x1F, which is 31, a bit string.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet sqlglot==30.30.0; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import sqlglot

for value in (
    "interval '1 day 6 hours'",
    "'1 day 06:00'::interval",
    "interval '1 day 06:00'",
    "interval '1 month -00:00:01'",
    "interval '3 days ago'",
    "1_000",
    "0x1F",
):
    print(value, "->", *sqlglot.transpile(f"select {value}", read="postgres", write="postgres"))
PROGRAM

cat >seen <<'SEEN'
interval '1 day 6 hours' -> SELECT INTERVAL '1 day 6 hours'
'1 day 06:00'::interval -> SELECT CAST('1 day 06:00' AS INTERVAL)
interval '1 day 06:00' -> SELECT INTERVAL '1 DAY'
interval '1 month -00:00:01' -> SELECT INTERVAL '1 MONTH'
interval '3 days ago' -> SELECT INTERVAL '3 DAYS'
1_000 -> SELECT 1 AS _000
0x1F -> SELECT x'1F'
SEEN

venv/bin/python finding.py >now
diff seen now
