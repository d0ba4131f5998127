import type { RecordAuditDatabase } from '../../../core/audit/record.ts';
import type { LastSuccessDatabase } from '../../../core/last-success.ts';
import { translated, type Connection } from '../connect.ts';

/** How long ago drills and audits were good last; and the record of a good audit. */
export function lastSuccessDatabase(connection: Connection): LastSuccessDatabase & RecordAuditDatabase {
  return {
    daysSinceSuccess: () =>
      translated('looking for the last successful drill and audit', async () => {
        const [row] = await connection<[{ drill: number | null; audit: number | null }]>`
          select partition_archiver.days_since_drill() as drill, partition_archiver.days_since_audit() as audit`;
        return row;
      }),

    recordAudit: (execution, { archives, segmentsRead, bytesRead }) =>
      translated('recording the audit', async () => {
        await connection`
          select partition_archiver.record_audit(${execution}::text, ${archives}::bigint, ${segmentsRead}::bigint,
            ${bytesRead}::bigint)`;
      }),
  };
}
