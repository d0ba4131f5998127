import { drillDatabase } from '../../adapters/postgres/restore/drill.ts';
import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { finishDrill } from '../../core/restore/drill.ts';
import { stepMetrics } from '../runtime/metrics.ts';
import { step } from '../runtime/step.ts';

/** Compares what a drill has read with the manifest, drops its table, and records that it was successful. */
export const handler = step(
  'finish-drill',
  ({ restoreId }: { restoreId: number }, { settings, connection, open, remainingMs, clock, log }) =>
    finishDrill(restoreId, {
      database: { ...restoreDatabase({ open, timeoutMs: remainingMs }), ...drillDatabase(connection) },
      metrics: stepMetrics(settings, clock),
      log,
    }),
);
