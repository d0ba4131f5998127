import { pickArchive } from '../../core/restore/drill.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { browsableStore } from '../runtime/store.ts';

/** Picks an archive at random for a drill. */
export const handler = bucketStep(
  'pick-archive',
  async ({ input, execution }: { input: unknown; execution: string }, { settings, clock, log }) => ({
    ...(await pickArchive(input, {
      store: browsableStore(settings),
      database: settings.databaseName,
      random: Math.random,
      clock,
      log,
    })),
    execution,
  }),
);
