import type { Readable } from 'node:stream';
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutObjectCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { PROVEN_TAG } from '../../core/config/proven-tag.ts';
import { ArchiverError } from '../../core/errors.ts';
import type { ObjectStore, ObjectVersion } from '../../core/ports.ts';
import { decompress } from '../zlib/compression.ts';
import { isPreconditionFailed, translate } from './errors.ts';

/** The archive bucket on S3. The bucket must be versioned; the preflight looks. */
export function s3ObjectStore(client: S3Client, bucket: string, region: string): ObjectStore {
  return {
    bucket,
    region,
    list: (prefix) => translated(`listing ${prefix}`, () => listCurrent(client, bucket, prefix)),

    read: (key, versionId, text) => {
      const stored = read(client, { Bucket: bucket, Key: key, VersionId: versionId });
      return text === undefined ? stored : decompress(stored, text, `reading ${key}`);
    },

    current: (key) =>
      translated(`looking up ${key}`, async () => {
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        return { key, versionId: versionOf(head.VersionId, bucket), bytes: head.ContentLength ?? 0 };
      }),

    head: (key, versionId) =>
      translated(`looking up ${key}`, async () => {
        const head = await client.send(
          new HeadObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }),
        );
        if (head.DeleteMarker === true) throw new ArchiverError('ObjectMissing', `${key} was deleted`);
        return { key, versionId, bytes: head.ContentLength ?? 0 };
      }),

    create: (key, body, contentType) =>
      translated(`writing ${key}`, async (): Promise<ObjectVersion | 'exists'> => {
        try {
          const put = await client.send(
            new PutObjectCommand({
              Bucket: bucket,
              Key: key,
              Body: body,
              ContentType: contentType,
              IfNoneMatch: '*',
            }),
          );
          return { key, versionId: versionOf(put.VersionId, bucket), bytes: Buffer.byteLength(body) };
        } catch (error) {
          if (isPreconditionFailed(error)) return 'exists';
          throw error;
        }
      }),

    markProven: (key, versionId) =>
      translated(`tagging ${key}`, async () => {
        const { key: Key, value: Value } = PROVEN_TAG;
        await client.send(
          new PutObjectTaggingCommand({
            Bucket: bucket,
            Key: key,
            VersionId: versionId,
            Tagging: { TagSet: [{ Key, Value }] },
          }),
        );
      }),

    protect: (key, versionId, { until, mode }) =>
      translated(`locking ${key}`, async () => {
        await client.send(
          new PutObjectRetentionCommand({
            Bucket: bucket,
            Key: key,
            VersionId: versionId,
            Retention: { Mode: mode, RetainUntilDate: until },
          }),
        );
      }),
  };
}

/** The connection may break in the middle of the body, long after the call has answered. */
async function* read(client: S3Client, which: GetObjectCommandInput): AsyncGenerator<Buffer> {
  const doing = `reading ${String(which.Key)}`;
  try {
    const { Body } = await client.send(new GetObjectCommand(which));
    if (Body === undefined) throw new ArchiverError('ObjectMissing', `${doing}: there is no body`);
    for await (const chunk of Body as Readable) yield chunk as Buffer;
  } catch (error) {
    throw translate(error, doing);
  }
}

async function listCurrent(client: S3Client, bucket: string, prefix: string): Promise<ObjectVersion[]> {
  const objects: ObjectVersion[] = [];
  for await (const { Versions = [] } of versionPages(client, bucket, { prefix })) {
    for (const { Key, VersionId, Size, IsLatest } of Versions) {
      if (IsLatest === true && Key !== undefined) {
        objects.push({ key: Key, versionId: versionOf(VersionId, bucket), bytes: Size ?? 0 });
      }
    }
  }
  return objects;
}

/** A listing of versions and delete markers, page by page. */
export async function* versionPages(
  client: S3Client,
  bucket: string,
  { prefix, delimiter }: { readonly prefix: string; readonly delimiter?: string },
): AsyncGenerator<ListObjectVersionsCommandOutput> {
  const wanted = { Bucket: bucket, Prefix: prefix, Delimiter: delimiter };
  let page: { KeyMarker?: string; VersionIdMarker?: string } = {};
  for (;;) {
    const answer = await client.send(new ListObjectVersionsCommand({ ...wanted, ...page }));
    yield answer;
    if (answer.IsTruncated !== true) return;
    page = {
      ...(answer.NextKeyMarker !== undefined && { KeyMarker: answer.NextKeyMarker }),
      ...(answer.NextVersionIdMarker !== undefined && { VersionIdMarker: answer.NextVersionIdMarker }),
    };
  }
}

/** A bucket without versioning says `null`, and its objects could be overwritten without a trace. */
export function versionOf(versionId: string | undefined, bucket: string): string {
  if (versionId === undefined || versionId === 'null') {
    throw new ArchiverError('ObjectStoreDenied', `bucket ${bucket} keeps no versions`);
  }
  return versionId;
}

/** Runs a call to S3; its errors become those of the catalogue. */
export async function translated<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error, doing);
  }
}
