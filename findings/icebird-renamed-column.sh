#!/bin/sh
# icebird 0.3.1, an Iceberg reader in JavaScript; tables by pyiceberg 0.12.0 with pyarrow 25.0.1. Iceberg's columns have ids,
# which are in each Parquet file. icebird looks for a schema of Java's writer in the file, and where there is none, as in
# pyiceberg's and Athena's files, takes a column by the name that it has today. So after a rename the older rows have no value,
# after two columns have swapped their names each has the other's values, and a column that was dropped and added again has its
# old values. No error; the README lists renamed columns as supported, a comment in its source names Athena's files.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet pyiceberg[sql-sqlite]==0.12.0 pyarrow==25.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
npm install --no-audit --no-fund --loglevel=error icebird@0.3.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >tables.py <<'PROGRAM'
import os

import pyarrow
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.types import StringType

folder = os.getcwd()
catalog = SqlCatalog("catalog", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
catalog.create_namespace("n")
rows = pyarrow.table({"id": [1], "a": ["x"], "b": ["y"]})


def table(name):
    created = catalog.create_table(f"n.{name}", rows.schema)
    created.append(rows)
    return created


def rename(table, old, new):
    with table.update_schema() as update:
        update.rename_column(old, new)


renamed = table("renamed")
rename(renamed, "a", "c")
swapped = table("swapped")
rename(swapped, "a", "c")
rename(swapped, "b", "a")
rename(swapped, "c", "b")
added = table("added")
with added.update_schema() as update:
    update.delete_column("a")
with added.update_schema() as update:
    update.add_column("a", StringType())
for each in (renamed, swapped, added):
    print(each.metadata_location, each.scan().to_arrow().to_pylist(), sep="|")
PROGRAM

cat >finding.mjs <<'PROGRAM'
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { icebergRead } from 'icebird';

// The tables are local files; icebird asks for HTTP.
globalThis.fetch = async (url, init) => {
  const body = readFileSync(fileURLToPath(String(url)));
  const [, from, to] = /bytes=(\d+)-(\d+)/.exec(new Headers(init?.headers).get('range') ?? '') ?? [];
  return from === undefined ? new Response(body) : new Response(body.subarray(Number(from), Number(to) + 1), { status: 206 });
};
for (const line of readFileSync('tables', 'utf8').trim().split('\n')) {
  const [location, rows] = line.split('|');
  const [, tableUrl, name, metadataFileName] = /^(.*\/(.*))\/metadata\/(.*)$/.exec(location);
  const [row] = await icebergRead({ tableUrl, metadataFileName });
  console.log(name, 'pyiceberg:', rows, 'icebird:', { ...row, id: Number(row.id) });
}
PROGRAM

cat >seen <<'SEEN'
renamed pyiceberg: [{'id': 1, 'c': 'x', 'b': 'y'}] icebird: { id: 1, c: undefined, b: 'y' }
swapped pyiceberg: [{'id': 1, 'b': 'x', 'a': 'y'}] icebird: { id: 1, b: 'y', a: 'x' }
added pyiceberg: [{'id': 1, 'b': 'y', 'a': None}] icebird: { id: 1, b: 'y', a: 'x' }
SEEN

venv/bin/python tables.py >tables 2>python.log || { cat python.log >&2; exit 2; }
node finding.mjs >now
diff seen now
