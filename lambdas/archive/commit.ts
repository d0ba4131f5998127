import { commitDatabase } from '../../adapters/postgres/archive/commit.ts';
import { commit } from '../../core/archive/commit.ts';
import type { Request } from '../../core/archive/request.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';
import { objectStore } from '../runtime/store.ts';

/** Writes DDL and manifest and records them: the commit point of an archive. */
export const handler = step(
  'commit',
  (
    { partitionId, request, config }: { partitionId: number; request: Request } & WithConfig,
    { settings, connection, clock, log },
  ) =>
    commit(partitionId, request, readRuntimeConfig(config), {
      database: commitDatabase(connection),
      store: objectStore(settings),
      clock,
      log,
    }),
);
