import { planRestore } from '../../core/restore/plan.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { archiveStore } from '../runtime/store.ts';

/** Finds the archives to restore. The input comes back with the result, for a redrive to begin with. */
export const handler = bucketStep(
  'plan-restore',
  async (
    { input, execution, redriveCount = 0 }: { input: unknown; execution: string; redriveCount?: number },
    { settings, log },
  ) => ({
    ...(await planRestore(input, { store: archiveStore(settings), database: settings.databaseName, log })),
    input,
    execution,
    redriveCount,
  }),
);
