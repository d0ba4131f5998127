#!/bin/sh
# DuckDB 2.0.1 (duckdb on PyPI), pyarrow 23.0.1, polars 2.1.0: 24:00:00 is a time of day in DuckDB, as in PostgreSQL, and COPY writes it to
# Parquet as it is (86,400,000,000 microseconds). pyarrow hands it to Python as 00:00, the other end of the day, and polars
# reads NULL. No error in either.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet duckdb==2.0.1 pyarrow==23.0.1 polars==2.1.0; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import duckdb
import polars
import pyarrow
import pyarrow.parquet

duckdb.sql("copy (select unnest(['23:59:59', '24:00:00']::time[]) as t) to 't.parquet'")
print("DuckDB:", duckdb.sql("select t::varchar from 't.parquet'").fetchall())
column = pyarrow.parquet.read_table("t.parquet")["t"]
print("pyarrow:", column.cast(pyarrow.int64()).to_pylist(), [str(value) for value in column.to_pylist()])
series = polars.read_parquet("t.parquet")["t"]
print("polars:", series.null_count(), "NULL", [str(value) for value in series.to_list()])
PROGRAM

cat >seen <<'SEEN'
DuckDB: [('23:59:59',), ('24:00:00',)]
pyarrow: [86399000000, 86400000000] ['23:59:59', '00:00:00']
polars: 1 NULL ['23:59:59', 'None']
SEEN

venv/bin/python finding.py >now
diff seen now
