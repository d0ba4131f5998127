import type { RecordAuditDatabase } from '../../../core/audit/record.ts';
import { translated, type Connection } from '../connect.ts';

/** `record-audit` on PostgreSQL. */
export function recordAuditDatabase(connection: Connection): RecordAuditDatabase {
  return {
    recordAudit: (execution, { archives, segmentsRead, bytesRead }) =>
      translated('recording the audit', async () => {
        await connection`
          select partition_archiver.record_audit(${execution}::text, ${archives}::bigint, ${segmentsRead}::bigint,
            ${bytesRead}::bigint)`;
      }),
  };
}
