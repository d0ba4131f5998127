import { outcomeDatabase } from '../../adapters/postgres/restore/report.ts';
import { reportRestore, type RestoreReportInput } from '../../core/restore/report.ts';
import { step } from '../runtime/step.ts';

/** Says what was restored, and fails the execution if an archive was not. */
export const handler = step('report-restore', (input: RestoreReportInput, { connection, log }) =>
  reportRestore(input, { database: outcomeDatabase(connection), log }),
);
