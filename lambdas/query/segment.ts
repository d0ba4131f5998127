import { convertSegment, type Attempt } from '../../core/query/convert-parts.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { copyPorts } from '../runtime/copies.ts';

/** Makes the copy of one segment, proves it, and puts it. */
export const handler = bucketStep(
  'convert-segment',
  (event: { readonly attempt: Attempt; readonly segmentNumber: number }, context) =>
    convertSegment(event, copyPorts(context)),
);
