import { reverifyCandidates } from '../../adapters/postgres/reverify/steps.ts';
import { planReverify } from '../../core/reverify/request.ts';
import { step } from '../runtime/step.ts';

/** Reads the input of the execution and finds out which partitions are meant. */
export const handler = step(
  'reverify-plan',
  async (
    { input, execution, redriveCount }: { input: unknown; execution: string; redriveCount: number },
    { connection, clock },
  ) => ({
    ...(await planReverify(input, reverifyCandidates(connection), clock.now())),
    execution,
    redriveCount,
  }),
);
