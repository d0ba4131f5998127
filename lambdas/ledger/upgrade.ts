import { moveInDatabase } from '../../adapters/postgres/ledger/upgrade.ts';
import { moveIn, parseMoveInRequest } from '../../core/ledger/upgrade.ts';
import { step } from '../runtime/step.ts';

/** Makes the ledger's rows of before a major upgrade or a rename rows of what the database is now. */
export const handler = step('move-in', ({ input }: { input: unknown }, { connection, clock, log }) =>
  moveIn(parseMoveInRequest(input), { database: moveInDatabase(connection), clock, log }),
);
