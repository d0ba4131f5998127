import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { CATALOGUE, type ErrorCode } from '../../core/errors.ts';
import { SQLSTATE_HINTS } from '../../core/sqlstate-hints.ts';

const FILE = join(import.meta.dirname, '..', '..', 'docs', 'errors.md');

const KINDS = [
  [
    'Retried',
    'The state machine retries the step. The code is reported only after the last try; then start the execution again.',
    (code: ErrorCode) => CATALOGUE[code].retryable,
  ],
  [
    'Blocking',
    'The partition becomes `blocked`, and nothing happens to it until an operator acts.',
    (code: ErrorCode) => CATALOGUE[code].blocks,
  ],
  [
    'Others',
    'The step fails. The partition keeps its state, and the next run resumes.',
    (code: ErrorCode) => !CATALOGUE[code].retryable && !CATALOGUE[code].blocks,
  ],
] as const;

/** The page, as the catalogue has it. */
function errorsPage(): string {
  const sections = KINDS.map(([title, text, includes]) => {
    const codes = (Object.keys(CATALOGUE) as ErrorCode[]).filter(includes);
    const rows = codes.map((code) => `| \`${code}\` | ${CATALOGUE[code].hint} |`);
    return [`## ${title}`, '', text, '', '| code | what to do |', '|---|---|', ...rows, ''].join('\n');
  });
  const states = Object.entries(SQLSTATE_HINTS).map(([state, hint]) => `| \`${state}\` | ${hint} |`);
  return [
    '# Errors',
    '',
    '<!-- Written from core/errors.ts and core/sqlstate-hints.ts by test/docs/errors.test.ts: delete this file and run the test. -->',
    '',
    'Step Functions, logs, reports and the ledger name each error by a stable code. Codes are not renamed and not reused.',
    'The message gives the objects and, for an error of the server, the SQLSTATE. [The runbook](runbook.md) has the procedures.',
    'In the source, `git grep BlockTooLarge` finds the line that raises it, with its message, in TypeScript and in SQL.',
    '',
    ...sections,
    '## SQLSTATEs',
    '',
    '`DatabaseRejected` and `DatabaseUnavailable` report an error of the server. Their hint follows the SQLSTATE, or its class:',
    '',
    '| SQLSTATE or class | what to do |',
    '|---|---|',
    ...states,
    '',
  ].join('\n');
}

// Seen to fail with a hint that was changed in the catalogue and not on the page.
test('the page of errors is the catalogue', () => {
  // After a change of the catalogue: delete the file, and this test writes it again.
  if (!existsSync(FILE)) writeFileSync(FILE, errorsPage());
  expect(readFileSync(FILE, 'utf8')).toBe(errorsPage());
});
