#!/bin/sh
# fastparquet 2026.9.0 (pandas 2.3.3), pyarrow 23.0.1: a DATE goes into 64 bits of nanoseconds, which end in 2262, and wraps there without
# an error or a warning: 9999-12-31, "for ever" in many tables, comes as 1816-03-29. The same day as a TIMESTAMP of
# microseconds in the same file is right, since those are read with their own unit.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet fastparquet==2026.9.0 pandas==2.3.3 pyarrow==23.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
from datetime import date, datetime

import fastparquet
import pyarrow
import pyarrow.parquet

days = [date(2026, 1, 1), date(9999, 12, 31), date(1, 1, 1)]
pyarrow.parquet.write_table(pyarrow.table({
    "d": pyarrow.array(days, pyarrow.date32()),
    "t": pyarrow.array([datetime(day.year, day.month, day.day) for day in days], pyarrow.timestamp("us")),
}), "days.parquet")
frame = fastparquet.ParquetFile("days.parquet").to_pandas()
for name in frame:
    print(name, frame[name].dtype, [str(value)[:10] for value in frame[name]])
PROGRAM

cat >seen <<'SEEN'
d datetime64[ns] ['2026-01-01', '1816-03-29', '1754-08-30']
t datetime64[us] ['2026-01-01', '9999-12-31', '0001-01-01']
SEEN

venv/bin/python finding.py >now
diff seen now
