#!/bin/sh
# sqlglot 30.30.0, duckdb 1.5.5: PostgreSQL's SQL, written for DuckDB and run there, returns other results than PostgreSQL
# without an error or a warning. Integers are divided with a fraction, in columns and literals alike (7 / 2 is 3 in PostgreSQL),
# unless sqlglot is told the types. Of to_char()'s patterns, Mon, Day, AM and MS stay as they are, and the D of Day becomes a
# number: so every afternoon is AM and every month 'Mon'. YYYY, MM, HH24, IYYY and US are right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet sqlglot==30.30.0 duckdb==1.5.5; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import duckdb
import sqlglot

for sql in (
    "select 7 / 2",
    "select a / b from (values (7, 2)) as t (a, b)",
    "select to_char(timestamp '2026-01-05 13:04:05', 'YYYY-MM-DD HH24:MI:SS')",
    "select to_char(timestamp '2026-01-05 13:04:05', 'DD Mon YYYY HH12:MI AM')",
    "select to_char(timestamp '2026-01-05 13:04:05', 'Day')",
    "select to_char(timestamp '2026-01-05 13:04:05.123456', 'MS US')",
):
    written = sqlglot.transpile(sql, read="postgres", write="duckdb")[0]
    print(sql, duckdb.sql(written).fetchone()[0], sep="\n  ")
PROGRAM

cat >seen <<'SEEN'
select 7 / 2
  3.5
select a / b from (values (7, 2)) as t (a, b)
  3.5
select to_char(timestamp '2026-01-05 13:04:05', 'YYYY-MM-DD HH24:MI:SS')
  2026-01-05 13:04:05
select to_char(timestamp '2026-01-05 13:04:05', 'DD Mon YYYY HH12:MI AM')
  05 Mon 2026 01:04 AM
select to_char(timestamp '2026-01-05 13:04:05', 'Day')
  1ay
select to_char(timestamp '2026-01-05 13:04:05.123456', 'MS US')
  MS 123456
SEEN

venv/bin/python finding.py >now
diff seen now
