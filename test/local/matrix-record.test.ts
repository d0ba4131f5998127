import { expect, test } from '@jest/globals';
import { record, type TestedServer } from '../../local/matrix/record.ts';

const check = { name: 'a file', outcome: 'passed', tests: 3, seconds: 1, failures: [], needs: [] } as const;
const server: TestedServer = {
  postgres: '17.12',
  partman: '5.2.4',
  packages: 'postgresql-17 17.12-1',
  seconds: 61.2,
  checks: [
    check,
    { ...check, tests: 2, failures: ['one'], needs: ['PostgreSQL 18', 'PostgreSQL 18', 'a lamp'] },
  ],
};
const MARK = '<!-- written by npm run test:matrix -->';
const HEAD = `| PostgreSQL | pg_partman | on | passed | failed | skipped | packages |\n|---|---|---|---|---|---|---|`;

test('a run replaces the row of its major version alone, and says what the skipped tests need', () => {
  const page = `before\n${MARK}\n${HEAD}\n| 17.2 | old |\n| 9.6 | older |\n<!-- end -->\nafter\n`;
  expect(record(page, [server], new Date('2026-11-29T20:00:00Z'))).toBe(
    `before\n${MARK}\n${HEAD}\n| 9.6 | older |\n` +
      '| 17.12 | 5.2.4 | 29 November 2026 | 4 in 61 s | 1 | 3: 2 need PostgreSQL 18; 1 needs a lamp | postgresql-17 17.12-1 |\n' +
      '<!-- end -->\nafter\n',
  );
});

test('a page without the marks is not written over', () => {
  expect(() => record('text', [server], new Date())).toThrow('the page has no <!-- written by');
});
