/** The form of db/: SQL has no formatter here, so the one rule that a formatter would hold is held by this. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const DB = join(import.meta.dirname, '../../db');
const LONGEST = 110;

// Seen to fail on 1323 lines, the longest of 244 columns.
test('no line of db/ is longer than 110 columns', () => {
  const files = globSync('**/*.sql', { cwd: DB });
  expect(files.length).toBeGreaterThan(50);
  const long = files.flatMap((file) =>
    readFileSync(join(DB, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => (line.length > LONGEST ? [`db/${file}:${String(index + 1)}`] : [])),
  );
  expect(long).toEqual([]);
});

// Seen to fail on five files, of up to 290 lines.
test('no file of db/ is longer than 250 lines', () => {
  const long = globSync('**/*.sql', { cwd: DB }).filter(
    (file) => readFileSync(join(DB, file), 'utf8').trimEnd().split('\n').length > 250,
  );
  expect(long).toEqual([]);
});
