import { reverifyReading } from '../../adapters/postgres/reverify/steps.ts';
import { reverifySegment, type ReverifyEvidence } from '../../core/reverify/steps.ts';
import { step } from '../runtime/step.ts';
import { archiveStore } from '../runtime/store.ts';

/** Reads one segment from table and archive again and compares them. */
export const handler = step(
  'reverify-segment',
  (
    work: { partitionId: number; segmentNumber: number; evidence: ReverifyEvidence },
    { settings, connection, open, log },
  ) =>
    reverifySegment(work, {
      database: reverifyReading(connection, open),
      store: archiveStore(settings),
      log,
    }),
);
