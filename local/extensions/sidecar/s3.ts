import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';

/** Where S3 is and who asks. */
export interface S3Config {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What went wrong, as the extension reports it. `transient` is worth another try later. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly transient: boolean;
}

/** A failure that did not come out of the SDK. */
export class SidecarError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Makes a client of the local gateway. */
export function makeClient(config: S3Config): S3Client {
  const { endpoint, region, ...credentials } = config;
  const client = new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    // The gateway of Debian 12 refuses trailing checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  // Over https the SDK leaves the body out of the signature by itself; on loopback it would hash every part
  // once more, at a tenth of the throughput.
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { headers: Record<string, string> };
      request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
      return next(args);
    },
    { step: 'build', name: 'unsignedPayload' },
  );
  return client;
}

/** Refuses another region than the gateway plays, as S3 does when a bucket lives elsewhere. */
export function checkRegion(wanted: string | null, config: S3Config): void {
  if (wanted === null || wanted === '' || wanted === config.region) return;
  throw new SidecarError(
    'PermanentRedirect',
    `The bucket you are attempting to access must be addressed using the specified endpoint: it is in ${config.region}, not in ${wanted}`,
  );
}

/** Puts any error into the form that the extension reports. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof SidecarError) return { code: error.code, message: error.message, transient: false };
  if (error instanceof S3ServiceException) {
    const status = error.$metadata.httpStatusCode ?? 500;
    return {
      code: error.name,
      // The gateway's messages are often empty or just repeat the code.
      message: error.message === 'UnknownError' ? error.name : error.message,
      transient: status >= 500,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'Unable to connect to endpoint', message, transient: true };
}
