#!/bin/sh
# @duckdb/node-api 1.5.6-r.1: a string that begins with U+FEFF comes to JavaScript without it. DuckDB itself has it: length()
# counts it, and the bytes of encode() are there. Elsewhere in the string it stays. A second one behind it stays, too.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error @duckdb/node-api@1.5.6-r.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { DuckDBInstance } from '@duckdb/node-api';

const connection = await (await DuckDBInstance.create()).connect();
const VALUES = [
  "chr(65279) || 'a'",
  "'a' || chr(65279)",
  "chr(65279) || chr(65279) || 'a'",
  "repeat('x', 20)",
  "chr(65279) || repeat('x', 20)",
];
for (const value of VALUES) {
  const rows = await connection.runAndReadAll(
    `select v, length(v), octet_length(encode(v)) from (select ${value} as v)`);
  const [[text, length, bytes]] = rows.getRows();
  const shown = JSON.stringify(text).replaceAll('\ufeff', '\\ufeff');
  console.log(value, '->', shown, text.length, 'of', Number(length), 'characters,', Number(bytes), 'bytes');
}
PROGRAM

cat >seen <<'SEEN'
chr(65279) || 'a' -> "a" 1 of 2 characters, 4 bytes
'a' || chr(65279) -> "a\ufeff" 2 of 2 characters, 4 bytes
chr(65279) || chr(65279) || 'a' -> "\ufeffa" 2 of 3 characters, 7 bytes
repeat('x', 20) -> "xxxxxxxxxxxxxxxxxxxx" 20 of 20 characters, 20 bytes
chr(65279) || repeat('x', 20) -> "xxxxxxxxxxxxxxxxxxxx" 20 of 21 characters, 23 bytes
SEEN

node finding.mjs >now
diff seen now
