import { lastGoodDatabase } from '../../adapters/postgres/audit/last-good.ts';
import { recordAudit, type GoodAudit } from '../../core/audit/record.ts';
import { stepMetrics } from '../runtime/metrics.ts';
import { step } from '../runtime/step.ts';

/** Records that an audit was good. */
export const handler = step(
  'record-audit',
  (
    event: { readonly input: unknown; readonly report: GoodAudit; readonly execution: string },
    { settings, connection, clock, log },
  ) =>
    recordAudit(event, {
      databaseName: settings.databaseName,
      database: lastGoodDatabase(connection),
      metrics: stepMetrics(settings, clock),
      log,
    }),
);
