#!/bin/sh
# DuckDB 1.5.6 (@duckdb/node-api 1.5.6-r.1) prints a year before Christ as "0044-03-15 (BC)" and reads that. PostgreSQL
# prints "0044-03-15 BC". Cast to DATE, that text loses its era without an error and is a date after Christ; cast to
# TIMESTAMP, it is refused.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error @duckdb/node-api@1.5.6-r.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { DuckDBInstance } from '@duckdb/node-api';

const connection = await (await DuckDBInstance.create()).connect();
const ask = async (sql) => {
  const rows = await connection.runAndReadAll(sql).then((result) => result.getRows(), (error) => error.message.split('\n')[0]);
  console.log(sql, '->', Array.isArray(rows) ? rows.map((row) => row.map(String).join(' ')).join('; ') : rows);
};

await ask("select '0044-03-15 (BC)'::date::varchar");
await ask("select '0044-03-15 BC'::date::varchar");
await ask("select '0044-03-15 BC'::date > '0001-01-01'::date");
await ask("select '0044-03-15 00:00:00 BC'::timestamp::varchar");
PROGRAM

cat >seen <<'SEEN'
select '0044-03-15 (BC)'::date::varchar -> 0044-03-15 (BC)
select '0044-03-15 BC'::date::varchar -> 0044-03-15
select '0044-03-15 BC'::date > '0001-01-01'::date -> true
select '0044-03-15 00:00:00 BC'::timestamp::varchar -> Conversion Error: timestamp field value "0044-03-15 00:00:00 BC" has a timestamp that is not UTC.
SEEN

node finding.mjs >now
diff seen now
