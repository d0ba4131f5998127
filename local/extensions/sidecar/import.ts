import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SidecarError } from './s3.ts';

/** Where an import comes from. Credentials of its own stand in the place of the database's role. */
export interface ImportSource {
  readonly bucket: string;
  readonly key: string;
  readonly region: string | null;
  readonly accessKey: string | null;
  readonly secretKey: string | null;
  readonly sessionToken: string | null;
}

/** Opens an object as a stream of what COPY is to read, with the object's size in S3. */
export async function openImport(
  client: S3Client,
  source: ImportSource,
): Promise<{ stream: Readable; bytes: number }> {
  const object = await client.send(new GetObjectCommand({ Bucket: source.bucket, Key: source.key }));
  const bytes = object.ContentLength ?? 0;
  const body = object.Body as Readable;
  if (bytes === 0) {
    body.resume();
    throw new SidecarError('InvalidRequest', `the file ${source.key} is empty`);
  }
  if (object.ContentEncoding !== 'gzip') return { stream: body, bytes };
  const unpacked = createGunzip();
  body.on('error', (error) => unpacked.destroy(error));
  return { stream: body.pipe(unpacked), bytes };
}
