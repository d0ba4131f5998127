#!/bin/sh
# DuckDB 1.5.6 (@duckdb/node-api 1.5.6-r.1): expressions of PostgreSQL that run, and have another result. extract() counts
# centuries as PostgreSQL does, so 2000 is in the 20th; date_trunc() begins them in a year that ends in 0, so 1901-01-01 and
# 2001-01-01 of PostgreSQL are 1900 and 2000, and rows that are grouped by the one are not the groups of the other. SIMILAR TO
# and ~ compare the whole text with a regular expression, in which % is a character; the dot is no line end. A row with a NULL
# is different from other rows, not unknown. The documentation has the rest: LIKE has no escape, numeric three decimals, seconds
# no fraction.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error @duckdb/node-api@1.5.6-r.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { DuckDBInstance } from '@duckdb/node-api';

const connection = await (await DuckDBInstance.create(':memory:')).connect();
for (const [expression, postgresql] of [
  [`extract(century from date '2000-05-05')`, '20'],
  [`date_trunc('century', date '2000-05-05')`, '1901-01-01 00:00:00'],
  [`date_trunc('century', date '2001-05-05')`, '2001-01-01 00:00:00'],
  [`date_trunc('millennium', date '2001-05-05')`, '2001-01-01 00:00:00'],
  [`'abc' similar to '%b%'`, 'true'],
  [`'abc' ~ 'b'`, 'true'],
  [`E'a\\nb' ~ 'a.b'`, 'true'],
  [`(1, 2) not in ((1, null))`, 'null'],
  [`row(1, null) is not null`, 'false'],
  [`'a_b' like 'a\\_b'`, 'true'],
  [`round(2.5::float8)`, '2'],
  [`'1.23456'::numeric`, '1.23456'],
  [`extract(second from timestamp '2026-01-01 00:00:01.5')`, '1.500000'],
  [`string_to_array('', ',')`, '[]'],
]) {
  const [[value]] = (await connection.runAndReadAll(`select ${expression}`)).getRows();
  console.log(expression, '->', String(value), 'PostgreSQL:', postgresql);
}
PROGRAM

cat >seen <<'SEEN'
extract(century from date '2000-05-05') -> 20 PostgreSQL: 20
date_trunc('century', date '2000-05-05') -> 2000-01-01 00:00:00 PostgreSQL: 1901-01-01 00:00:00
date_trunc('century', date '2001-05-05') -> 2000-01-01 00:00:00 PostgreSQL: 2001-01-01 00:00:00
date_trunc('millennium', date '2001-05-05') -> 2000-01-01 00:00:00 PostgreSQL: 2001-01-01 00:00:00
'abc' similar to '%b%' -> false PostgreSQL: true
'abc' ~ 'b' -> false PostgreSQL: true
E'a\nb' ~ 'a.b' -> false PostgreSQL: true
(1, 2) not in ((1, null)) -> true PostgreSQL: null
row(1, null) is not null -> true PostgreSQL: false
'a_b' like 'a\_b' -> false PostgreSQL: true
round(2.5::float8) -> 3 PostgreSQL: 2
'1.23456'::numeric -> 1.235 PostgreSQL: 1.23456
extract(second from timestamp '2026-01-01 00:00:01.5') -> 1 PostgreSQL: 1.500000
string_to_array('', ',') -> [''] PostgreSQL: []
SEEN

node finding.mjs >now
diff seen now
