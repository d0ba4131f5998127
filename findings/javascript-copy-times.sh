#!/bin/sh
# date-fns 4.4.0, dayjs 1.11.23, spacetime 7.15.0 (luxon 3.7.2 beside them), Node.js: texts of times as PostgreSQL's COPY writes them,
# read as other times without an error. An offset with seconds, as before 1883 in New York: parseISO() of date-fns ignores the
# offset, so 07:03:58-04:56:02 is 07:03:58 UTC, and spacetime leaves its minutes out. Years before 100: dayjs reads 0044-03-15 as
# 1944-03-15, and 0001-01-01 with a time as 2001. spacetime reads 24:00:00 as 23:00 of that day. luxon refuses or is right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error date-fns@4.4.0 dayjs@1.11.23 spacetime@7.15.0 luxon@3.7.2 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { parseISO } from 'date-fns';
import dayjs from 'dayjs';
import { DateTime } from 'luxon';
import spacetime from 'spacetime';

const readers = {
  'date-fns': (text) => parseISO(text),
  dayjs: (text) => dayjs(text).toDate(),
  spacetime: (text) => new Date(spacetime(text, 'UTC').epoch),
  luxon: (text) => DateTime.fromSQL(text).toJSDate(),
};
for (const text of [
  '2026-01-01 12:00:00+00',
  '1883-11-18 07:03:58-04:56:02',
  '0044-03-15',
  '0001-01-01 00:00:00+00',
  '2026-01-01 24:00:00',
]) {
  console.log(text);
  for (const [name, read] of Object.entries(readers)) {
    const date = read(text);
    console.log(' ', name, Number.isNaN(date.getTime()) ? 'invalid' : date.toISOString());
  }
}
PROGRAM

cat >seen <<'SEEN'
2026-01-01 12:00:00+00
  date-fns 2026-01-01T12:00:00.000Z
  dayjs 2026-01-01T12:00:00.000Z
  spacetime 2026-01-01T12:00:00.000Z
  luxon 2026-01-01T12:00:00.000Z
1883-11-18 07:03:58-04:56:02
  date-fns 1883-11-18T07:03:58.000Z
  dayjs invalid
  spacetime 1883-11-18T11:03:58.000Z
  luxon invalid
0044-03-15
  date-fns 0044-03-15T00:00:00.000Z
  dayjs 1944-03-15T00:00:00.000Z
  spacetime 0044-03-15T00:00:00.000Z
  luxon 0044-03-15T00:00:00.000Z
0001-01-01 00:00:00+00
  date-fns 0001-01-01T00:00:00.000Z
  dayjs 2001-01-01T00:00:00.000Z
  spacetime 0001-01-01T00:00:00.000Z
  luxon 0001-01-01T00:00:00.000Z
2026-01-01 24:00:00
  date-fns 2026-01-02T00:00:00.000Z
  dayjs 2026-01-02T00:00:00.000Z
  spacetime 2026-01-01T23:00:00.000Z
  luxon 2026-01-02T00:00:00.000Z
SEEN

TZ=UTC node finding.mjs >now
diff seen now
