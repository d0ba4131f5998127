import { failedVerdict } from '../../core/audit/report.ts';
import type { StepFailure } from '../../core/archive/record-failure.ts';
import { bucketStep } from '../runtime/bucket-step.ts';

/** The verdict on an archive that could not be read. */
export const handler = bucketStep(
  'audit-failure',
  ({ manifestKey, failure }: { readonly manifestKey: string; readonly failure: StepFailure }) =>
    Promise.resolve(failedVerdict(manifestKey, failure)),
);
