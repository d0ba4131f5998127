import { detectDatabase } from '../../adapters/postgres/archive/detect.ts';
import { detect } from '../../core/archive/detect.ts';
import type { Request } from '../../core/archive/request.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';

/** Finds the partitions to archive and to drop. `redriveCount` comes back with the result for the report to compare. */
export const handler = step(
  'detect',
  async (
    { request, redriveCount = 0, config }: { request: Request; redriveCount?: number } & WithConfig,
    { connection, log },
  ) => ({
    ...(await detect(request, readRuntimeConfig(config), { database: detectDatabase(connection), log })),
    redriveCount,
  }),
);
