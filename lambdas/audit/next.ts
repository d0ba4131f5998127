import { auditNext, type AuditProgress } from '../../core/audit/next.ts';
import type { ArchiveVerdict } from '../../core/audit/report.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { stepMetrics } from '../runtime/metrics.ts';
import { archiveStore } from '../runtime/store.ts';

/** One turn of an audit: takes the last verdicts, and names the next archives; at the end, reports. */
export const handler = bucketStep(
  'audit-next',
  (
    event: {
      readonly input: unknown;
      readonly progress?: AuditProgress;
      readonly verdicts?: readonly ArchiveVerdict[];
    },
    { settings, clock, log },
  ) => {
    const metrics = stepMetrics(settings, clock);
    const store = archiveStore(settings);
    return auditNext(event, { store, database: settings.databaseName, random: Math.random, metrics, log });
  },
);
