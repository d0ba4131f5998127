import { releaseDatabase } from '../../adapters/postgres/ledger/release.ts';
import { parseResumeRequest, resume } from '../../core/ledger/release.ts';
import { step } from '../runtime/step.ts';

/** Returns a blocked, restored or released partition to the pipeline. */
export const handler = step('resume', ({ input }: { input: unknown }, { connection, clock, log }) =>
  resume(parseResumeRequest(input), { database: releaseDatabase(connection), clock, log }),
);
