import { describe, expect, test } from '@jest/globals';
import { ArchiverError, CATALOGUE, isErrorCode, RETRYABLE_CODES, type ErrorCode } from '../../core/errors.ts';

const codes = Object.keys(CATALOGUE) as ErrorCode[];

describe('an error of the catalogue', () => {
  test('has its code as its name, which Step Functions matches', () => {
    const cause = new Error('below');
    const error = new ArchiverError('SealBroken', 'the fence was lifted', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'SealBroken',
      code: 'SealBroken',
      message: 'the fence was lifted',
      cause,
    });
    expect(String(error)).toBe('SealBroken: the fence was lifted');
  });

  test.each(codes)('%s says what to do, in whole sentences', (code) => {
    const error = new ArchiverError(code, 'x');
    expect(error.hint).toMatch(/^[A-Z].*\.$/);
    expect(error.retryable).toBe(RETRYABLE_CODES.includes(code));
    expect(error.blocks).toBe(CATALOGUE[code].blocks);
  });

  // What blocks needs a person: tried again by itself, it would only be blocked once more.
  test.each(codes)('%s is not both tried again and blocked', (code) => {
    expect(CATALOGUE[code].retryable && CATALOGUE[code].blocks).toBe(false);
  });
});

test('what proves that something is wrong with an archive or a table is never tried again', () => {
  for (const code of [
    'ContentMismatch',
    'ObjectMissing',
    'UnexpectedObject',
    'ManifestConflict',
    'IdentityChanged',
    'SealBroken',
  ] as const) {
    expect(CATALOGUE[code]).toMatchObject({ retryable: false, blocks: true });
  }
});

test('a code of somebody else is none of ours', () => {
  expect(isErrorCode('LockNotAvailable')).toBe(true);
  for (const code of ['States.Timeout', 'Lambda.Unknown', 'toString', '__proto__', '', 'locknotavailable']) {
    expect(isErrorCode(code)).toBe(false);
  }
});
