#!/bin/sh
# deltalake 1.6.6, pyarrow 23.0.1: values of a column by which a Delta table is partitioned. -1.50 of decimal(10,2) is written as "-1.-50":
# the append raises an error, but its commit is in the log, and from then on the table cannot be read, with the rows that it had
# before. -2.00 is right. A binary value comes back as another one without an error: the two bytes "ab" as the twelve of
# \u0061\u0062.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet deltalake==1.6.6 pyarrow==23.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
from decimal import Decimal

import deltalake
import pyarrow


def read(table):
    query = deltalake.QueryBuilder().register("t", deltalake.DeltaTable(table))
    return pyarrow.table(query.execute("select key from t order by id").read_all())["key"].to_pylist()


def append(table, value, kind):
    rows = pyarrow.table({"id": [1], "key": pyarrow.array([value], kind)})
    try:
        deltalake.write_deltalake(table, rows, partition_by=["key"], mode="append")
        print("append", value)
    except Exception as error:
        print("append", value, "->", error)
    try:
        print("  keys:", read(table))
    except Exception as error:
        print("  the table:", error)


NUMERIC = pyarrow.decimal128(10, 2)
append("numeric", Decimal("-2.00"), NUMERIC)
append("numeric", Decimal("-1.50"), NUMERIC)
append("binary", b"ab", pyarrow.binary())
PROGRAM

cat >seen <<'SEEN'
append -2.00
  keys: [Decimal('-2.00')]
append -1.50 -> Kernel error: Failed to parse value '-1.-50' as 'decimal(10,2)'
  the table: Kernel error: Failed to parse value '-1.-50' as 'decimal(10,2)'
append b'ab'
  keys: [b'\\u0061\\u0062']
SEEN

venv/bin/python finding.py >now
diff seen now
