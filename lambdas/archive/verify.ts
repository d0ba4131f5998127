import { verifyDatabase } from '../../adapters/postgres/archive/verify.ts';
import { verifySegment } from '../../core/archive/verify.ts';
import { step } from '../runtime/step.ts';
import { archiveStore } from '../runtime/store.ts';

/** Proves one segment: what lies in S3 is, byte for byte, what the table holds. */
export const handler = step(
  'verify',
  (
    { partition, segment }: { partition: number; segment: number },
    { settings, connection, open, clock, log },
  ) => {
    const reading = {
      open: () => open(settings.readingEndpoint),
      elsewhere: settings.readingEndpoint !== undefined,
    };
    return verifySegment(partition, segment, {
      database: verifyDatabase(connection, reading),
      store: archiveStore(settings),
      clock,
      log,
    });
  },
);
