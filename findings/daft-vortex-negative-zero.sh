#!/bin/sh
# daft 0.7.26, vortex-data 0.93.0, pyarrow 25.0.1: a double that is -0.0, as PostgreSQL keeps it and takes it for equal to 0.
# Filters of Daft and Vortex compare doubles in the total order of IEEE 754: x == 0 does not return it, x < 0 does, and x > 1
# returns NaN. pyarrow returns -0.0 for x == 0, as SQL does, and no NaN. Values are read as they are, so only the rows differ.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet daft==0.7.26 vortex-data==0.93.0 pyarrow==25.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import daft
import pyarrow
import pyarrow.compute
import pyarrow.parquet
import vortex
import vortex.expr

table = pyarrow.table({"x": [-0.0, 0.0, -1.5, 1.5, float("nan")]})
pyarrow.parquet.write_table(table, "numbers.parquet")
vortex.io.write(vortex.array(table), "numbers.vortex")


def filtered(name, condition):
    by_pyarrow = pyarrow.parquet.read_table("numbers.parquet", filters=condition(pyarrow.compute.field("x")))
    by_daft = daft.read_parquet("numbers.parquet").where(condition(daft.col("x"))).to_arrow()
    by_vortex = vortex.open("numbers.vortex").to_arrow(expr=condition(vortex.expr.column("x"))).read_all()
    print(name)
    for reader, rows in ("pyarrow", by_pyarrow), ("daft", by_daft), ("vortex", by_vortex):
        print(f"  {reader}:", sorted(rows.column("x").to_pylist(), key=str))


filtered("x == 0", lambda x: x == 0.0)
filtered("x < 0", lambda x: x < 0.0)
filtered("x > 1", lambda x: x > 1.0)
PROGRAM

cat >seen <<'SEEN'
x == 0
  pyarrow: [-0.0, 0.0]
  daft: [0.0]
  vortex: [0.0]
x < 0
  pyarrow: [-1.5]
  daft: [-0.0, -1.5]
  vortex: [-0.0, -1.5]
x > 1
  pyarrow: [1.5]
  daft: [1.5, nan]
  vortex: [1.5, nan]
SEEN

DAFT_PROGRESS_BAR=0 DO_NOT_TRACK=true venv/bin/python finding.py >now 2>python.log || { cat python.log >&2; exit 2; }
diff seen now
