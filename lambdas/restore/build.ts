import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { build } from '../../core/restore/import.ts';
import { step } from '../runtime/step.ts';

/** Makes what follows the data: keys, indexes, triggers, comments; then plans the proof. */
export const handler = step('build', ({ restore }: { restore: number }, { open, remainingMs, clock, log }) =>
  build(restore, { database: restoreDatabase({ open, timeoutMs: remainingMs }), clock, log }),
);
