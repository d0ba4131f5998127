import { expect, test } from '@jest/globals';
import { agreed } from '../../../core/proof/sent.ts';

const DIGEST = { rows: 2, bytes: 8, sha256: 'a', lineHashSum: 'b', complete: true };
const SAID = { rows: 2, bytes: 8 };

test('what all who saw it agree on was sent', () => {
  expect(agreed('k', DIGEST, SAID, 8)).toEqual({ rows: 2, bytes: 8, sha256: 'a', said: 2 });
});

// Seen to be sent without each of the comparisons.
test.each<[string, object, typeof SAID | undefined, number, string, string]>([
  [
    'fewer rows than the tag has',
    { rows: 1 },
    SAID,
    8,
    'DatabaseUnavailable',
    'k got 1 row and 8 bytes, where the server copied 2 rows and 8 bytes',
  ],
  [
    'other bytes than the messages had',
    {},
    { rows: 2, bytes: 9 },
    8,
    'DatabaseUnavailable',
    'k got 2 rows and 8 bytes, where the server copied 2 rows and 9 bytes',
  ],
  ['no end', { complete: false }, SAID, 8, 'DatabaseUnavailable', 'k got 8 bytes that end within a row'],
  [
    'a reader that knows no tag',
    {},
    undefined,
    8,
    'DatabaseUnavailable',
    'k got 2 rows and 8 bytes, where the server copied nothing',
  ],
  ['an upload of fewer bytes', {}, SAID, 7, 'ObjectStoreUnavailable', 'k got 7 of 8 bytes'],
])('%s is no export', (_, digest, said, uploaded, code, message) => {
  expect(() => agreed('k', { ...DIGEST, ...digest }, said, uploaded)).toThrow(
    expect.objectContaining({ code, message }),
  );
});
