import { expect, test } from '@jest/globals';
import { agreed } from '../../../core/proof/sent.ts';

const DIGEST = { rows: 2, bytes: 8, sha256: 'a', lineHashSum: 'b', complete: true };
const SAID = { rows: 2, bytes: 8 };

test('what all who saw it agree on was sent', () => {
  expect(agreed('k', DIGEST, SAID, 8)).toEqual({ rows: 2, bytes: 8, sha256: 'a', said: 2 });
});

// Seen to be sent without each of the comparisons.
test.each<[string, object, typeof SAID | undefined, number, string]>([
  ['fewer rows than the tag has', { rows: 1 }, SAID, 8, 'DatabaseUnavailable'],
  ['other bytes than the messages had', {}, { rows: 2, bytes: 9 }, 8, 'DatabaseUnavailable'],
  ['no end', { complete: false }, SAID, 8, 'DatabaseUnavailable'],
  ['a reader that knows no tag', {}, undefined, 8, 'DatabaseUnavailable'],
  ['an upload of fewer bytes', {}, SAID, 7, 'ObjectStoreUnavailable'],
])('%s is no export', (_, digest, said, uploaded, code) => {
  expect(() => agreed('k', { ...DIGEST, ...digest }, said, uploaded)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(/^k got /) }),
  );
});
