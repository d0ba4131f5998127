import { S3ServiceException } from '@aws-sdk/client-s3';
import { ArchiverError } from '../../core/errors.ts';

/** `If-None-Match: *` met an object, or another writer of the same key. */
export function isPreconditionFailed(error: unknown): boolean {
  if (!(error instanceof S3ServiceException)) return false;
  return error.$metadata.httpStatusCode === 412 || error.name === 'PreconditionFailed';
}

/** The error of the catalogue for what the SDK threw, after its own retries. */
export function translate(error: unknown, doing: string): unknown {
  if (error instanceof ArchiverError) return error;
  if (!(error instanceof Error)) return error;
  if (!(error instanceof S3ServiceException)) {
    // No answer at all: the connection was refused, reset, or timed out.
    return isNetworkError(error)
      ? new ArchiverError('ObjectStoreUnavailable', `${doing}: ${codeOf(error)}`)
      : error;
  }
  const status = error.$metadata.httpStatusCode ?? 0;
  const message = `${doing}: S3 answered ${error.name} (${String(status)})`;
  if (status === 404 || error.name === 'InvalidObjectState')
    return new ArchiverError('ObjectMissing', message);
  if (status === 400 || status === 401 || status === 403 || status === 405) {
    return new ArchiverError('ObjectStoreDenied', message);
  }
  return new ArchiverError('ObjectStoreUnavailable', message);
}

function isNetworkError(error: Error): boolean {
  return /^(E[A-Z]+|ERR_STREAM_PREMATURE_CLOSE|ABORT_ERR|TimeoutError|NetworkingError)$/.test(codeOf(error));
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
