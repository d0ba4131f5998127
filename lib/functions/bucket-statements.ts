import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { COPY_TAG, PAGE_TAG, PROVEN_TAG } from '../../core/config/proven-tag.ts';
import type { ObjectLock } from '../../core/config/runtime.ts';
import type { ArchiveBucket } from '../storage/archive-bucket.ts';
import type { BucketAccess } from './step-function.ts';

/** The names under which archives of the database lie: read under all of them, written under the current one. */
export interface DatabaseNames {
  readonly databaseName: string;
  /** Names that the database had before it was renamed. */
  readonly formerNames: readonly string[];
}

/**
 * What a step may do with the archive of one database, and nothing more. The `grant*` methods of the bucket are far
 * wider: `grantRead` gives `GetObject*`, `grantWrite` gives `DeleteObject*`.
 */
export function bucketStatements(
  access: BucketAccess,
  archive: ArchiveBucket,
  { databaseName, formerNames }: DatabaseNames,
  objectLock?: ObjectLock,
): iam.PolicyStatement[] {
  const { bucket } = archive;
  const names = [databaseName, ...formerNames];
  const everywhere = (pattern: string) => names.map((name) => bucket.arnForObjects(`${name}/${pattern}`));
  const objects = (folder: string) => bucket.arnForObjects(`${databaseName}/*/${folder}/*`);
  const allow = (sid: string, actions: string[], resources: string[]) =>
    new iam.PolicyStatement({ sid, actions, resources });
  // Without it S3 returns "denied" for an object that is gone. A condition on the prefix would make it fail, since a
  // request for an object has none.
  const know = allow('KnowWhatIsMissing', ['s3:ListBucket'], [bucket.bucketArn]);
  const list = new iam.PolicyStatement({
    sid: 'ListArchive',
    actions: ['s3:ListBucketVersions'],
    resources: [bucket.bucketArn],
    conditions: { StringLike: { 's3:prefix': prefixes(names) } },
  });
  const read = allow('ReadArchive', ['s3:GetObject', 's3:GetObjectVersion'], everywhere('*'));
  // A lock cannot be taken back: not longer, and not harder, than configured. Locks end at the end of a day.
  const lock = ({ mode, days }: ObjectLock) =>
    new iam.PolicyStatement({
      sid: 'LockProvenArchive',
      actions: ['s3:PutObjectRetention'],
      resources: [bucket.arnForObjects(`${databaseName}/*`)],
      conditions: {
        StringEquals: { 's3:object-lock-mode': mode },
        NumericLessThanEquals: { 's3:object-lock-remaining-retention-days': days + 1 },
      },
    });
  const key = (...actions: string[]) => keyStatements(archive, actions);

  switch (access) {
    case 'none':
      return [];
    case 'settings':
      return [
        allow(
          'ReadBucketSettings',
          [
            's3:GetBucketVersioning',
            's3:GetBucketObjectLockConfiguration',
            's3:GetLifecycleConfiguration',
            's3:ListBucket',
          ],
          [bucket.bucketArn],
        ),
      ];
    case 'read-manifests':
      return [
        know,
        list,
        allow('ReadManifests', ['s3:GetObject', 's3:GetObjectVersion'], everywhere('*/manifest/*')),
        ...key('kms:Decrypt'),
      ];
    case 'read':
      return [know, list, read, ...key('kms:Decrypt')];
    case 'retrieve':
      // Asks for a readable copy beside the archived object, and changes neither that nor its class.
      return [
        know,
        list,
        read,
        allow('RetrieveFromGlacier', ['s3:RestoreObject'], everywhere('*/data/*')),
        ...key('kms:Decrypt'),
      ];
    case 'write-data':
      return [
        allow('WriteSegments', ['s3:PutObject', 's3:AbortMultipartUpload'], [objects('data')]),
        // A multipart upload needs Decrypt beside GenerateDataKey, even of one part.
        ...key('kms:Decrypt', 'kms:GenerateDataKey'),
      ];
    case 'write-ddl-and-manifest':
      return [
        know,
        list,
        read,
        allow('WriteDdlAndManifest', ['s3:PutObject'], [objects('ddl'), objects('manifest')]),
        new iam.PolicyStatement({
          sid: 'MarkProvenData',
          actions: ['s3:PutObjectVersionTagging'],
          resources: [objects('data')],
          conditions: { StringEquals: { [`s3:RequestObjectTag/${PROVEN_TAG.key}`]: PROVEN_TAG.value } },
        }),
        ...(objectLock === undefined ? [] : [lock(objectLock)]),
        ...key('kms:Decrypt', 'kms:GenerateDataKey'),
      ];
    case 'read-copies':
      return [
        know,
        list,
        allow(
          'ReadManifestsOfCopies',
          ['s3:GetObject', 's3:GetObjectVersion'],
          [...everywhere('*/manifest/*'), ...everywhere('*/query-manifest/*')],
        ),
        ...key('kms:Decrypt'),
      ];
    case 'write-copies':
      return [
        know,
        list,
        allow(
          'ReadTextAndCopies',
          ['s3:GetObject', 's3:GetObjectVersion'],
          ['manifest', 'data', 'query', 'query-manifest'].flatMap((folder) => everywhere(`*/${folder}/*`)),
        ),
        // Below former names, too: archives that are there get their copies beside them.
        allow(
          'WriteCopies',
          ['s3:PutObject'],
          [...everywhere('*/query/*'), ...everywhere('*/query-manifest/*')],
        ),
        new iam.PolicyStatement({
          sid: 'TagCopies',
          actions: ['s3:PutObjectTagging'],
          resources: everywhere('*/query/*'),
          conditions: { StringEquals: { [`s3:RequestObjectTag/${COPY_TAG.key}`]: COPY_TAG.value } },
        }),
        ...key('kms:Decrypt', 'kms:GenerateDataKey'),
      ];
    case 'write-page':
      return [
        know,
        list,
        allow(
          'ReadManifestsAndDdl',
          ['s3:GetObject', 's3:GetObjectVersion'],
          [...everywhere('*/manifest/*'), ...everywhere('*/ddl/*')],
        ),
        // One key, without a wildcard: whatever a schema or a table is called, this is no object of an archive.
        new iam.PolicyStatement({
          sid: 'WritePage',
          actions: ['s3:PutObject', 's3:PutObjectTagging'],
          resources: [bucket.arnForObjects(pageObject(databaseName))],
          conditions: { StringEquals: { [`s3:RequestObjectTag/${PAGE_TAG.key}`]: PAGE_TAG.value } },
        }),
        ...key('kms:Decrypt', 'kms:GenerateDataKey'),
      ];
    case 'head':
      // HeadObject needs Decrypt as well: S3 refuses requests for an object that the caller could not read.
      return [know, read, ...key('kms:Decrypt')];
  }
}

/** Key of the page on the archive, as `pageKey` in core/keys.ts makes it; a configured name has no sign that is encoded. */
export const pageObject = (databaseName: string): string => `${databaseName}/report/archive.html`;

/** Prefixes of keys, as a condition has them: one text where there is one name. */
export function prefixes(names: readonly string[]): string | string[] {
  const patterns = names.map((name) => `${name}/*`);
  return patterns.length === 1 ? patterns.join() : patterns;
}

/** The use of the archive's keys through S3: of a former one, only to decrypt. */
export function keyStatements(
  { bucket, encryptionKey, formerKeyArns }: Pick<ArchiveBucket, 'bucket' | 'encryptionKey' | 'formerKeyArns'>,
  actions: readonly string[],
): iam.PolicyStatement[] {
  const use = (sid: string, allowed: readonly string[], resources: readonly string[]) =>
    new iam.PolicyStatement({
      sid,
      actions: [...allowed],
      resources: [...resources],
      conditions: { StringEquals: { 'kms:ViaService': `s3.${Stack.of(bucket).region}.amazonaws.com` } },
    });
  return [
    use('UseKeyThroughS3', actions, [encryptionKey.keyArn]),
    ...(formerKeyArns.length === 0 ? [] : [use('ReadWithFormerKeys', ['kms:Decrypt'], formerKeyArns)]),
  ];
}
