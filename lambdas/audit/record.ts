import { recordAuditDatabase } from '../../adapters/postgres/audit/record.ts';
import { recordAudit, type SuccessfulAudit } from '../../core/audit/record.ts';
import { stepMetrics } from '../runtime/metrics.ts';
import { step } from '../runtime/step.ts';

/** Records that an audit was successful. */
export const handler = step(
  'record-audit',
  (
    event: { readonly input: unknown; readonly report: SuccessfulAudit; readonly execution: string },
    { settings, connection, clock, log },
  ) =>
    recordAudit(event, {
      databaseName: settings.databaseName,
      database: recordAuditDatabase(connection),
      metrics: stepMetrics(settings, clock),
      log,
    }),
);
