import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { COPY_TAG } from '../../core/config/proven-tag.ts';
import type { CopyStore } from '../../core/query/convert.ts';
import { s3ArchiveStore } from './archive-store.ts';
import { isPreconditionFailed } from './errors.ts';
import { translated, versionOf } from './object-store.ts';

/** Metadata of a copy's object. */
const SHA256 = 'sha256';

/** The archive bucket on S3, for who puts files of a local folder into it. */
export function s3CopyStore(client: S3Client, bucket: string, region: string, directory: string): CopyStore {
  return {
    ...s3ArchiveStore(client, bucket, region),
    createFromFile: (key, file, { bytes, sha256 }) =>
      translated(`writing ${key}`, async () => {
        try {
          const put = await client.send(
            new PutObjectCommand({
              Bucket: bucket,
              Key: key,
              Body: createReadStream(join(directory, file)),
              ContentLength: bytes,
              ContentType: 'application/vnd.apache.parquet',
              // Without the algorithm beside it, other S3 servers than AWS's do not compare.
              ChecksumAlgorithm: 'SHA256',
              ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
              // For who comes back to the object: not every server tells the checksum again.
              Metadata: { [SHA256]: sha256 },
              Tagging: `${COPY_TAG.key}=${COPY_TAG.value}`,
              IfNoneMatch: '*',
            }),
          );
          return { key, versionId: versionOf(put.VersionId, bucket), bytes };
        } catch (error) {
          if (isPreconditionFailed(error)) return 'exists' as const;
          throw error;
        }
      }),
    currentFile: (key) =>
      translated(`looking up ${key}`, async () => {
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        return {
          key,
          versionId: versionOf(head.VersionId, bucket),
          bytes: head.ContentLength ?? 0,
          sha256: head.Metadata?.[SHA256] ?? '',
        };
      }),
  };
}
