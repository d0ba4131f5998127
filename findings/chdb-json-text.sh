#!/bin/sh
# chdb 4.4.0 (ClickHouse), duckdb 2.0.1: ClickHouse reads a Parquet column of the logical type JSON as its own type JSON, which takes a
# text that looks like a time for one, and prints that: "2026-02-30" comes as "2026-03-02", "2026/2/3" as "2026-02-03",
# "1800-01-01" with a time of day and nine digits of a second. A key whose value is null is gone, a key with a dot is two
# levels, and a number of more than 64 bits is a text. No error. DuckDB reads what was written.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet chdb==4.4.0 duckdb==2.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import json

import chdb
import duckdb

values = [
    '{"a":"2026-02-30"}',
    '{"a":"2026/2/3"}',
    '{"a":"1800-01-01"}',
    '{"a":"2026-01-01 24:00:00"}',
    '{"a":"0001-01-01"}',
    '{"a":null,"b":1}',
    '{"a.b":1}',
    '{"a":123456789012345678901}',
]
# Of one row a file, since the type is found for each path of a column.
for value in values:
    duckdb.execute("copy (select ?::json as j) to 'j.parquet'", [value])
    [(read,)] = duckdb.sql("select j::text from 'j.parquet'").fetchall()
    row = json.loads(str(chdb.query("select toString(j) from file('j.parquet', Parquet)", "JSONCompactEachRow")))
    print("DuckDB", read, "ClickHouse", row[0])
PROGRAM

cat >seen <<'SEEN'
DuckDB {"a":"2026-02-30"} ClickHouse {"a":"2026-03-02"}
DuckDB {"a":"2026/2/3"} ClickHouse {"a":"2026-02-03"}
DuckDB {"a":"1800-01-01"} ClickHouse {"a":"1800-01-01 00:00:00.000000000"}
DuckDB {"a":"2026-01-01 24:00:00"} ClickHouse {"a":"2026-01-02 00:00:00"}
DuckDB {"a":"0001-01-01"} ClickHouse {"a":"0001-01-01"}
DuckDB {"a":null,"b":1} ClickHouse {"b":1}
DuckDB {"a.b":1} ClickHouse {"a":{"b":1}}
DuckDB {"a":123456789012345678901} ClickHouse {"a":"123456789012345678901"}
SEEN

venv/bin/python finding.py >now
diff seen now
