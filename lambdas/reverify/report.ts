import { readLedger } from '../../adapters/postgres/archive/status.ts';
import { reverifyReport } from '../../core/reverify/report.ts';
import type { ReverifyRequest } from '../../core/reverify/request.ts';
import { step } from '../runtime/step.ts';

/** Says what was verified again, and fails the execution if anything was not. */
export const handler = step(
  'reverify-report',
  async (
    {
      request,
      redriveCount,
    }: { request: ReverifyRequest & { readonly redriveCount: number }; redriveCount: number },
    { connection, log },
  ) =>
    reverifyReport(request, await readLedger(connection, request.partitionIds), {
      redriven: redriveCount > request.redriveCount,
      log,
    }),
);
