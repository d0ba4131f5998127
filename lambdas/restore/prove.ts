import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { proveRange } from '../../core/restore/prove.ts';
import { step } from '../runtime/step.ts';

/** Reads one range of a restored table and records its rows, bytes and line-hash sum. */
export const handler = step(
  'prove',
  ({ restoreId, range }: { restoreId: number; range: number }, { open, remainingMs, log }) =>
    proveRange(restoreId, range, { database: restoreDatabase({ open, timeoutMs: remainingMs }), log }),
);
