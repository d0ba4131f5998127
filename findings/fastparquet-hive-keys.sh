#!/bin/sh
# fastparquet 2026.9.0 (pandas 2.3.3): a table in folders such as room=T1, whose keys have no type. fastparquet takes what looks
# like a number, a time or an interval for one, without a warning: T1 and T2 are the first days of the year 1, march is a day of
# March, 10:00 is that time today, so another value each day, and 1d an interval. 1_0 and 10 are one key, 10, and so are
# 1 and 01. Keys such as A1 and B2 are kept.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet fastparquet==2026.9.0 pandas==2.3.3; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import datetime
import os
import warnings

import fastparquet
import pandas

warnings.simplefilter("ignore")


def shown(value):
    if isinstance(value, pandas.Timestamp) and value.date() in days:
        return value.strftime("today at %H:%M")
    return repr(value)


days = [datetime.date.today()]
for keys in (["A1", "B2"], ["T1", "T2"], ["march", "may"], ["10:00", "11:30"], ["1d", "2d"], ["1_0", "10"], ["1", "01"]):
    table = f"table-{keys[0]}"
    for number, key in enumerate(keys):
        os.makedirs(f"{table}/key={key}")
        fastparquet.write(f"{table}/key={key}/part.parquet", pandas.DataFrame({"n": [number]}))
    read = fastparquet.ParquetFile(table).to_pandas().sort_values("n")
    days.append(datetime.date.today())
    print(keys, "->", ", ".join(shown(value) for value in read["key"]))
PROGRAM

cat >seen <<'SEEN'
['A1', 'B2'] -> 'A1', 'B2'
['T1', 'T2'] -> Timestamp('1-01-01 00:00:00'), Timestamp('1-01-02 00:00:00')
['march', 'may'] -> Timestamp('1-03-01 00:00:00'), Timestamp('1-05-01 00:00:00')
['10:00', '11:30'] -> today at 10:00, today at 11:30
['1d', '2d'] -> Timedelta('1 days 00:00:00'), Timedelta('2 days 00:00:00')
['1_0', '10'] -> 10, 10
['1', '01'] -> 1, 1
SEEN

venv/bin/python finding.py >now
diff seen now
