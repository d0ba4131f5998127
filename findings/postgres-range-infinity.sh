#!/bin/sh
# postgres-range 1.1.4, PostgreSQL 18 (@electric-sql/pglite 0.5.17): for PostgreSQL infinity is a value of a date or a timestamp, and a range
# that ends there has an end. postgres-range reads that bound as no bound, and prints another range than it was given:
# [2026-01-01,infinity) as [2026-01-01,), and [infinity,infinity], which has one value, as (,), which has all. A text range up
# to the word infinity loses its end, even where the word is quoted. Infinity of numeric, with a capital letter, is kept.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error postgres-range@1.1.4 @electric-sql/pglite@0.5.17 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { PGlite } from '@electric-sql/pglite';
import { parse, serialize } from 'postgres-range';

const database = new PGlite();
await database.exec('create type text_range as range (subtype = text)');
for (const [type, text] of [
  ['daterange', '[2026-01-01,2026-02-01)'],
  ['daterange', '[2026-01-01,infinity)'],
  ['tsrange', '[-infinity,2026-01-01)'],
  ['tstzrange', '[infinity,infinity]'],
  ['text_range', '[a,"infinity")'],
  ['numrange', '[1,Infinity)'],
]) {
  const printed = serialize(parse(text));
  const { rows } = await database.query(`select $1::${type} = $2::${type} as same`, [text, printed]);
  console.log(type, text, '->', printed, rows[0].same ? 'the same' : 'another range');
}
await database.close();
PROGRAM

cat >seen <<'SEEN'
daterange [2026-01-01,2026-02-01) -> [2026-01-01,2026-02-01) the same
daterange [2026-01-01,infinity) -> [2026-01-01,) another range
tsrange [-infinity,2026-01-01) -> (,2026-01-01) another range
tstzrange [infinity,infinity] -> (,) another range
text_range [a,"infinity") -> [a,) another range
numrange [1,Infinity) -> [1,Infinity) the same
SEEN

node finding.mjs >now
diff seen now
