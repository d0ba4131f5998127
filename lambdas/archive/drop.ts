import { dropDatabase } from '../../adapters/postgres/archive/drop.ts';
import { drop } from '../../core/archive/drop.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';
import { objectStore } from '../runtime/store.ts';

/** Drops one partition whose archive is verified and whose grace period is over. */
export const handler = step(
  'drop',
  ({ partitionId, config }: { partitionId: number } & WithConfig, { settings, connection, clock, log }) =>
    drop(partitionId, readRuntimeConfig(config).expiry, {
      database: dropDatabase(connection),
      store: objectStore(settings),
      clock,
      log,
    }),
);
