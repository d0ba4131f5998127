import { quarantineDatabase } from '../../adapters/postgres/archive/quarantine.ts';
import { quarantine } from '../../core/archive/quarantine.ts';
import type { Request } from '../../core/archive/request.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';

/** Moves one detached partition behind the fence, or finds out where an earlier run left it. */
export const handler = step(
  'quarantine',
  (
    { partitionId, request, config }: { partitionId: number; request: Request } & WithConfig,
    { connection, clock, log },
  ) =>
    quarantine(partitionId, request, readRuntimeConfig(config), {
      database: quarantineDatabase(connection),
      clock,
      log,
    }),
);
