import type { AuditBegun, RangeVerdict } from '../../core/audit/parts.ts';
import { verdictOf } from '../../core/audit/report.ts';
import { bucketStep } from '../runtime/bucket-step.ts';

/** The verdict on one archive, from what its parts came to. */
export const handler = bucketStep(
  'audit-verdict',
  ({ begun, ranges }: { readonly begun: AuditBegun; readonly ranges: readonly RangeVerdict[] }) =>
    Promise.resolve(verdictOf(begun, ranges)),
);
