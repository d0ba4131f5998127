#!/bin/sh
# slonik 49.10.9 (PostgreSQL's texts are given to its parser, so there is no server): the parser of an interval, which is in the
# default preset and is to return seconds, returns 0 for every negative interval, without an error: three days ago is now. Of
# mixed signs the negative part is left out, so one month less a day is a month, and a microsecond is 0, too. The parser of a
# timestamp knows infinity, and returns NaN for a time before Christ.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error slonik@49.10.9 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { createIntervalTypeParser, createTimestampTypeParser } from 'slonik';

const interval = createIntervalTypeParser();
for (const text of ['3 days', '-3 days', '01:30:00.5', '-01:30:00.5', '1 mon', '1 mon -1 days', '1 day -00:00:01', '00:00:00.000001']) {
  console.log(text, '->', interval.parse(text));
}
for (const text of ['infinity', '0044-03-15 12:00:00 BC']) {
  console.log(text, '->', createTimestampTypeParser().parse(text));
}
PROGRAM

cat >seen <<'SEEN'
3 days -> 259200
-3 days -> 0
01:30:00.5 -> 5400.5
-01:30:00.5 -> 0
1 mon -> 2592000
1 mon -1 days -> 2592000
1 day -00:00:01 -> 86400
00:00:00.000001 -> 0
infinity -> Infinity
0044-03-15 12:00:00 BC -> NaN
SEEN

TZ=UTC node finding.mjs >now
diff seen now
