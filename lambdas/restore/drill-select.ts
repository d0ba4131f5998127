import { selectArchive } from '../../core/restore/drill.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { archiveStore } from '../runtime/store.ts';

/** Selects an archive at random for a drill. */
export const handler = bucketStep(
  'select-archive',
  async ({ input, execution }: { input: unknown; execution: string }, { settings, clock, log }) => ({
    ...(await selectArchive(input, {
      store: archiveStore(settings),
      database: settings.databaseName,
      random: Math.random,
      clock,
      log,
    })),
    execution,
  }),
);
