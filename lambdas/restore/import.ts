import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { importSegment, importSource } from '../../core/restore/import.ts';
import { step } from '../runtime/step.ts';
import { archiveStore } from '../runtime/store.ts';

/** Imports one segment from S3: by aws_s3 where the database has roles for it, else by COPY. */
export const handler = step(
  'import',
  (
    { restoreId, segmentNumber, by }: { restoreId: number; segmentNumber: number; by: 'aws_s3' | 'stream' },
    { settings, open, remainingMs, log },
  ) =>
    importSegment(restoreId, segmentNumber, importSource(archiveStore(settings), by === 'aws_s3'), {
      database: restoreDatabase({ open, timeoutMs: remainingMs }),
      log,
    }),
);
