import { readManifest, type ArchiveStore, type Storage } from '../archive-store.ts';
import { mapAtOnce } from '../concurrency.ts';
import { objectsOf } from '../manifest.ts';
import { ArchiverError } from '../errors.ts';
import type { Log } from '../ports.ts';
import type { ArchiveRef, Retrieval } from './request.ts';

/** Whether the objects of an archive can be read, and after how long to look again where they cannot. */
export interface Retrieved {
  readonly readable: boolean;
  /** Objects that S3 is still making a readable copy of. */
  readonly waitingFor: number;
  readonly waitSeconds: number;
}

/** Requests to S3 at the same time. */
const AT_ONCE = 16;

/**
 * How long to wait between two looks. S3 takes 1 to 5 minutes for Expedited, 3 to 12 hours for Standard, and 5 to 48
 * hours for Bulk (https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html).
 */
const WAIT_SECONDS: Readonly<Record<Retrieval['tier'], number>> = {
  Expedited: 60,
  Standard: 15 * 60,
  Bulk: 30 * 60,
};

/**
 * Looks where the objects of these segments (`null`: all) and of the DDL lie, and asks S3 for readable copies of those in a
 * Glacier tier. Nothing is asked for twice, and nothing where everything is readable.
 */
export async function retrieve(
  { manifestKey, manifestVersionId }: ArchiveRef,
  segments: readonly number[] | null,
  { tier, days }: Retrieval,
  { store, log }: { readonly store: ArchiveStore; readonly log: Log },
): Promise<Retrieved> {
  const { manifest } = await readManifest(store, manifestKey, manifestVersionId ?? undefined);
  const open = segments === null ? null : new Set(segments);
  const needed = manifest.segments.filter(({ number }) => open?.has(number) ?? true);
  const waiting = await mapAtOnce(
    objectsOf({ ...manifest, segments: needed }),
    AT_ONCE,
    async ({ key, versionId }) => {
      const { state, storageClass } = await whereIs(key, versionId, store);
      if (state === 'archived') {
        await store.requestCopy(key, versionId, {
          tier,
          days: storageClass === 'INTELLIGENT_TIERING' ? null : days,
        });
      }
      return state !== 'readable';
    },
  );
  const waitingFor = waiting.filter(Boolean).length;
  const { rows, bytes } = manifest.contents;
  log.info('retrieve', { manifest: manifestKey, rows, bytes, waitingFor });
  return { readable: waitingFor === 0, waitingFor, waitSeconds: WAIT_SECONDS[tier] };
}

/** What is not there is not waited for: the checks before a restore say what is wrong with an archive. */
async function whereIs(key: string, versionId: string, store: ArchiveStore): Promise<Storage> {
  try {
    return await store.storage(key, versionId);
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'ObjectMissing') {
      return { storageClass: 'none', state: 'readable' };
    }
    throw error;
  }
}
