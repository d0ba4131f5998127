import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { PAGE_TAG } from '../../core/config/proven-tag.ts';
import { translated } from './object-store.ts';

/** Puts the page on the archive, in place of the last one; a rule of the bucket ends old versions by the tag. */
export function putPage(
  client: S3Client,
  { bucket, key, html }: { readonly bucket: string; readonly key: string; readonly html: string },
): Promise<void> {
  return translated(`writing ${key}`, async () => {
    await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: html,
        ContentType: 'text/html; charset=utf-8',
        CacheControl: 'no-cache',
        Tagging: `${PAGE_TAG.key}=${PAGE_TAG.value}`,
      }),
    );
  });
}
