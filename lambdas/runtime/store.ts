import type { S3Client } from '@aws-sdk/client-s3';
import { s3ArchiveStore } from '../../adapters/s3/archive-store.ts';
import { makeS3Client } from '../../adapters/s3/client.ts';
import { s3ObjectStore } from '../../adapters/s3/object-store.ts';
import type { ArchiveStore } from '../../core/archive-store.ts';
import type { ObjectStore } from '../../core/ports.ts';
import type { BucketSettings } from './settings.ts';

let client: S3Client | undefined;

/** The archive bucket. The client is made once for each Lambda process. */
export function objectStore(settings: BucketSettings): ObjectStore {
  return s3ObjectStore(archiveClient(settings), settings.archiveBucket, settings.region);
}

/** The archive bucket, for a function that finds its way by the keys. */
export function archiveStore(settings: BucketSettings): ArchiveStore {
  return s3ArchiveStore(archiveClient(settings), settings.archiveBucket, settings.region);
}

/** The S3 client itself, for the look at the bucket. AWS_ENDPOINT_URL_S3 is the SDK's own way to another endpoint. */
export function archiveClient(settings: BucketSettings): S3Client {
  const { region, bucketOwner } = settings;
  client ??= makeS3Client({ region, ...(bucketOwner !== undefined && { bucketOwner }) });
  return client;
}
