import { CreateBucketCommand, PutBucketVersioningCommand, type S3Client } from '@aws-sdk/client-s3';
import { makeS3Client as makeClient } from '../../adapters/s3/client.ts';
import { stack } from './stack.ts';

/** A client of the run's object store. Destroy it after use, or a worker lingers on its sockets. */
export function makeS3Client(): S3Client {
  const { s3 } = stack();
  return makeClient({ region: s3.region, endpoint: s3.endpoint, credentials: s3 });
}

/** Makes a bucket with versioning, as the archive bucket has; its name is unique to this call. */
export async function makeBucket(client: S3Client, name: string): Promise<string> {
  const bucket = `${name}-${String(process.pid)}-${String(process.hrtime.bigint() % 1_000_000_000n)}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  await client.send(
    new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }),
  );
  return bucket;
}
