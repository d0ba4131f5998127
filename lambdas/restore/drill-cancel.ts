import { drillDatabase } from '../../adapters/postgres/restore/drill.ts';
import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { cancelDrill } from '../../core/restore/drill.ts';
import type { StepFailure } from '../../core/archive/record-failure.ts';
import type { PlannedArchive } from '../../core/restore/plan.ts';
import { step } from '../runtime/step.ts';

/** The state of the execution where the drill failed; before its beginning there is no step. */
interface Failed {
  readonly failure: StepFailure;
  readonly plan: { readonly Payload: { readonly archive: PlannedArchive } };
  readonly step?: { readonly Payload: { readonly restoreId: number } };
}

/** Drops what a failed drill has made, and fails the execution. */
export const handler = step(
  'cancel-drill',
  ({ state }: { state: Failed }, { connection, open, remainingMs, clock, log }) =>
    cancelDrill(
      {
        archive: state.plan.Payload.archive,
        restoreId: state.step?.Payload.restoreId ?? null,
        failure: state.failure,
      },
      {
        database: { ...restoreDatabase({ open, timeoutMs: remainingMs }), ...drillDatabase(connection) },
        clock,
        log,
      },
    ),
);
