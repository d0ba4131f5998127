import { adoptDatabase } from '../adapters/postgres/adopt.ts';
import { adopt } from '../core/adopt.ts';
import { adoptionReport } from '../core/adopt/report.ts';
import { parseAdoptRequest } from '../core/adopt/request.ts';
import { step } from './runtime/step.ts';

/** Takes a table that was detached earlier into the ledger, or proposes its bounds. */
export const handler = step('adopt', async ({ input }: { input: unknown }, { config, connection, log }) => {
  const request = parseAdoptRequest(input, config);
  return adoptionReport(request, await adopt(request, { database: adoptDatabase(connection), log }));
});
