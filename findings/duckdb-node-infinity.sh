#!/bin/sh
# @duckdb/node-api 1.5.6-r.1: an infinite TIMESTAMP prints as "infinity". An infinite DATE, TIMESTAMP_S, TIMESTAMP_MS or TIMESTAMP_NS
# prints as a finite day, which DuckDB itself never shows: it casts each of them to "infinity". getRowsJson() has the
# same texts, and DuckDB refuses to read them back.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error @duckdb/node-api@1.5.6-r.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { DuckDBInstance } from '@duckdb/node-api';

const connection = await (await DuckDBInstance.create()).connect();
for (const type of ['TIMESTAMP', 'TIMESTAMPTZ', 'DATE', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS']) {
  const result = await connection.runAndReadAll(`select v, v::varchar from (select 'infinity'::${type} as v)`);
  const [[value, text]] = result.getRows();
  console.log(type, '->', String(value), 'and', result.getRowsJson()[0][0], 'for', text);
}
PROGRAM

cat >seen <<'SEEN'
TIMESTAMP -> infinity and infinity for infinity
TIMESTAMPTZ -> infinity and infinity for infinity
DATE -> 5881580-07-11 and 5881580-07-11 for infinity
TIMESTAMP_S -> 292277026596-12-04 15:30:07 and 292277026596-12-04 15:30:07 for infinity
TIMESTAMP_MS -> 292278994-08-17 07:12:55.807 and 292278994-08-17 07:12:55.807 for infinity
TIMESTAMP_NS -> 2262-04-11 23:47:16.854775807 and 2262-04-11 23:47:16.854775807 for infinity
SEEN

node finding.mjs >now
diff seen now
