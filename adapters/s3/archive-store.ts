import { ListObjectsV2Command, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ArchiveStore } from '../../core/archive-store.ts';
import { requestCopy, storageOf } from './cold-storage.ts';
import { translate } from './errors.ts';
import { s3ObjectStore } from './object-store.ts';

/** The archive bucket on S3, for those who find their way by its keys. */
export function s3ArchiveStore(client: S3Client, bucket: string, region: string): ArchiveStore {
  return {
    ...s3ObjectStore(client, bucket, region),

    folders: async (prefix) => {
      const folders: string[] = [];
      let token: string | undefined;
      do {
        const answer = await translated(`listing ${prefix}`, () =>
          client.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              Delimiter: '/',
              ...(token !== undefined && { ContinuationToken: token }),
            }),
          ),
        );
        for (const { Prefix = '' } of answer.CommonPrefixes ?? [])
          folders.push(Prefix.slice(prefix.length, -1));
        token = answer.NextContinuationToken;
      } while (token !== undefined);
      return folders;
    },

    // The versions of a key are listed before those of longer keys, so one page shows whether there is a second one.
    versions: (key) =>
      translated(`looking up ${key}`, async () => {
        const { Versions = [], DeleteMarkers = [] } = await client.send(
          new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key }),
        );
        return [...Versions, ...DeleteMarkers].filter(({ Key }) => Key === key).length;
      }),

    storage: (key, versionId) =>
      translated(`looking up ${key}`, () =>
        storageOf(client, { Bucket: bucket, Key: key, VersionId: versionId }),
      ),

    requestCopy: (key, versionId, copy) =>
      translated(`asking for a readable copy of ${key}`, () =>
        requestCopy(client, { Bucket: bucket, Key: key, VersionId: versionId }, copy),
      ),
  };
}

async function translated<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error, doing);
  }
}
