import type { ArchiveRef, Retrieval } from '../../core/restore/request.ts';
import { retrieve } from '../../core/restore/retrieve.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { archiveStore } from '../runtime/store.ts';

/** Looks whether an archive can be read, and asks S3 for copies of what lies in a Glacier tier. */
export const handler = bucketStep(
  'retrieve',
  (
    {
      archive,
      // An execution that began under an earlier definition names none.
      segments = null,
      retrieval,
    }: { archive: ArchiveRef; segments?: readonly number[] | null; retrieval: Retrieval },
    { settings, log },
  ) => retrieve(archive, segments, retrieval, { store: archiveStore(settings), log }),
);
