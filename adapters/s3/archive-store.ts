import type { S3Client } from '@aws-sdk/client-s3';
import type { ArchiveStore } from '../../core/archive-store.ts';
import { requestCopy, storageOf } from './cold-storage.ts';
import { s3ObjectStore, translated, versionOf, versionPages } from './object-store.ts';

/** The archive bucket on S3, for those who find their way by its keys. */
export function s3ArchiveStore(client: S3Client, bucket: string, region: string): ArchiveStore {
  return {
    ...s3ObjectStore(client, bucket, region),

    folders: (prefix) =>
      translated(`listing ${prefix === '' ? 'the bucket' : prefix}`, async () => {
        const pages = await Array.fromAsync(versionPages(client, bucket, { prefix, delimiter: '/' }));
        return pages
          .flatMap(({ CommonPrefixes = [] }) => CommonPrefixes)
          .map(({ Prefix = '' }) => Prefix.slice(prefix.length, -1));
      }),

    versions: (prefix) =>
      translated(`listing ${prefix}`, async () => {
        const pages = await Array.fromAsync(versionPages(client, bucket, { prefix }));
        const all = pages.flatMap(({ Versions = [], DeleteMarkers = [] }) => [
          ...Versions.map((version) => ({ ...version, deleted: false })),
          ...DeleteMarkers.map((marker) => ({ ...marker, Size: 0, StorageClass: undefined, deleted: true })),
        ]);
        const current = all.filter(({ IsLatest }) => IsLatest === true);
        const others = all.filter(({ IsLatest }) => IsLatest !== true);
        return [...current, ...others].map(
          ({
            Key = '',
            VersionId,
            Size = 0,
            StorageClass = 'STANDARD',
            IsLatest,
            LastModified,
            deleted,
          }) => ({
            key: Key,
            versionId: versionOf(VersionId, bucket),
            bytes: Size,
            deleted,
            isLatest: IsLatest === true,
            storageClass: StorageClass,
            modifiedAt: LastModified ?? new Date(0),
          }),
        );
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
