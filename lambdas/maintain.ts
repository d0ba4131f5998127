import { maintainDatabase } from '../adapters/postgres/maintain.ts';
import { maintain } from '../core/maintain.ts';
import type { Request } from '../core/request.ts';
import { step } from './runtime/step.ts';

/** Records the attached partitions, runs pg_partman's maintenance for each set, and records what became detached. */
export const handler = step(
  'maintain',
  ({ request }: { request: Request }, { config, connection, notices, clock, log }) =>
    maintain(request, config, { database: maintainDatabase(connection, notices), clock, log }),
);
