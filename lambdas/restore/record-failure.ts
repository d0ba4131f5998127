import { outcomeDatabase } from '../../adapters/postgres/restore/report.ts';
import type { StepFailure } from '../../core/archive/record-failure.ts';
import { recordRestoreFailure } from '../../core/restore/report.ts';
import type { ArchiveRef } from '../../core/restore/request.ts';
import { step } from '../runtime/step.ts';

/** Records why an archive could not be restored. */
export const handler = step(
  'record-restore-failure',
  (
    { archive, execution, failure }: { archive: ArchiveRef; execution: string; failure: StepFailure },
    { connection, log },
  ) =>
    recordRestoreFailure(execution, archive.manifestKey, failure, {
      database: outcomeDatabase(connection),
      log,
    }),
);
