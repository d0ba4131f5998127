import { commitDatabase } from '../../adapters/postgres/archive/commit.ts';
import { commit } from '../../core/archive/commit.ts';
import type { Request } from '../../core/archive/request.ts';
import { step } from '../runtime/step.ts';
import { objectStore } from '../runtime/store.ts';

/** Writes DDL and manifest and records them: the commit point of an archive. */
export const handler = step(
  'commit',
  (
    { partition, request }: { partition: number; request: Request },
    { settings, config, connection, clock, log },
  ) =>
    commit(partition, request, config, {
      database: commitDatabase(connection),
      store: objectStore(settings),
      clock,
      log,
    }),
);
