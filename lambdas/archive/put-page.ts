import { putPage } from '../../adapters/s3/page.ts';
import { pageKey } from '../../core/keys.ts';
import type { PageFacts } from '../../core/page/facts.ts';
import { makePage, storedSets } from '../../core/page/make.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { unpack } from '../runtime/packed.ts';
import { archiveClient, archiveStore } from '../runtime/store.ts';

/** Puts the page on the archive into the bucket. */
export const handler = bucketStep(
  'put-page',
  async (
    { facts: { packed } }: { readonly facts: { readonly packed: string | null } },
    { settings, clock, log },
  ): Promise<{ key: string | null }> => {
    if (packed === null) return { key: null };
    const facts = unpack(packed) as PageFacts;
    const store = archiveStore(settings);
    const html = await makePage(facts, await storedSets(facts, store), { store, clock });
    const key = pageKey(settings.databaseName);
    await putPage(archiveClient(settings), { bucket: settings.archiveBucket, key, html });
    log.info('put-page', { key, bytes: Buffer.byteLength(html) });
    return { key };
  },
);
