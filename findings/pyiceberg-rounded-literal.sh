#!/bin/sh
# pyiceberg 0.12.0, pyarrow 26.0.1: a number with a fraction in a text filter on an integer column is rounded to an integer, half to even,
# before it is compared. "n > 1.5" does not find 2, "n < 0.5" does not find 0, "n = 2.4" finds 2, and delete("n = 2.4") deletes
# that row. A decimal column refuses a literal of another scale ("Could not convert").
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet pyiceberg[sql-sqlite]==0.12.0 pyarrow==26.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import sys
import warnings
from decimal import Decimal

import pyarrow
from pyiceberg.catalog.sql import SqlCatalog

warnings.simplefilter("ignore")
catalog = SqlCatalog("local", uri=f"sqlite:///{sys.argv[1]}/catalog.db", warehouse=f"file://{sys.argv[1]}")
catalog.create_namespace("finding")
amounts = pyarrow.array([Decimal("0.00"), Decimal("1.00"), Decimal("2.00"), Decimal("3.00")], pyarrow.decimal128(10, 2))
rows = pyarrow.table({"n": pyarrow.array([0, 1, 2, 3], pyarrow.int32()), "amount": amounts})
table = catalog.create_table("finding.item", schema=rows.schema)
table.append(rows)
for filter in ("n > 1", "n > 1.5", "n < 0.5", "n >= 2.5", "n = 2.4", "amount = 2.4"):
    try:
        print(filter, "->", table.scan(row_filter=filter).to_arrow()["n"].to_pylist())
    except ValueError as error:
        print(filter, "->", error)
table.delete("n = 2.4")
print("left after delete of n = 2.4 ->", table.scan().to_arrow()["n"].to_pylist())
PROGRAM

cat >seen <<'SEEN'
n > 1 -> [2, 3]
n > 1.5 -> [3]
n < 0.5 -> []
n >= 2.5 -> [2, 3]
n = 2.4 -> [2]
amount = 2.4 -> Could not convert 2.4 into a decimal(10, 2)
left after delete of n = 2.4 -> [0, 1, 3]
SEEN

venv/bin/python finding.py "$folder" >now
diff seen now
