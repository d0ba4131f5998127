import { verifyDatabase } from '../../adapters/postgres/archive/verify.ts';
import { verifySegment } from '../../core/archive/verify.ts';
import { step } from '../runtime/step.ts';
import { objectStore } from '../runtime/store.ts';

/** Proves one segment: what lies in S3 is, byte for byte, what the table holds. */
export const handler = step(
  'verify',
  (
    { partitionId, segmentNumber }: { partitionId: number; segmentNumber: number },
    { settings, connection, open, clock, log },
  ) => {
    const reading = {
      open: () => open(settings.verifyEndpoint),
      isVerifyEndpoint: settings.verifyEndpoint !== undefined,
    };
    return verifySegment(partitionId, segmentNumber, {
      database: verifyDatabase(connection, reading),
      store: objectStore(settings),
      clock,
      log,
    });
  },
);
