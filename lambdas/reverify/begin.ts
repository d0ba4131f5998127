import { reverifyFence } from '../../adapters/postgres/reverify/steps.ts';
import { beginReverify } from '../../core/reverify/steps.ts';
import type { ReverifyRequest } from '../../core/reverify/request.ts';
import { step } from '../runtime/step.ts';

/** Fences and seals one partition again. */
export const handler = step(
  'reverify-begin',
  (
    { partitionId, request }: { partitionId: number; request: Pick<ReverifyRequest, 'startedAt'> },
    { connection, clock, log },
  ) =>
    beginReverify(
      { partitionId, startedAt: request.startedAt },
      { database: reverifyFence(connection), clock, log },
    ),
);
