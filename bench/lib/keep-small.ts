import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteObjectsCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { BENCH, type Environment } from './environment.ts';

/** The gateway's store is in memory and has room for 8 GB. */
const MOST_BYTES = 2 ** 30;
/** What was deleted is collected every two seconds. */
const COLLECTED_AFTER_MS = 5_000;

/** Empties the bucket where earlier rounds have filled it. */
export async function keepBucketSmall({ s3 }: Environment): Promise<void> {
  const list = () => s3.send(new ListObjectVersionsCommand({ Bucket: BENCH.bucket }));
  let page = await list();
  const bytes = (page.Versions ?? []).reduce((sum, { Size = 0 }) => sum + Size, 0);
  if (bytes < MOST_BYTES) return;
  for (;;) {
    const objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    if (objects.length === 0) break;
    const identifiers = objects.map(({ Key, VersionId }) => ({ Key, VersionId }));
    await s3.send(new DeleteObjectsCommand({ Bucket: BENCH.bucket, Delete: { Objects: identifiers } }));
    page = await list();
  }
  await sleep(COLLECTED_AFTER_MS);
}
