#!/bin/sh
# pgsql-ast-parser 12.0.2, pg-mem 3.0.14: a number with an exponent is read as the number in front of it, and the exponent as a column's
# name: "select 1e3" is one row with 1 in a column e3, where PostgreSQL returns 1000, and the statement is printed so, without an error.
# pg-mem, which reads its SQL by this parser, returns the same row. (1e+3 and 1e-3 are syntax errors.)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error pgsql-ast-parser@12.0.2 pg-mem@3.0.14 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { newDb } from 'pg-mem';
import { parseFirst, toSql } from 'pgsql-ast-parser';

for (const statement of ['select 1000', 'select 1e3', 'select 2.5e3']) {
  const printed = toSql.statement(parseFirst(statement)).trim().replace(/\s+/g, ' ');
  console.log(statement, '->', printed, JSON.stringify(newDb().public.many(statement)));
}
PROGRAM

cat >seen <<'SEEN'
select 1000 -> SELECT (1000) [{"column":1000}]
select 1e3 -> SELECT (1) AS e3 [{"e3":1}]
select 2.5e3 -> SELECT (2.5) AS e3 [{"e3":2.5}]
SEEN

node finding.mjs >now
diff seen now
