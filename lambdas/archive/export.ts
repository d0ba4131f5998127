import { exportDatabase } from '../../adapters/postgres/archive/export.ts';
import { exportSegment } from '../../core/archive/export.ts';
import { step } from '../runtime/step.ts';

/** Kept back for what follows an export that the server ended: splitting the segment. */
const AFTER_EXPORT_MS = 30_000;

/** Has the database export one segment to S3. */
export const handler = step(
  'export',
  (
    { partitionId, segmentNumber }: { partitionId: number; segmentNumber: number },
    { settings, connection, log, remainingMs },
  ) => {
    const database = exportDatabase(connection, Math.max(remainingMs - AFTER_EXPORT_MS, 1_000));
    const to = { bucket: settings.archiveBucket, region: settings.region };
    return exportSegment(partitionId, segmentNumber, to, { database, log });
  },
);
