#!/bin/sh
# parquet-wasm 0.8.0, apache-arrow 21.2.0, DuckDB 1.5.6 (@duckdb/node-api 1.5.6-r.1): Parquet's INTERVAL has months, days and milliseconds.
# parquet-wasm reads it as Arrow's interval of days and milliseconds, and the months are gone without an error: one year
# comes as nothing. DuckDB reads the same file with them.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error parquet-wasm@0.8.0 apache-arrow@21.2.0 @duckdb/node-api@1.5.6-r.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromIPC } from 'apache-arrow';
import { readParquet } from 'parquet-wasm';

const connection = await (await DuckDBInstance.create()).connect();
await connection.run(`copy (select unnest(['1 year', '1 month 2 days 00:00:03', '2 days']::interval[]) as i) to 'i.parquet'`);
const rows = (await connection.runAndReadAll("select i from 'i.parquet'")).getRows();
console.log('DuckDB:', rows.map(String).join('; '));
const column = tableFromIPC(readParquet(readFileSync('i.parquet')).intoIPCStream()).getChild('i');
console.log(String(column.type));
for (const [days, milliseconds] of column) console.log('days', days, 'milliseconds', milliseconds);
PROGRAM

cat >seen <<'SEEN'
DuckDB: 1 year; 1 month 2 days 00:00:03; 2 days
Interval<DAY_TIME>
days 0 milliseconds 0
days 2 milliseconds 3000
days 2 milliseconds 0
SEEN

node finding.mjs >now
diff seen now
