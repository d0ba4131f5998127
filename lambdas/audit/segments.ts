import { auditRange, type SegmentRange } from '../../core/audit/parts.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { archiveStore } from '../runtime/store.ts';

/** Reads some segments of one archive back and compares them with its manifest. */
export const handler = bucketStep(
  'audit-segments',
  (
    event: { readonly manifestKey: string; readonly versionId: string; readonly range: SegmentRange },
    { settings, log },
  ) => auditRange(event, { store: archiveStore(settings), log }),
);
