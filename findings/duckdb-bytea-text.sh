#!/bin/sh
# DuckDB 1.5.6 (@duckdb/node-api 1.5.6-r.1): PostgreSQL's text of a bytea, such as \x414243, casts to BLOB without an error,
# but only the first byte is read as hexadecimal: five bytes, "A4243", where PostgreSQL has three. unhex() reads it.
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

await ask("select octet_length('\\x414243'::blob), '\\x414243'::blob::varchar");
await ask("select octet_length(unhex(substr('\\x414243', 3))), unhex(substr('\\x414243', 3))::varchar");
PROGRAM

cat >seen <<'SEEN'
select octet_length('\x414243'::blob), '\x414243'::blob::varchar -> 5 A4243
select octet_length(unhex(substr('\x414243', 3))), unhex(substr('\x414243', 3))::varchar -> 3 ABC
SEEN

node finding.mjs >now
diff seen now
