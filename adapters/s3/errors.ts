import { S3ServiceException } from '@aws-sdk/client-s3';
import { ArchiverError } from '../../core/errors.ts';

/** Codes of Node and names of the SDK for a connection that failed. */
const NETWORK_ERROR =
  /^(E[A-Z]+|EAI_[A-Z]+|ERR_STREAM_PREMATURE_CLOSE|ABORT_ERR|TimeoutError|NetworkingError)$/;

/** `If-None-Match: *` met an object, or another writer of the same key. */
export function isPreconditionFailed(error: unknown): boolean {
  if (!(error instanceof S3ServiceException)) return false;
  return error.$metadata.httpStatusCode === 412 || error.name === 'PreconditionFailed';
}

/** The error of the catalogue for what the SDK threw, after its own retries. */
export function translate(error: unknown, doing: string): unknown {
  if (error instanceof ArchiverError) return error;
  if (!(error instanceof S3ServiceException)) {
    // No answer at all, or half of one: the connection was refused, reset, or timed out.
    const code = codeOf(error);
    if (isWithoutCredentials(error)) {
      return new ArchiverError('InvalidConfiguration', `${doing}: no AWS credentials: ${reasonOf(error)}`);
    }
    return NETWORK_ERROR.test(code)
      ? new ArchiverError('ObjectStoreUnavailable', `${doing}: ${code}`)
      : error;
  }
  const status = error.$metadata.httpStatusCode ?? 0;
  const message = `${doing}: S3 returned ${error.name} (${String(status)})`;
  // Not that an object is gone: the name is wrong.
  if (error.name === 'NoSuchBucket') {
    const { BucketName: bucket } = error as { readonly BucketName?: unknown };
    const which = typeof bucket === 'string' ? `; there is no bucket ${JSON.stringify(bucket)}` : '';
    return new ArchiverError('InvalidConfiguration', message + which);
  }
  if (status === 404 || error.name === 'InvalidObjectState')
    return new ArchiverError('ObjectMissing', message);
  if (isDeleteMarker(error))
    return new ArchiverError('ObjectMissing', `${message}: this version is a delete marker`);
  // Codes of their own within the statuses of a refusal, which another try may well pass.
  if (/^(RequestTimeout|RequestTimeTooSkewed|ExpiredToken)/.test(error.name)) {
    return new ArchiverError('ObjectStoreUnavailable', message);
  }
  if (status === 400 || status === 401 || status === 403 || status === 405) {
    return new ArchiverError('ObjectStoreDenied', message);
  }
  return new ArchiverError('ObjectStoreUnavailable', message);
}

/**
 * S3 refuses a request that names the VersionId of a delete marker with 405, and says why in a header
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html).
 */
const isDeleteMarker = ({ $metadata, $response }: S3ServiceException): boolean =>
  $metadata.httpStatusCode === 405 && $response?.headers['x-amz-delete-marker'] === 'true';

/** The SDK found no credentials, or those of a profile or a session are not valid any more; its message says which. */
const isWithoutCredentials = (error: unknown): error is Error =>
  error instanceof Error && /^(Credentials|Token)ProviderError$/.test(error.name);

/** Without the command line of a `credential_process` and what it printed, which may have secrets. */
const reasonOf = ({ message }: Error): string =>
  message.startsWith('Command failed') ? 'the credential_process of the profile failed' : message;

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'name' in error ? String(error.name) : '';
}
