import { maintainDatabase } from '../../adapters/postgres/archive/maintain.ts';
import { maintain } from '../../core/archive/maintain.ts';
import type { Request } from '../../core/archive/request.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';

/** Records the attached partitions, runs pg_partman's maintenance for each set, and records what became detached. */
export const handler = step(
  'maintain',
  ({ request, config }: { request: Request } & WithConfig, { connection, notices, clock, log }) =>
    maintain(request, readRuntimeConfig(config), {
      database: maintainDatabase(connection, notices),
      clock,
      log,
    }),
);
