/** RESULTS.md of the harnesses: a run of some cases must not take away what a whole run found. */
import { expect, test } from '@jest/globals';
import { addRun, type Results } from '../support/results.ts';
import { mergeRows } from './results.ts';

const ran = (command: string, cases: number): Results => ({
  command,
  title: 'Results',
  summary: `${String(cases)} cases.`,
  table: [['cases'], [cases]],
  seconds: 120,
});

// Seen to fail where the file is written again from its beginning.
test('a sample is written below the whole run, and in the place of the last one of its command', () => {
  const at = (day: string) => new Date(`${day}T00:00:00Z`);
  const whole = addRun('', ran('npm run x', 100), at('2026-01-01'));
  const sampled = addRun(whole, ran('npm run x -- --every 9', 11), at('2026-02-01'));
  const again = addRun(sampled, ran('npm run x -- --every 9', 12), at('2026-03-01'));
  expect(again.match(/^(## .*|\d{4}.*)$/gm)).toEqual([
    '## `npm run x`',
    '2026-01-01, 2 minutes. 100 cases.',
    '## `npm run x -- --every 9`',
    '2026-03-01, 2 minutes. 12 cases.',
  ]);
});

test('the rows of the files that were tried replace theirs, and the sum is of all', () => {
  const first = mergeRows(
    '',
    [
      ['core/a.ts', 10, 9, 1, 1],
      ['db/b.sql', 5, 5, 0, 0],
    ],
    new Date('2026-01-01'),
  );
  const then = mergeRows(first, [['db/b.sql', 7, 6, 1, 0]], new Date('2026-02-01'));
  expect(then.match(/^\| (core|db|all).*$/gm)).toEqual([
    '| core/a.ts | 10 | 9 | 1 | 1 | 90.0 % | 2026-01-01 |',
    '| db/b.sql | 7 | 6 | 1 | 0 | 85.7 % | 2026-02-01 |',
    '| all | 17 | 15 | 2 | 1 | 88.2 % |  |',
  ]);
});
