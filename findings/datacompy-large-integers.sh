#!/bin/sh
# datacompy 1.1.0 (pandas 3.0.6, polars 1.44.2): compares two tables, as a source and what was restored from it, and says
# whether they match. With its default tolerance of 0, numbers are compared as doubles: two integers beyond 53 bits, such as ids
# or nanoseconds, that differ by one match, and so do decimals that differ behind the 16th digit, though both sides hold them
# exactly. The same with pandas and with polars. As the key of a join, the same integers are told apart.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet datacompy==1.1.0 pandas==3.0.6 polars==1.44.2; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
from decimal import Decimal

import datacompy
import pandas
import polars

KINDS = ((datacompy.PandasCompare, pandas.DataFrame), (datacompy.PolarsCompare, polars.DataFrame))

for first, second in (
    (9007199254740991, 9007199254740990),
    (9007199254740993, 9007199254740992),
    (1790000000000000001, 1790000000000000002),
    (Decimal("1.10"), Decimal("1.11")),
    (Decimal("12345678901234567890.01"), Decimal("12345678901234567890.02")),
):
    print(first, second, *(
        compare(table({"id": [1], "value": [first]}), table({"id": [1], "value": [second]}), join_columns="id").matches()
        for compare, table in KINDS
    ))
keys = [pandas.DataFrame({"id": [key]}) for key in (9007199254740993, 9007199254740992)]
print("keys", datacompy.PandasCompare(*keys, join_columns="id").matches())
PROGRAM

cat >seen <<'SEEN'
9007199254740991 9007199254740990 False False
9007199254740993 9007199254740992 True True
1790000000000000001 1790000000000000002 True True
1.10 1.11 False False
12345678901234567890.01 12345678901234567890.02 True True
keys False
SEEN

venv/bin/python finding.py >now 2>python.log || { cat python.log >&2; exit 2; }
diff seen now
