#!/bin/sh
# nodejs-polars 0.25.2, pyarrow 23.0.1: values that come as other ones, without an error. Int64 beyond 53 bits is a rounded
# number in JavaScript, where UInt64 is a BigInt and writeJSON() has the digits. A timestamp's microseconds are rounded to
# milliseconds, so the last one of 9999 is in the year 10000. A Series of BigInts is one of unsigned integers without their
# sign, -1n is 1n, and with the type Int64 each is null; a number beyond Int32 wraps in it. Decimals are refused.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet pyarrow==23.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
npm install --no-audit --no-fund --loglevel=error nodejs-polars@0.25.2 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

venv/bin/python - <<'PROGRAM'
import pyarrow
import pyarrow.parquet

columns = {
    "id": pyarrow.array([9007199254740993], pyarrow.int64()),
    "unsigned": pyarrow.array([9007199254740993], pyarrow.uint64()),
    "time": pyarrow.array([253402300799999999], pyarrow.timestamp("us")),
}
pyarrow.parquet.write_table(pyarrow.table(columns), "file.parquet")
PROGRAM

cat >finding.mjs <<'PROGRAM'
import pl from 'nodejs-polars';

const table = pl.readParquet('file.parquet');
const [row] = table.toRecords();
console.log(row.id, row.unsigned, row.time.toISOString());
console.log(String(table.writeJSON({ format: 'json' })));
console.log(pl.Series('n', [-1n, 5n]).toArray(), pl.Series('n', [-1n, 5n], pl.Int64).toArray());
console.log(pl.Series('n', [3000000000], pl.Int32).toArray());
PROGRAM

cat >seen <<'SEEN'
9007199254740992 9007199254740993n +010000-01-01T00:00:00.000Z
[{"id":9007199254740993,"unsigned":9007199254740993,"time":"9999-12-31 23:59:59.999999"}]
[ 1n, 5n ] [ null, null ]
[ -1294967296 ]
SEEN

node finding.mjs >now
diff seen now
