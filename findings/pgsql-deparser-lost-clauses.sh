#!/bin/sh
# pgsql-parser 18.2.8 (with pgsql-deparser 18.3.8): a statement that is parsed by PostgreSQL's own parser and printed again loses clauses
# without an error: INCLUDE of a unique constraint, INCLUDING COMPRESSION, and TABLESPACE of a table and of a constraint's index.
# RESET of a storage parameter of the TOAST table resets the table's own. INCLUDE and TABLESPACE of an index are printed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error pgsql-parser@18.2.8 pgsql-deparser@18.3.8 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { deparse, loadModule, parse } from 'pgsql-parser';

await loadModule();
for (const statement of [
  'create index i on t (a) include (b) tablespace cold',
  'alter table t add unique (a) include (b)',
  'alter table t add unique (a) using index tablespace cold',
  'create table t (like u including storage including compression)',
  'create table t partition of u for values in (1) tablespace cold',
  'alter table t reset (toast.autovacuum_enabled)',
]) {
  const printed = await deparse(await parse(statement));
  console.log(`${statement}\n  -> ${printed.replace(/\s+/g, ' ')}`);
}
PROGRAM

cat >seen <<'SEEN'
create index i on t (a) include (b) tablespace cold
  -> CREATE INDEX i ON t (a) INCLUDE (b) TABLESPACE cold
alter table t add unique (a) include (b)
  -> ALTER TABLE t ADD UNIQUE (a)
alter table t add unique (a) using index tablespace cold
  -> ALTER TABLE t ADD UNIQUE (a)
create table t (like u including storage including compression)
  -> CREATE TABLE t ( LIKE u INCLUDING STORAGE )
create table t partition of u for values in (1) tablespace cold
  -> CREATE TABLE t PARTITION OF u FOR VALUES IN (1)
alter table t reset (toast.autovacuum_enabled)
  -> ALTER TABLE t RESET (AUTOVACUUM_ENABLED)
SEEN

node finding.mjs >now
diff seen now
