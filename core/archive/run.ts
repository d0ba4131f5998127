import { mapAtOnce } from '../concurrency.ts';
import type { Detection } from './detect.ts';
import type { SetReport } from './maintain.ts';
import type { Clock } from '../ports.ts';
import { withPauses } from '../retry.ts';
import type { NextStep } from './quarantine.ts';
import type { StepFailure } from './record-failure.ts';
import type { ReportInput, RunReport } from './report.ts';
import type { Request } from './request.ts';

/** The steps of a run, each as the state machine calls its Lambda. */
export interface Steps {
  preflight(input: unknown): Promise<Request>;
  maintain(request: Request): Promise<readonly SetReport[]>;
  detect(request: Request): Promise<Detection>;
  quarantine(partitionId: number, request: Request): Promise<NextStep>;
  export(partitionId: number, segmentNumber: number): Promise<unknown>;
  verify(partitionId: number, segmentNumber: number): Promise<unknown>;
  commit(partitionId: number, request: Request): Promise<NextStep>;
  drop(partitionId: number): Promise<unknown>;
  recordFailure(partitionId: number, failure: StepFailure): Promise<void>;
  report(input: ReportInput): Promise<RunReport>;
}

/** How much of a run happens at once. */
export interface Concurrency {
  readonly partitions: number;
  readonly segments: number;
}

/** Pauses after a step whose error says that trying again may help. */
const PAUSES_MS = [1_000, 2_000, 4_000];

/**
 * A whole run in this process, in the order of the state machine *Archive*: what the local command does, where there is
 * no Step Functions.
 */
export async function run(
  input: unknown,
  steps: Steps,
  { concurrency, clock }: { readonly concurrency: Concurrency; readonly clock: Clock },
): Promise<RunReport> {
  const again = <T>(work: () => Promise<T>): Promise<T> =>
    withPauses(clock, PAUSES_MS, ({ retryable }) => retryable, work);
  const request = await again(() => steps.preflight(input));
  const maintain = await again(() => steps.maintain(request));
  const detect = await again(() => steps.detect(request));
  await mapAtOnce(detect.partitions, concurrency.partitions, async (partitionId) => {
    try {
      await archivePartition(partitionId, request, steps, concurrency.segments, again);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const failure = { Error: error.name, Cause: JSON.stringify({ errorMessage: error.message }) };
      // Where not even that is possible, the report finds it unfinished; the others continue.
      await again(() => steps.recordFailure(partitionId, failure)).catch(() => undefined);
    }
  });
  return again(() => steps.report({ request, maintain, detect }));
}

async function archivePartition(
  partitionId: number,
  request: Request,
  steps: Steps,
  atOnce: number,
  again: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<void> {
  let step = await again(() => steps.quarantine(partitionId, request));
  while (step.next === 'export' || step.next === 'stream') {
    await mapAtOnce(step.segments, atOnce, async (segmentNumber) => {
      await again(() => steps.export(partitionId, segmentNumber));
      await again(() => steps.verify(partitionId, segmentNumber));
    });
    step = await again(() => steps.commit(partitionId, request));
  }
  if (step.next === 'drop') await again(() => steps.drop(partitionId));
}
