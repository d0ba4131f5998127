#!/bin/sh
# fastavro 1.13.1: a negative zero, which Python's decimal keeps and arithmetic makes (-1 * Decimal("0.00")), written as Avro's decimal on
# a fixed of 3 bytes. Its bytes are those of minus two, so with scale 2 -0.00 comes back as -0.02. No error. As a decimal on bytes
# it comes back as 0.00.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet fastavro==1.13.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import io
from decimal import Decimal

import fastavro

for kind in ({"type": "bytes"}, {"type": "fixed", "name": "Amount", "size": 3}):
    schema = fastavro.parse_schema({**kind, "logicalType": "decimal", "precision": 6, "scale": 2})
    for value in (Decimal("0.00"), Decimal("-0.01"), -1 * Decimal("0.00")):
        file = io.BytesIO()
        fastavro.schemaless_writer(file, schema, value)
        written = file.getvalue()
        print(kind["type"], value, written.hex(), "->", fastavro.schemaless_reader(io.BytesIO(written), schema))
PROGRAM

cat >seen <<'SEEN'
bytes 0.00 0200 -> 0.00
bytes -0.01 02ff -> -0.01
bytes -0.00 0200 -> 0.00
fixed 0.00 000000 -> 0.00
fixed -0.01 ffffff -> -0.01
fixed -0.00 fffffe -> -0.02
SEEN

venv/bin/python finding.py >now
diff seen now
