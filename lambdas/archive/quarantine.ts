import { quarantineDatabase } from '../../adapters/postgres/archive/quarantine.ts';
import { quarantine } from '../../core/archive/quarantine.ts';
import type { Request } from '../../core/archive/request.ts';
import { step } from '../runtime/step.ts';

/** Moves one detached partition behind the fence, or finds out where an earlier run left it. */
export const handler = step(
  'quarantine',
  ({ partition, request }: { partition: number; request: Request }, { config, connection, clock, log }) =>
    quarantine(partition, request, config, { database: quarantineDatabase(connection), clock, log }),
);
