#!/bin/sh
# uuid6 2025.0.1, uuid7 0.1.0, uuid-utils 1.2.0: the time in a UUID of version 7, by which pg_partman 5 can partition and
# PostgreSQL 18's uuid_extract_timestamp() reads it (RFC 9562: milliseconds since 1970 in the first 48 bits). Of many in a row,
# uuid6 gives each one a millisecond more than the one before, whatever the clock says, so 100,000 in a second end more than a
# minute in the future, in another partition maybe. Those of uuid7, an older draft, are in the 23rd century. uuid-utils follows
# the clock.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet uuid6==2025.0.1 uuid7==0.1.0 uuid-utils==1.2.0; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import time
from datetime import datetime, timedelta, timezone

import uuid6
import uuid_extensions
import uuid_utils


def seconds(value):
    return (int(str(value).replace("-", "")[:12], 16)) / 1000


for name, generate in ("uuid6", uuid6.uuid7), ("uuid7", uuid_extensions.uuid7), ("uuid-utils", uuid_utils.uuid7):
    first = seconds(generate()) - time.time()
    for _ in range(99999):
        last = generate()
    ahead = seconds(last) - time.time()
    year = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds(last))
    print(name, "first within a second:", abs(first) < 1, "last within a second:", abs(ahead) < 1)
    print("  more than a minute ahead:", ahead > 60, "in this century:", year.year < 2101)
PROGRAM

cat >seen <<'SEEN'
uuid6 first within a second: True last within a second: False
  more than a minute ahead: True in this century: True
uuid7 first within a second: False last within a second: False
  more than a minute ahead: True in this century: False
uuid-utils first within a second: True last within a second: True
  more than a minute ahead: False in this century: True
SEEN

venv/bin/python finding.py >now
diff seen now
