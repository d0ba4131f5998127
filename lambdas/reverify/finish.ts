import { reverifyReading } from '../../adapters/postgres/reverify/steps.ts';
import { finishReverify, type ReverifyEvidence } from '../../core/reverify/steps.ts';
import { step } from '../runtime/step.ts';
import { archiveStore } from '../runtime/store.ts';

/** Has the ledger say `verified` again, if every segment was compared. */
export const handler = step(
  'reverify-finish',
  (work: { partitionId: number; evidence: ReverifyEvidence }, { settings, connection, open, log }) =>
    finishReverify(work, {
      database: reverifyReading(connection, open),
      store: archiveStore(settings),
      log,
    }),
);
