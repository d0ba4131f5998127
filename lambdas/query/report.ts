import { convertReport, type ConvertProgress } from '../../core/query/convert-next.ts';
import { bucketStep } from '../runtime/bucket-step.ts';

/** Says what was converted, and fails the execution if an archive was not. */
export const handler = bucketStep(
  'convert-report',
  ({ progress }: { readonly progress: ConvertProgress }, { log }) =>
    Promise.resolve(convertReport(progress, { log })),
);
