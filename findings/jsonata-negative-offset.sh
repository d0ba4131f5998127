#!/bin/sh
# jsonata 2.2.2: a time zone west of UTC by hours and a half, as Newfoundland's -03:30. $fromMillis() with a picture takes -0330 for
# -04:30 and writes that, $toMillis() with a picture reads -03:30 as -02:30, both an hour off. East of UTC, in whole hours, and
# $toMillis() without a picture they are right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error jsonata@2.2.2 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.js <<'PROGRAM'
const jsonata = require('jsonata');

const PICTURE = '[Y0001]-[M01]-[D01]T[H01]:[m01][Z]';
const evaluate = async (expression) => console.log(expression.replace(PICTURE, 'PICTURE'), '->', await jsonata(expression).evaluate({}));
(async () => {
  for (const offset of ['-0330', '-0300', '+0330']) await evaluate(`$fromMillis(0, '${PICTURE}', '${offset}')`);
  for (const offset of ['-03:30', '-03:00', '+03:30']) {
    await evaluate(`$fromMillis($toMillis('2026-01-01T00:00${offset}', '${PICTURE}'))`);
    await evaluate(`$fromMillis($toMillis('2026-01-01T00:00:00${offset}'))`);
  }
})();
PROGRAM

cat >seen <<'SEEN'
$fromMillis(0, 'PICTURE', '-0330') -> 1969-12-31T19:30-04:30
$fromMillis(0, 'PICTURE', '-0300') -> 1969-12-31T21:00-03:00
$fromMillis(0, 'PICTURE', '+0330') -> 1970-01-01T03:30+03:30
$fromMillis($toMillis('2026-01-01T00:00-03:30', 'PICTURE')) -> 2026-01-01T02:30:00.000Z
$fromMillis($toMillis('2026-01-01T00:00:00-03:30')) -> 2026-01-01T03:30:00.000Z
$fromMillis($toMillis('2026-01-01T00:00-03:00', 'PICTURE')) -> 2026-01-01T03:00:00.000Z
$fromMillis($toMillis('2026-01-01T00:00:00-03:00')) -> 2026-01-01T03:00:00.000Z
$fromMillis($toMillis('2026-01-01T00:00+03:30', 'PICTURE')) -> 2025-12-31T20:30:00.000Z
$fromMillis($toMillis('2026-01-01T00:00:00+03:30')) -> 2025-12-31T20:30:00.000Z
SEEN

node finding.js >now
diff seen now
