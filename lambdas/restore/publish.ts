import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { publish } from '../../core/restore/publish.ts';
import { step } from '../runtime/step.ts';

/** Compares what was read with the manifest and publishes the table under its target name. */
export const handler = step(
  'publish',
  ({ restoreId }: { restoreId: number }, { open, remainingMs, clock, log }) =>
    publish(restoreId, { database: restoreDatabase({ open, timeoutMs: remainingMs }), clock, log }),
);
