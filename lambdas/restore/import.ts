import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { importSegment } from '../../core/restore/import.ts';
import { step } from '../runtime/step.ts';

/** Has the database import one segment from S3. */
export const handler = step(
  'import',
  (
    { restoreId, segmentNumber }: { restoreId: number; segmentNumber: number },
    { settings, open, remainingMs, log },
  ) => {
    const from = { bucket: settings.archiveBucket, region: settings.region };
    const database = restoreDatabase({ open, timeoutMs: remainingMs });
    return importSegment(restoreId, segmentNumber, from, { database, log });
  },
);
