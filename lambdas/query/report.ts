import { convertReport } from '../../core/query/convert-next.ts';
import { bucketStep } from '../runtime/bucket-step.ts';

/** Says what was converted, and fails the execution if an archive was not. */
export const handler = bucketStep('convert-report', (event: Parameters<typeof convertReport>[0], { log }) =>
  Promise.resolve(convertReport(event, { log })),
);
