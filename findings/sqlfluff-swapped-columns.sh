#!/bin/sh
# sqlfluff 4.5.0: fix with its default rules puts plain columns of a SELECT before computed ones (ST06), where their order has no
# meaning. It keeps the order in INSERT, UNION, CREATE VIEW and CTEs. It changes it in COPY (SELECT ...) TO, whose file has other
# columns then, in UPDATE ... SET (a, b) = (SELECT ...) and (a, b) IN (SELECT ...), which set and find other values, and in a
# materialized view that names its columns. No warning.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet sqlfluff==4.5.0; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import sqlfluff

for sql in (
    "insert into t (a, b) select lower(x), y from u",
    "create view v (a, b) as select lower(x), y from u",
    "copy (select lower(x), y from u) to stdout",
    "update t set (a, b) = (select lower(x), y from u)",
    "select 1 from t where (a, b) in (select lower(x), y from u)",
    "create materialized view v (a, b) as select lower(x), y from u",
):
    print(" ".join(sqlfluff.fix(sql + "\n", dialect="postgres").split()))
PROGRAM

cat >seen <<'SEEN'
insert into t (a, b) select lower(x), y from u
create view v (a, b) as select lower(x), y from u
copy (select y, lower(x) from u) to stdout
update t set (a, b) = (select y, lower(x) from u)
select 1 from t where (a, b) in (select y, lower(x) from u)
create materialized view v (a, b) as select y, lower(x) from u
SEEN

venv/bin/python finding.py >now
diff seen now
