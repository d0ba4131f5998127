import { exec } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { S3ServiceException } from '@aws-sdk/client-s3';
import { isPreconditionFailed, translate } from '../../../adapters/s3/errors.ts';
import { ArchiverError, type ErrorCode } from '../../../core/errors.ts';

/** An answer of S3 as the SDK throws it. */
function answer(httpStatusCode: number | undefined, name: string): S3ServiceException {
  const $metadata = httpStatusCode === undefined ? {} : { httpStatusCode };
  return new S3ServiceException({
    name,
    $fault: 'client',
    $metadata,
    message: 'secret-key-or-row in the message',
  });
}

const network = (code: string, name = 'Error'): Error => Object.assign(new Error('socket'), { code, name });

describe('what S3 returned', () => {
  test.each<[number | undefined, string, ErrorCode]>([
    [404, 'NoSuchKey', 'ObjectMissing'],
    [404, 'NotFound', 'ObjectMissing'],
    [404, 'NoSuchVersion', 'ObjectMissing'],
    [404, 'NoSuchBucket', 'InvalidConfiguration'],
    // In Glacier: not readable until somebody asks for it.
    [403, 'InvalidObjectState', 'ObjectMissing'],
    [403, 'AccessDenied', 'ObjectStoreDenied'],
    [401, 'Unauthorized', 'ObjectStoreDenied'],
    [400, 'InvalidRequest', 'ObjectStoreDenied'],
    [405, 'MethodNotAllowed', 'ObjectStoreDenied'],
    // Refusals by their status that pass by themselves.
    [400, 'RequestTimeout', 'ObjectStoreUnavailable'],
    [403, 'RequestTimeTooSkewed', 'ObjectStoreUnavailable'],
    [400, 'ExpiredToken', 'ObjectStoreUnavailable'],
    // Two writers of one key at once: the next try meets the winner's object.
    [409, 'ConditionalRequestConflict', 'ObjectStoreUnavailable'],
    [429, 'TooManyRequests', 'ObjectStoreUnavailable'],
    [500, 'InternalError', 'ObjectStoreUnavailable'],
    [503, 'SlowDown', 'ObjectStoreUnavailable'],
    [undefined, 'UnknownError', 'ObjectStoreUnavailable'],
  ])('%s %s is %s', (status, name, code) => {
    const translated = translate(answer(status, name), 'reading k');
    expect(translated).toBeInstanceOf(ArchiverError);
    expect(translated).toMatchObject({
      code,
      message: `reading k: S3 returned ${name} (${String(status ?? 0)})`,
    });
  });
});

// Seen to fail: a stack trace where nobody has logged in yet.
test.each(['CredentialsProviderError', 'TokenProviderError'])('%s is no bug', (name) => {
  const error = Object.assign(new Error('Could not load credentials'), { name });
  expect(translate(error, 'listing')).toMatchObject({
    code: 'InvalidConfiguration',
    message: 'listing: no AWS credentials: Could not load credentials',
  });
});

// Seen to fail: the ledger would have kept the command line, and what the command printed.
test('a credential_process that fails is not quoted', async () => {
  const failed: unknown = await promisify(exec)('echo hidden >&2; false --token hidden').catch(
    (error: unknown) => error,
  );
  const { message } = failed as Error;
  expect(message).toContain('hidden');
  const error = Object.assign(new Error(message), { name: 'CredentialsProviderError' });
  expect(translate(error, 'listing')).toMatchObject({
    message: 'listing: no AWS credentials: the credential_process of the profile failed',
  });
});

test('a bucket that does not exist is named', () => {
  const error = Object.assign(answer(404, 'NoSuchBucket'), { BucketName: 'archvie' });
  expect(translate(error, 'reading k')).toMatchObject({
    message: 'reading k: S3 returned NoSuchBucket (404); there is no bucket "archvie"',
  });
});

describe('no answer of S3', () => {
  test.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'ENOTFOUND',
    'EHOSTUNREACH',
    'EPROTO',
    // Seen to fail without: EAI_[A-Z]+. A name server that does not answer is the usual trouble in a VPC.
    'EAI_AGAIN',
    'ERR_STREAM_PREMATURE_CLOSE',
    'ABORT_ERR',
  ])('%s is tried again', (code) => {
    expect(translate(network(code), 'reading k')).toMatchObject({
      code: 'ObjectStoreUnavailable',
      retryable: true,
      message: `reading k: ${code}`,
    });
  });

  test('a timeout of the SDK has a name and no code', () => {
    const timeout = Object.assign(new Error('x'), { name: 'TimeoutError' });
    expect(translate(timeout, 'reading k')).toMatchObject({ code: 'ObjectStoreUnavailable' });
  });
});

test('a bug, and what has a name already, is left as it is', () => {
  const own = new ArchiverError('ObjectMissing', 'gone');
  for (const error of [
    own,
    new TypeError('a bug'),
    network('ERR_INVALID_ARG_TYPE'),
    'a text',
    null,
    undefined,
  ]) {
    expect(translate(error, 'reading k')).toBe(error);
  }
});

test('only an object that is there already is a failed precondition', () => {
  expect(isPreconditionFailed(answer(412, 'PreconditionFailed'))).toBe(true);
  expect(isPreconditionFailed(answer(undefined, 'PreconditionFailed'))).toBe(true);
  expect(isPreconditionFailed(answer(409, 'ConditionalRequestConflict'))).toBe(false);
  expect(isPreconditionFailed(network('ECONNRESET', 'PreconditionFailed'))).toBe(false);
});
