#!/bin/sh
# hyparquet-writer 0.17.0, DuckDB 1.5.6 (@duckdb/node-api 1.5.6-r.1): the writer's statistics of a DOUBLE column leave NaN out
# (the largest value of 1, 2, NaN, 3 is 3). For DuckDB NaN is larger than every number, and it takes these statistics for
# bounds: "d > 20" finds the NaN in a table, and does not find it in the file that the table was read from. With
# `statistics: false` it does.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error hyparquet-writer@0.17.0 @duckdb/node-api@1.5.6-r.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { writeFileSync } from 'node:fs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { DuckDBInstance } from '@duckdb/node-api';

const connection = await (await DuckDBInstance.create()).connect();
const ask = async (sql) => {
  const rows = await connection.runAndReadAll(sql).then((result) => result.getRows(), (error) => error.message.split('\n')[0]);
  console.log(sql, '->', Array.isArray(rows) ? rows.map((row) => row.map(String).join(' ')).join('; ') : rows);
};

const columnData = [{ name: 'd', data: [1, 2, NaN, 3], type: 'DOUBLE' }];
writeFileSync('with.parquet', Buffer.from(parquetWriteBuffer({ columnData })));
writeFileSync('without.parquet', Buffer.from(parquetWriteBuffer({ columnData, statistics: false })));
await connection.run("create table t as select * from 'with.parquet'");
await ask('select count(*) from t where d > 20');
await ask("select count(*) from 'with.parquet' where d > 20");
await ask("select count(*) from 'without.parquet' where d > 20");
PROGRAM

cat >seen <<'SEEN'
select count(*) from t where d > 20 -> 1
select count(*) from 'with.parquet' where d > 20 -> 0
select count(*) from 'without.parquet' where d > 20 -> 1
SEEN

node finding.mjs >now
diff seen now
