import type { LastSuccessMetrics } from '../heartbeat/last-success.ts';
import type { Log } from '../ports.ts';
import type { AuditTotals } from './report.ts';
import { parseAuditRequest } from './request.ts';

/** What is kept of a good audit. */
export type SuccessfulAudit = Pick<AuditTotals, 'archives' | 'segmentsRead' | 'bytesRead'>;

/** The database, as `record-audit` needs it. */
export interface RecordAuditDatabase {
  recordAudit(execution: string, audit: SuccessfulAudit): Promise<void>;
}

/**
 * Records an audit that found everything intact, so that an alarm is raised if there was none for long. One of a set, of a
 * range or of a former name of the database is not recorded: it says nothing of all others. A sample of all does.
 */
export async function recordAudit(
  {
    input,
    report,
    execution,
  }: { readonly input: unknown; readonly report: SuccessfulAudit; readonly execution: string },
  ports: {
    readonly databaseName: string;
    readonly database: RecordAuditDatabase;
    readonly metrics: LastSuccessMetrics;
    readonly log: Log;
  },
): Promise<{ readonly recorded: boolean }> {
  const { database, schema, from, to } = parseAuditRequest(input, ports.databaseName).query;
  const isOfAll = schema === undefined && from === undefined && to === undefined;
  if (!isOfAll || database !== ports.databaseName) return { recorded: false };
  const { archives, segmentsRead, bytesRead } = report;
  await ports.database.recordAudit(execution, { archives, segmentsRead, bytesRead });
  ports.metrics.lastSuccess('audit', 0);
  ports.log.info('record-audit', { archives, segmentsRead, bytesRead });
  return { recorded: true };
}
