import { drillDatabase } from '../adapters/postgres/drill.ts';
import { restoreDatabase } from '../adapters/postgres/restore.ts';
import { abandonDrill, type DrillPlan } from '../core/drill.ts';
import type { StepFailure } from '../core/record-failure.ts';
import { step } from './runtime/step.ts';

/** The state of the execution where the drill failed; of what it did not come to, there is nothing. */
interface Failed {
  readonly failure: StepFailure;
  readonly plan?: DrillPlan;
  readonly step?: { readonly restore: number | null };
}

/** Drops what a failed drill has made, and fails the execution. */
export const handler = step(
  'abandon-drill',
  ({ state }: { state: Failed }, { connection, open, remainingMs, log }) =>
    abandonDrill(
      {
        archive: state.plan?.archive ?? null,
        restore: state.step?.restore ?? null,
        failure: state.failure,
      },
      {
        database: { ...restoreDatabase({ open, timeoutMs: remainingMs }), ...drillDatabase(connection) },
        log,
      },
    ),
);
