import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { build } from '../../core/restore/import.ts';
import { step } from '../runtime/step.ts';

/** Makes what follows the data: keys, indexes, triggers, comments; then plans the proof. */
export const handler = step(
  'build',
  ({ restoreId }: { restoreId: number }, { open, remainingMs, clock, log }) =>
    build(restoreId, { database: restoreDatabase({ open, timeoutMs: remainingMs }), clock, log }),
);
