#!/bin/sh
# pg-mem 3.0.14, a PostgreSQL in memory for tests: interval arithmetic is on milliseconds, with months of 30 days and years of 360.
# 2026-02-01 plus one month is 3 March, and 2026-01-01 minus one year is 6 January 2025, where PostgreSQL says 1 March and
# 1 January. So what a test finds to be a month's bounds, or older than a retention of one year, is not what the server finds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error pg-mem@3.0.14 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { newDb } from 'pg-mem';

for (const value of [
  "date '2026-02-01' + interval '1 day'",
  "date '2026-02-01' + interval '1 month'",
  "date '2026-07-01' + interval '3 months'",
  "date '2026-01-01' - interval '1 year'",
  "date '2026-01-01' = date '2026-02-01' - interval '1 month'",
]) {
  const [row] = newDb().public.many(`select ${value} as value`);
  console.log(value, '->', JSON.stringify(row.value));
}
PROGRAM

cat >seen <<'SEEN'
date '2026-02-01' + interval '1 day' -> "2026-02-02T00:00:00.000Z"
date '2026-02-01' + interval '1 month' -> "2026-03-03T00:00:00.000Z"
date '2026-07-01' + interval '3 months' -> "2026-09-29T00:00:00.000Z"
date '2026-01-01' - interval '1 year' -> "2025-01-06T00:00:00.000Z"
date '2026-01-01' = date '2026-02-01' - interval '1 month' -> false
SEEN

node finding.mjs >now
diff seen now
