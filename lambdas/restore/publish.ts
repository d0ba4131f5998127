import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { bringOut } from '../../core/restore/publish.ts';
import { step } from '../runtime/step.ts';

/** Compares what was read with the manifest and brings the table out under its target name. */
export const handler = step(
  'bring-out',
  ({ restore }: { restore: number }, { open, remainingMs, clock, log }) =>
    bringOut(restore, { database: restoreDatabase({ open, timeoutMs: remainingMs }), clock, log }),
);
