import { S3Client } from '@aws-sdk/client-s3';

/** How to reach S3 other than through the environment that Lambda sets. */
export interface S3Settings {
  readonly region: string;
  /** Another endpoint than AWS's, reached with the bucket in the path. */
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** An S3 client; the SDK retries throttling and server errors by itself. */
export function makeS3Client({ region, endpoint, credentials }: S3Settings): S3Client {
  return new S3Client({
    region,
    maxAttempts: 5,
    // Other S3 servers than AWS's know no trailing checksums; what is read is compared byte for byte anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...(credentials && { credentials }),
  });
}
