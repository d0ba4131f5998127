#!/bin/sh
# aws-cron-parser 1.1.12: a schedule on a day that a month does not have. EventBridge leaves such a month out. next() names a day of the
# next month as an occurrence: 1 May for 31 April, 1 March for 29 February of a common year, and of 30 February, which never
# comes, one every year. The year field does not help. prev() from such a day returns that day again, without an end.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error aws-cron-parser@1.1.12 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.js <<'PROGRAM'
const { next, parse, prev } = require('aws-cron-parser');

const walk = (step, expression, from, count) => {
  const dates = [];
  const cron = parse(expression);
  for (let at = new Date(from); dates.length < count; dates.push(at.toISOString().slice(0, 10))) at = step(cron, at);
  return dates.join(' ');
};
for (const expression of ['0 0 31 * ? *', '0 0 29 2 ? *', '0 0 29 2 ? 2026-2027', '0 0 30 2 ? *', '0 0 L 2 ? *']) {
  const count = expression.endsWith('2027') ? 2 : 4;
  console.log(expression, '->', walk(next, expression, '2026-01-31T12:00:00Z', count));
}
console.log('prev of 0 0 30 2 ? *', '->', walk(prev, '0 0 30 2 ? *', '2026-12-31T12:00:00Z', 4));
PROGRAM

cat >seen <<'SEEN'
0 0 31 * ? * -> 2026-03-03 2026-03-31 2026-05-01 2026-05-31
0 0 29 2 ? * -> 2026-03-01 2027-03-01 2028-02-29 2029-03-01
0 0 29 2 ? 2026-2027 -> 2026-03-01 2027-03-01
0 0 30 2 ? * -> 2026-03-02 2027-03-02 2028-03-01 2029-03-02
0 0 L 2 ? * -> 2026-02-28 2027-02-28 2028-02-29 2029-02-28
prev of 0 0 30 2 ? * -> 2026-03-02 2026-03-02 2026-03-02 2026-03-02
SEEN

node finding.js >now
diff seen now
