import { randomBytes } from 'node:crypto';
import { readStatus } from '../../adapters/postgres/archive/status.ts';
import { streamDatabase } from '../../adapters/postgres/archive/stream.ts';
import { s3ObjectWriter } from '../../adapters/s3/upload.ts';
import { findSet } from '../../core/archive/quarantine.ts';
import { streamSegment, streamSettings } from '../../core/archive/stream.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';
import { archiveClient } from '../runtime/store.ts';

/** Kept back for what follows an export that took too long: reading what the server sent before, and the split. */
const AFTER_STREAM_MS = 60_000;

/** Streams one segment from the database to S3. */
export const handler = step(
  'stream',
  async (
    { partitionId, segmentNumber, config }: { partitionId: number; segmentNumber: number } & WithConfig,
    { settings, connection, open, log, remainingMs },
  ) => {
    const set = findSet(await readStatus(connection, partitionId), readRuntimeConfig(config));
    return streamSegment(partitionId, segmentNumber, streamSettings(set), {
      database: streamDatabase(connection, () => open(), Math.max(remainingMs - AFTER_STREAM_MS, 1_000)),
      writer: s3ObjectWriter(archiveClient(settings), settings.archiveBucket),
      random: () => randomBytes(8).toString('hex'),
      log,
    });
  },
);
