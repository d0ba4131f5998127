import { S3Client } from '@aws-sdk/client-s3';

/** How to reach S3 other than through the environment that Lambda sets. */
export interface S3Settings {
  readonly region: string;
  /** Another endpoint than AWS's, reached with the bucket in the path. */
  readonly endpoint?: string;
  /**
   * Account that the buckets must belong to. S3 refuses each call (403) to a bucket of another account, such as one with a
   * mistyped name, or with the name of a bucket that was deleted.
   *
   * @default - the owner is not checked
   */
  readonly bucketOwner?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /**
   * How often a request is tried, and how long S3 may be silent in each try, before its answer and in the middle of it.
   *
   * @default - 5 times, 2 minutes: what fits into a Lambda's quarter of an hour
   */
  readonly patience?: { readonly tries: number; readonly silenceMs: number };
}

/** A connection takes milliseconds; a route that leads nowhere would be waited for over two minutes. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * An S3 client; the SDK retries throttling, server errors and silence. By default it would wait for
 * ever where S3 has taken a request and says nothing.
 */
export function makeS3Client({
  region,
  endpoint,
  bucketOwner,
  credentials,
  patience = { tries: 5, silenceMs: 120_000 },
}: S3Settings): S3Client {
  const client = new S3Client({
    region,
    maxAttempts: patience.tries,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, socketTimeout: patience.silenceMs },
    // Other S3 servers than AWS's know no trailing checksums; what is read is compared byte for byte anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...(credentials && { credentials }),
  });
  if (bucketOwner !== undefined) expectOwner(client, bucketOwner);
  return client;
}

/** In one place for all calls: every operation on a bucket or an object takes this parameter. */
function expectOwner(client: S3Client, owner: string): void {
  client.middlewareStack.add(
    (next) => (args) => next({ ...args, input: { ...args.input, ExpectedBucketOwner: owner } }),
    { step: 'initialize', name: 'expectOwner' },
  );
}
