#!/bin/sh
# @dsnp/parquetjs 1.8.8 (hyparquet 1.33.0 to look into the file): a DECIMAL of at most 9 digits. The writer cuts the product of binary
# numbers instead of rounding it: 4.35 is stored as 4.34, 19.99 as 19.98, while -4.35 is right. Its own reader takes two of the
# stored numbers for one value and returns, after a first row that is right, zeros and rows of others, and never the last ones;
# with 18 digits it reads what is stored. No error. hyparquet shows what the file has. (1.9.3, the latest, came without its code.)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error @dsnp/parquetjs@1.8.8 hyparquet@1.33.0 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { readFileSync } from 'node:fs';
import parquetjs from '@dsnp/parquetjs';
import { parquetReadObjects } from 'hyparquet';

const AMOUNTS = [0.25, 4.35, -4.35, 19.99];
for (const precision of [9, 18]) {
  const schema = new parquetjs.ParquetSchema({ amount: { type: 'DECIMAL', precision, scale: 2 } });
  const writer = await parquetjs.ParquetWriter.openFile(schema, 'item.parquet');
  for (const amount of AMOUNTS) await writer.appendRow({ amount });
  await writer.close();
  const stored = await parquetReadObjects({ file: new Uint8Array(readFileSync('item.parquet')).buffer });
  const reader = await parquetjs.ParquetReader.openFile('item.parquet');
  const cursor = reader.getCursor();
  const read = [];
  for (let row; (row = await cursor.next()); ) read.push(row.amount);
  await reader.close();
  console.log(precision, 'digits: written', AMOUNTS.join(' '));
  console.log('  in the file', stored.map((row) => row.amount).join(' '));
  console.log('  read back', read.join(' '));
}
PROGRAM

cat >seen <<'SEEN'
9 digits: written 0.25 4.35 -4.35 19.99
  in the file 0.25 4.34 -4.35 19.98
  read back 0.25 0 4.34 0
18 digits: written 0.25 4.35 -4.35 19.99
  in the file 0.25 4.34 -4.35 19.98
  read back 0.25 4.34 -4.35 19.98
SEEN

node finding.mjs >now
diff seen now
