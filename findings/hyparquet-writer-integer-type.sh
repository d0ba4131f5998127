#!/bin/sh
# hyparquet-writer 0.17.0, hyparquet 1.31.5, DuckDB 1.5.6 (@duckdb/node-api 1.5.6-r.1): a column with the logical type INTEGER is
# written without an error, and hyparquet reads it. DuckDB reads nothing of the file: "TProtocolException: Invalid data".
# With the older converted type INT_16 instead, it reads SMALLINT.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error hyparquet-writer@0.17.0 hyparquet@1.31.5 @duckdb/node-api@1.5.6-r.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { writeFileSync } from 'node:fs';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { DuckDBInstance } from '@duckdb/node-api';

const connection = await (await DuckDBInstance.create()).connect();
const ask = async (sql) => {
  const rows = await connection.runAndReadAll(sql).then((result) => result.getRows(), (error) => error.message.split('\n')[0]);
  console.log(sql, '->', Array.isArray(rows) ? rows.map((row) => row.map(String).join(' ')).join('; ') : rows);
};

const write = (file, type) => {
  const schema = [
    { name: 'root', num_children: 1 },
    { name: 'n', type: 'INT32', repetition_type: 'REQUIRED', ...type },
  ];
  writeFileSync(file, Buffer.from(parquetWriteBuffer({ schema, columnData: [{ name: 'n', data: [1, 2] }] })));
};
write('logical.parquet', { logical_type: { type: 'INTEGER', bitWidth: 16, isSigned: true } });
write('converted.parquet', { converted_type: 'INT_16' });
const rows = await parquetReadObjects({ file: await asyncBufferFromFile('logical.parquet') });
console.log('hyparquet:', JSON.stringify(rows));
await ask("select typeof(n), n from 'logical.parquet'");
await ask("select typeof(n), n from 'converted.parquet'");
PROGRAM

cat >seen <<'SEEN'
hyparquet: [{"n":1},{"n":2}]
select typeof(n), n from 'logical.parquet' -> Invalid Error: TProtocolException: Invalid data
select typeof(n), n from 'converted.parquet' -> SMALLINT 1; SMALLINT 2
SEEN

node finding.mjs >now
diff seen now
