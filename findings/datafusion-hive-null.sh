#!/bin/sh
# datafusion 55.0.0, pyarrow 23.0.1: since Hive, a folder key=__HIVE_DEFAULT_PARTITION__ stands for NULL. DataFusion writes NULL into the
# folder of the empty text, and both come back empty; of folders that pyarrow wrote, it reads NULL as that long name, a text. No
# error in either. pyarrow reads its own NULL and its own empty text.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet datafusion==55.0.0 pyarrow==23.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import os

import datafusion
import pyarrow
import pyarrow.dataset

TEXT = pyarrow.schema([("key", pyarrow.string())])
HIVE = pyarrow.dataset.partitioning(TEXT, flavor="hive")
table = pyarrow.table({"id": [1, 2, 3], "key": ["x", "", None]})
session = datafusion.SessionContext()
session.register_record_batches("item", [table.to_batches()])
session.sql("copy item to 'datafusion/' stored as parquet partitioned by (key)").collect()
pyarrow.dataset.write_dataset(table, "pyarrow", format="parquet", partitioning=HIVE)
for writer in ("datafusion", "pyarrow"):
    print(writer, "wrote", sorted(os.listdir(writer)))
    session.register_parquet(writer, writer + "/", table_partition_cols=[("key", pyarrow.string())])
    print("  datafusion reads", session.sql(f"select id, key from {writer} order by id").to_pydict()["key"])
    rows = pyarrow.dataset.dataset(writer, format="parquet", partitioning=HIVE).to_table()
    print("  pyarrow reads", rows.sort_by("id")["key"].to_pylist())
PROGRAM

cat >seen <<'SEEN'
datafusion wrote ['key=', 'key=x']
  datafusion reads ['x', '', '']
  pyarrow reads ['x', '', '']
pyarrow wrote ['key=', 'key=__HIVE_DEFAULT_PARTITION__', 'key=x']
  datafusion reads ['x', '', '__HIVE_DEFAULT_PARTITION__']
  pyarrow reads ['x', '', None]
SEEN

venv/bin/python finding.py >now
diff seen now
