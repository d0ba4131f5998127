#!/bin/sh
# pyarrow 23.0.1, hyparquet 1.31.5: Parquet's data page of version 2 has a number of NULLs, and the page has that many values less. For a
# column inside of list<struct>, pyarrow counts rows without a list, and empty lists, as 0 NULLs (pages and statistics). A
# reader that believes the header looks for values that are not there: hyparquet raises. Pages of version 1, the default,
# have no such number, and list<list> has the right one.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error hyparquet@1.31.5 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }
{ python3 -m venv venv && venv/bin/pip install --quiet pyarrow==23.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >write.py <<'PROGRAM'
import pyarrow
import pyarrow.parquet

INT = pyarrow.int32()
LISTS = {"struct": pyarrow.list_(pyarrow.struct([("a", INT)])), "list": pyarrow.list_(pyarrow.list_(INT))}
for name, kind in LISTS.items():
    for version in ("1.0", "2.0"):
        file = f"{name}-{version}.parquet"
        table = pyarrow.table({"v": pyarrow.array([None, [], None], kind)})
        pyarrow.parquet.write_table(table, file, data_page_version=version, use_dictionary=False, compression="none")
        column = pyarrow.parquet.ParquetFile(file).metadata.row_group(0).column(0)
        print(file, "values", column.num_values, "nulls", column.statistics.null_count)
PROGRAM

cat >finding.mjs <<'PROGRAM'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';

for (const name of ['struct-1.0', 'struct-2.0', 'list-1.0', 'list-2.0']) {
  const file = await asyncBufferFromFile(`${name}.parquet`);
  const read = await parquetReadObjects({ file }).then((rows) => JSON.stringify(rows), (error) => error.message.split(':')[0]);
  console.log(name, '->', read);
}
PROGRAM

cat >seen <<'SEEN'
struct-1.0.parquet values 3 nulls 0
struct-2.0.parquet values 3 nulls 0
list-1.0.parquet values 3 nulls 3
list-2.0.parquet values 3 nulls 3
struct-1.0 -> [{},{"v":[]},{}]
struct-2.0 -> Invalid typed array length
list-1.0 -> [{},{"v":[]},{}]
list-2.0 -> [{},{"v":[]},{}]
SEEN

{ venv/bin/python write.py; node finding.mjs 2>errors; } >now
diff seen now
