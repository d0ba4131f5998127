#!/bin/sh
# pyiceberg 0.12.0, pyarrow 26.0.1: which rows a filter means depends on where the NULL is. A scan of "kind != 'a'" leaves NULL out,
# "kind not in ('a', 'b')" returns it. delete() of the same filters keeps the row with NULL where the table has no
# partitions; where kind is the key, it drops the partition of NULL, a row which a scan of that filter had not shown.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet pyiceberg[sql-sqlite]==0.12.0 pyarrow==26.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import sys
import warnings

import pyarrow
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import NotEqualTo, NotIn

warnings.simplefilter("ignore")
catalog = SqlCatalog("local", uri=f"sqlite:///{sys.argv[1]}/catalog.db", warehouse=f"file://{sys.argv[1]}")
catalog.create_namespace("finding")
rows = pyarrow.table({"id": [1, 2, 3], "kind": ["a", "b", None]})
for partitioned in (False, True):
    for filter in (NotEqualTo("kind", "a"), NotIn("kind", ["a", "b"])):
        table = catalog.create_table("finding.item", schema=rows.schema)
        if partitioned:
            with table.update_spec() as spec:
                spec.add_identity("kind")
        table.append(rows)
        name = type(filter).__name__
        scanned = table.scan(row_filter=filter).to_arrow()["kind"].to_pylist()
        table.delete(filter)
        kept = sorted(table.scan().to_arrow()["kind"].to_pylist(), key=str)
        print("partitioned" if partitioned else "whole", name, "scan", scanned, "kept by delete", kept)
        catalog.drop_table("finding.item")
PROGRAM

cat >seen <<'SEEN'
whole NotEqualTo scan ['b'] kept by delete [None, 'a']
whole NotIn scan [None] kept by delete [None, 'a', 'b']
partitioned NotEqualTo scan ['b'] kept by delete ['a']
partitioned NotIn scan [None] kept by delete ['a', 'b']
SEEN

venv/bin/python finding.py "$folder" >now
diff seen now
