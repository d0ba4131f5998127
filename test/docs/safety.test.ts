import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(ROOT, 'docs', 'safety.md'), 'utf8');

test('every danger has a test that is there', () => {
  const rows = [...page.matchAll(/^\| [^|]+ \| [^|]+ \| [LWSC] \| [^|]+ \| (.+) \|$/gm)];
  expect(rows.length).toBeGreaterThan(40);
  for (const [row, , tests = row] of rows.map(([whole, cell]) => [whole, '', cell] as const)) {
    const files = [...tests.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file);
    expect({ row, files: files.length }).not.toEqual({ row, files: 0 });
    for (const file of files)
      expect({ file, there: existsSync(join(ROOT, file)) }).toEqual({ file, there: true });
  }
});
