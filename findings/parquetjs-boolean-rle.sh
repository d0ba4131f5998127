#!/bin/sh
# @dsnp/parquetjs 1.8.8, pyarrow 23.0.1: with data_page_version="2.0" pyarrow writes booleans run-length encoded (RLE), as the format
# says. parquetjs reads such a column without an error, and every value is false. NULLs are NULL, and other columns of the
# same file are right. With pages of version 1, pyarrow's default (PLAIN), the booleans are right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error @dsnp/parquetjs@1.8.8 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }
{ python3 -m venv venv && venv/bin/pip install --quiet pyarrow==23.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >write.py <<'PROGRAM'
import pyarrow
import pyarrow.parquet

table = pyarrow.table({"flag": [True, True, False, None, True], "n": [1, 2, 3, None, 5]})
for version in ("1.0", "2.0"):
    pyarrow.parquet.write_table(table, f"{version}.parquet", data_page_version=version)
PROGRAM
venv/bin/python write.py

cat >finding.mjs <<'PROGRAM'
import parquet from '@dsnp/parquetjs';

for (const version of ['1.0', '2.0']) {
  const reader = await parquet.ParquetReader.openFile(`${version}.parquet`);
  const cursor = reader.getCursor();
  const rows = [];
  for (let row = await cursor.next(); row !== null; row = await cursor.next()) rows.push(row);
  await reader.close();
  console.log(version, 'flag:', rows.map((row) => row.flag).map(String).join(' '));
  console.log(version, 'n:', rows.map((row) => row.n).map(String).join(' '));
}
PROGRAM

cat >seen <<'SEEN'
1.0 flag: true true false null true
1.0 n: 1 2 3 null 5
2.0 flag: false false false null false
2.0 n: 1 2 3 null 5
SEEN

node finding.mjs >now
diff seen now
