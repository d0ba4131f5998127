import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { CATALOGUE, type ErrorCode } from '../../core/errors.ts';
import { EXPORT_CHECKS } from '../../bin/acceptance/exports.ts';
import { LOGIN_CHECKS } from '../../bin/acceptance/logins.ts';
import { SERVER_CHECKS } from '../../bin/acceptance/server.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');
const runbook = readFileSync(join(DOCS, 'runbook.md'), 'utf8');
const section = (title: string): string =>
  runbook.split(/^## /m).find((text) => text.startsWith(title)) ?? '';

describe('the runbook', () => {
  test.each(Object.keys(CATALOGUE) as ErrorCode[])('says what to do about %s', (code) => {
    const where = CATALOGUE[code].blocks ? section('What blocks a partition') : section('Errors');
    const rows = where.split('\n').filter((line) => line.split('|')[1]?.includes(`\`${code}\``));
    expect(rows).toHaveLength(1);
  });

  test('has a section for each alarm, and no other', () => {
    const source = readFileSync(join(DOCS, '..', 'lib', 'monitoring', 'alarms.ts'), 'utf8');
    const alarms = [...source.matchAll(/this\.(?:alarm|missed|composite)\(\s*'(\w+)'/g)].map(([, id]) => id);
    const sections = [...section('Alarms').matchAll(/^### (\w+)$/gm)].map(([, id]) => id);
    expect(alarms.length).toBeGreaterThan(5);
    expect(sections.sort()).toEqual(alarms.sort());
  });
});

test('the acceptance script checks what its page lists', () => {
  const page = readFileSync(join(DOCS, 'acceptance.md'), 'utf8');
  const [ofChecks = ''] = page.split('## From nothing to nothing');
  const rows = ofChecks.split('\n').filter((line) => line.startsWith('| ')).length - 1;
  // Three rows of the page stand for two checks each, and the versions have none.
  expect(rows).toBe(EXPORT_CHECKS.length + LOGIN_CHECKS.length + SERVER_CHECKS.length - 3);
});
