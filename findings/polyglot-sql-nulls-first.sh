#!/bin/sh
# polyglot-sql 0.13.4: PostgreSQL's SQL, read and written as PostgreSQL's, is another statement without an error. Every column of
# an index gets NULLS FIRST, which is another index (and a syntax error for GIN). A foreign key that is NOT ENFORCED (PostgreSQL
# 18) is ENFORCED; a check is kept. numeric(5,-2) has a scale of 4294967294, a partition key's collation is glued to the column's
# name, and CACHE of an identity column is lost. Intervals, which sqlglot changes, are kept.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet polyglot-sql==0.13.4; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import polyglot_sql

for sql in (
    "CREATE INDEX i ON t (a)",
    "CREATE INDEX i ON t USING gin (j jsonb_path_ops)",
    "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES s NOT ENFORCED",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED",
    "CREATE TABLE t (a NUMERIC(5,-2))",
    'CREATE TABLE t (b TEXT) PARTITION BY RANGE (b COLLATE "C")',
    "CREATE TABLE t (a BIGINT GENERATED ALWAYS AS IDENTITY (START 100 CACHE 5))",
    "SELECT INTERVAL '1 day 02:03:04'",
):
    print(sql, *polyglot_sql.transpile(sql, read="postgres", write="postgres"), sep="\n  ")
PROGRAM

cat >seen <<'SEEN'
CREATE INDEX i ON t (a)
  CREATE INDEX i ON t(a NULLS FIRST)
CREATE INDEX i ON t USING gin (j jsonb_path_ops)
  CREATE INDEX i ON t USING gin(j jsonb_path_ops NULLS FIRST)
ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES s NOT ENFORCED
  ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES s ENFORCED
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED
  ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED
CREATE TABLE t (a NUMERIC(5,-2))
  CREATE TABLE t (a DECIMAL(5, 4294967294))
CREATE TABLE t (b TEXT) PARTITION BY RANGE (b COLLATE "C")
  CREATE TABLE t (b TEXT) PARTITION BY RANGE(bCOLLATEC)
CREATE TABLE t (a BIGINT GENERATED ALWAYS AS IDENTITY (START 100 CACHE 5))
  CREATE TABLE t (a BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 100))
SELECT INTERVAL '1 day 02:03:04'
  SELECT INTERVAL '1 day 02:03:04'
SEEN

venv/bin/python finding.py >now
diff seen now
