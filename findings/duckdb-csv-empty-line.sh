#!/bin/sh
# DuckDB 1.5.6 (@duckdb/node-api 1.5.6-r.1): in a file of one column, an empty line is an empty value. read_csv returns a
# row for it (NULL) as long as no nullstr is given. With a nullstr the row is missing, without an error: two rows of
# three. With a second column it is there.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error @duckdb/node-api@1.5.6-r.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const connection = await (await DuckDBInstance.create()).connect();
const ask = async (sql) => {
  const rows = await connection.runAndReadAll(sql).then((result) => result.getRows(), (error) => error.message.split('\n')[0]);
  console.log(sql, '->', Array.isArray(rows) ? rows.map((row) => row.map(String).join(' ')).join('; ') : rows);
};

writeFileSync('one.csv', 'a\n\nb\n');
writeFileSync('two.csv', 'a,1\n,2\nb,3\n');
const of = (file, columns, more) =>
  `select count(*) from read_csv('${file}', header=false, auto_detect=false, columns=${columns}${more})`;
await ask(of('one.csv', "{'v':'VARCHAR'}", ''));
await ask(of('one.csv', "{'v':'VARCHAR'}", ", nullstr='NA'"));
await ask(of('two.csv', "{'v':'VARCHAR','n':'VARCHAR'}", ", nullstr='NA'"));
PROGRAM

cat >seen <<'SEEN'
select count(*) from read_csv('one.csv', header=false, auto_detect=false, columns={'v':'VARCHAR'}) -> 3
select count(*) from read_csv('one.csv', header=false, auto_detect=false, columns={'v':'VARCHAR'}, nullstr='NA') -> 2
select count(*) from read_csv('two.csv', header=false, auto_detect=false, columns={'v':'VARCHAR','n':'VARCHAR'}, nullstr='NA') -> 3
SEEN

node finding.mjs >now
diff seen now
