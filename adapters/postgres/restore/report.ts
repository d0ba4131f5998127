import type { OutcomeDatabase, RestoreOutcome } from '../../../core/restore/report.ts';
import { translated, type Connection } from '../connect.ts';

/** The outcomes of an execution of *Restore*, on PostgreSQL. */
export function outcomeDatabase(connection: Connection): OutcomeDatabase {
  return {
    record: (execution, manifestKey, outcome) =>
      translated('recording what became of an archive', async () => {
        await connection`
          select partition_archiver.record_restore_outcome(${execution}::text, ${manifestKey}::text,
                   ${connection.json(outcome as never)}::jsonb)`;
      }),

    outcomes: (execution) =>
      translated(
        'reading what became of the archives',
        () => connection<RestoreOutcome[]>`
          select manifest_key as "manifestKey", restored_table as "table", attached_to as "attachedTo", row_count as rows,
                 byte_count as bytes, warnings, unmade,
                 case when failed_code is not null then jsonb_build_object('code', failed_code, 'reason', failed_reason) end as failure
            from partition_archiver.restore_outcomes(${execution}::text)`,
      ),
  };
}
