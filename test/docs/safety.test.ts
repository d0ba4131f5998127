import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(ROOT, 'docs', 'safety.md'), 'utf8');

const rows = [...page.matchAll(/^\| ([^|]+) \| [^|]+ \| [LWSC] \| [^|]+ \| (.+) \|$/gm)];

/** The catalogue of dangers is numbered; those beside it have no number. */
const LAST_DANGER = 59;

test('every danger has a row', () => {
  const numbers = rows.flatMap(([, cell = '']) => cell.split(', ').filter((number) => number !== '–'));
  expect(numbers.map(Number).sort((a, b) => a - b)).toEqual(
    Array.from({ length: LAST_DANGER }, (_, index) => index + 1),
  );
});

test('every danger has a test that is there, or a reason why there can be none', () => {
  expect(rows.length).toBeGreaterThan(40);
  for (const [row, , tests = row] of rows) {
    if (/^not here: \w/.test(tests)) continue;
    const files = [...tests.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file);
    expect({ row, files: files.length }).not.toEqual({ row, files: 0 });
    for (const file of files)
      expect({ file, there: existsSync(join(ROOT, file)) }).toEqual({ file, there: true });
  }
});
