#!/bin/sh
# node-sql-parser 5.4.0, database "postgresql": ONLY, which leaves out the partitions of a table, is read as the name of a table, and the
# table's name as its alias. So the printed statement deletes from another table, and tableList, which says what a statement
# touches, has that one. NATURAL and CROSS become aliases in the same way: the join that is left has no condition. TRUNCATE is
# read right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error node-sql-parser@5.4.0 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import sql from 'node-sql-parser';

const parser = new sql.Parser();
const option = { database: 'postgresql' };
for (const statement of [
  'truncate only t',
  'select a from only t',
  'delete from only t where a = 1',
  'insert into t select * from only u',
  'select a from t natural left join u',
  'select a from t cross join u',
]) {
  const { ast, tableList } = parser.parse(statement, option);
  console.log(`${statement}\n  -> ${parser.sqlify(ast, option)}   ${tableList.join(' ')}`);
}
PROGRAM

cat >seen <<'SEEN'
truncate only t
  -> TRUNCATE TABLE ONLY "t"   truncate::null::t
select a from only t
  -> SELECT a FROM "only" AS "t"   select::null::only
delete from only t where a = 1
  -> DELETE FROM "only" AS "t" WHERE a = 1   delete::null::only
insert into t select * from only u
  -> INSERT INTO "t" SELECT * FROM "only" AS "u"   select::null::only insert::null::t
select a from t natural left join u
  -> SELECT a FROM "t" AS "natural" LEFT JOIN "u"   select::null::t select::null::u
select a from t cross join u
  -> SELECT a FROM "t" AS "cross" INNER JOIN "u"   select::null::t select::null::u
SEEN

node finding.mjs >now
diff seen now
