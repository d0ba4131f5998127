import { maintainDatabase } from '../../adapters/postgres/archive/maintain.ts';
import { maintain } from '../../core/archive/maintain.ts';
import type { Request } from '../../core/archive/request.ts';
import { step } from '../runtime/step.ts';

/** Records the attached partitions, runs pg_partman's maintenance for each set, and records what became detached. */
export const handler = step(
  'maintain',
  ({ request }: { request: Request }, { config, connection, notices, clock, log }) =>
    maintain(request, config, { database: maintainDatabase(connection, notices), clock, log }),
);
