import { finishConversion, type Attempt, type SegmentResult } from '../../core/query/convert-parts.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { copyPorts } from '../runtime/copies.ts';

/** Writes the manifest of a copy whose segments are all there. */
export const handler = bucketStep(
  'finish-conversion',
  (event: { readonly attempt: Attempt; readonly results: readonly SegmentResult[] }, context) =>
    finishConversion(event, copyPorts(context)),
);
