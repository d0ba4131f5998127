#!/bin/sh
# cron-parser 5.10.5: prev() does not go back over the times that next() gives, where a clock is changed. next() runs 02:30 of the day on
# which it is missing in New York an hour later, and 01:30 of the day on which it comes twice once; prev() skips the first day,
# and gives both times of the second. So a check for "was the last run on time" by prev() sees a run that never was due.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error cron-parser@5.10.5 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { CronExpressionParser } from 'cron-parser';

for (const [expression, from, to] of [
  ['30 2 * * *', '2026-03-07T00:00:00Z', '2026-03-10T00:00:00Z'],
  ['30 1 * * *', '2026-10-31T00:00:00Z', '2026-11-03T00:00:00Z'],
]) {
  const times = (start, step) => {
    const iterator = CronExpressionParser.parse(expression, { tz: 'America/New_York', currentDate: start });
    const found = [];
    for (;;) {
      const time = iterator[step]().toISOString();
      if (time <= from || time >= to) return found.sort().map((text) => text.slice(5, 16));
      found.push(time);
    }
  };
  console.log(expression, 'next()', times(from, 'next').join(', '));
  console.log(expression, 'prev()', times(to, 'prev').join(', '));
}
PROGRAM

cat >seen <<'SEEN'
30 2 * * * next() 03-07T07:30, 03-08T07:30, 03-09T06:30
30 2 * * * prev() 03-07T07:30, 03-09T06:30
30 1 * * * next() 10-31T05:30, 11-01T05:30, 11-02T06:30
30 1 * * * prev() 10-31T05:30, 11-01T05:30, 11-01T06:30, 11-02T06:30
SEEN

node finding.mjs >now
diff seen now
