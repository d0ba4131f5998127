#!/bin/sh
# DuckDB 1.5.6 (@duckdb/node-api 1.5.6-r.1), pyarrow 23.0.1: DuckDB reads a Parquet decimal of more than 38 digits as DOUBLE. For
# most widths the number is wrong, and there is no error: 1.50 of DECIMAL(50,2) comes as 25165824, and 1 of DECIMAL(39,0) as
# 72057594037927940. With 76 digits (32 bytes) it is right. (DuckDB 2.0.1 for Python reads all of them right.)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error @duckdb/node-api@1.5.6-r.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }
{ python3 -m venv venv && venv/bin/pip install --quiet pyarrow==23.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >write.py <<'PROGRAM'
from decimal import Decimal
import pyarrow
import pyarrow.parquet

values = [Decimal("1.50"), Decimal("-1.50"), Decimal("0")]
whole = [Decimal("1"), Decimal("-1"), Decimal("0")]
pyarrow.parquet.write_table(pyarrow.table({
    "d38": pyarrow.array(values, pyarrow.decimal128(38, 2)),
    "d39": pyarrow.array(whole, pyarrow.decimal256(39, 0)),
    "d50": pyarrow.array(values, pyarrow.decimal256(50, 2)),
    "d76": pyarrow.array(values, pyarrow.decimal256(76, 2)),
}), "decimals.parquet")
PROGRAM
venv/bin/python write.py

cat >finding.mjs <<'PROGRAM'
import { DuckDBInstance } from '@duckdb/node-api';

const connection = await (await DuckDBInstance.create()).connect();
const result = await connection.runAndReadAll("select * from 'decimals.parquet'");
console.log(result.columnTypes().map(String).join(' '));
for (const row of result.getRows()) console.log(row.map(String).join(' '));
PROGRAM

cat >seen <<'SEEN'
DECIMAL(38,2) DOUBLE DOUBLE DOUBLE
1.50 72057594037927940 25165824 1.5
-1.50 -1 -24998051.85 -1.5
0.00 0 0 0
SEEN

node finding.mjs >now
diff seen now
