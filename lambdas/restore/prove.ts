import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { proveRange } from '../../core/restore/prove.ts';
import { step } from '../runtime/step.ts';

/** Reads one range of a restored table and records its rows, bytes and line-hash sum. */
export const handler = step(
  'prove',
  ({ restore, range }: { restore: number; range: number }, { open, remainingMs, log }) =>
    proveRange(restore, range, { database: restoreDatabase({ open, timeoutMs: remainingMs }), log }),
);
