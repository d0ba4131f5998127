import { adoptDatabase } from '../../adapters/postgres/ledger/adopt.ts';
import { adopt } from '../../core/ledger/adopt.ts';
import { adoptionReport } from '../../core/ledger/adopt-report.ts';
import { parseAdoptRequest } from '../../core/ledger/adopt-request.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';

/** Takes a table that was detached earlier into the ledger, or proposes its bounds. */
export const handler = step(
  'adopt',
  async ({ input, config }: { input: unknown } & WithConfig, { connection, log }) => {
    const request = parseAdoptRequest(input, readRuntimeConfig(config));
    return adoptionReport(request, await adopt(request, { database: adoptDatabase(connection), log }));
  },
);
