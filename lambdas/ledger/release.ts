import { releaseDatabase } from '../../adapters/postgres/ledger/release.ts';
import { parseReleaseRequest, release } from '../../core/ledger/release.ts';
import { step } from '../runtime/step.ts';

/** Returns a table in quarantine to its owner. */
export const handler = step('release', ({ input }: { input: unknown }, { connection, clock, log }) =>
  release(parseReleaseRequest(input), { database: releaseDatabase(connection), clock, log }),
);
