#!/bin/sh
# pyorc 0.12.0 (Apache ORC's C++ library), pyarrow 26.0.1: a timestamp before 1970 with a fraction of a second. The value is read as it
# was written, but the file's statistics, pyarrow's and pyorc's alike, have it a second later, and the upper bound is before the
# lower bound. A reader with a predicate on that very value skips the rows, without an error. With whole seconds, and after 1970, it
# finds them.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet pyorc==0.12.0 pyarrow==26.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import io
from datetime import datetime, timezone

import pyarrow
import pyarrow.orc
import pyorc
from pyorc.predicates import PredicateColumn


def by_pyarrow(file, value):
    pyarrow.orc.write_table(pyarrow.table({"at": pyarrow.array([value], pyarrow.timestamp("us", "UTC"))}), file)


def by_pyorc(file, value):
    with pyorc.Writer(file, "struct<at:timestamp with local time zone>") as writer:
        writer.write((value,))


at = PredicateColumn(pyorc.TypeKind.TIMESTAMP_INSTANT, "at")
for write in (by_pyarrow, by_pyorc):
    for text in ("1969-07-20 20:17:40+00", "1969-07-20 20:17:40.500000+00", "2026-07-20 20:17:40.500000+00"):
        value = datetime.fromisoformat(text)
        file = io.BytesIO()
        write(file, value)
        rows = list(pyorc.Reader(file))
        found = list(pyorc.Reader(file, predicate=(at == value)))
        limits = pyorc.Reader(file)[1].statistics
        print(write.__name__, rows[0][0], "rows", len(rows), "found by ==", len(found), "minimum", limits["minimum"].time())
PROGRAM

cat >seen <<'SEEN'
by_pyarrow 1969-07-20 20:17:40+00:00 rows 1 found by == 1 minimum 20:17:40
by_pyarrow 1969-07-20 20:17:40.500000+00:00 rows 1 found by == 0 minimum 20:17:41.500000
by_pyarrow 2026-07-20 20:17:40.500000+00:00 rows 1 found by == 1 minimum 20:17:40.500000
by_pyorc 1969-07-20 20:17:40+00:00 rows 1 found by == 1 minimum 20:17:40
by_pyorc 1969-07-20 20:17:40.500000+00:00 rows 1 found by == 0 minimum 20:17:41.500000
by_pyorc 2026-07-20 20:17:40.500000+00:00 rows 1 found by == 1 minimum 20:17:40.500000
SEEN

venv/bin/python finding.py >now
diff seen now
