#!/bin/sh
# fast-csv 5.0.8: spaces belong to a field of a CSV file, and PostgreSQL's COPY writes them without quotes, for example of a char(3) column.
# fast-csv keeps them, but not those of a line's first field that has nothing else: the field comes empty, as NULL does. Of one
# column, the whole row comes without a field. Quoted they are kept. csv-parse 7.0.3 keeps them everywhere.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error fast-csv@5.0.8 csv-parse@7.0.3 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { parse } from 'csv-parse/sync';
import { parseString } from 'fast-csv';

for (const text of ['   ,x\n', 'x,   \n', 'x,   ,y\n', ' a ,x\n', '"   ",x\n', '   \n']) {
  const rows = [];
  for await (const row of parseString(text)) rows.push(row);
  console.log(JSON.stringify(text), '-> fast-csv', JSON.stringify(rows), 'csv-parse', JSON.stringify(parse(text)));
}
PROGRAM

cat >seen <<'SEEN'
"   ,x\n" -> fast-csv [["","x"]] csv-parse [["   ","x"]]
"x,   \n" -> fast-csv [["x","   "]] csv-parse [["x","   "]]
"x,   ,y\n" -> fast-csv [["x","   ","y"]] csv-parse [["x","   ","y"]]
" a ,x\n" -> fast-csv [[" a ","x"]] csv-parse [[" a ","x"]]
"\"   \",x\n" -> fast-csv [["   ","x"]] csv-parse [["   ","x"]]
"   \n" -> fast-csv [[]] csv-parse [["   "]]
SEEN

node finding.mjs >now
diff seen now
