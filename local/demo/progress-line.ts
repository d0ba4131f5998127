import type { HistoryEvent } from '../step-functions/run-execution.ts';

/** What a state asks of a function; of its input, what says which work it is for. */
interface StepCall {
  readonly input: { readonly partitionId?: number; readonly segmentNumber?: number };
}

/** One line for a step that ended: its state, its partition and segment, and how long it took. */
export function progressLine(event: HistoryEvent, nameOf: (id: number) => string): string | undefined {
  if (event.type === 'LambdaFunctionFailed' || event.type === 'LambdaFunctionTimedOut') {
    return `  ✗ ${event.state}: ${event.error}`;
  }
  if (event.type !== 'LambdaFunctionSucceeded') return undefined;
  const { partitionId, segmentNumber } = (event.payload as StepCall).input;
  const what = [
    ...(partitionId === undefined ? [] : [nameOf(partitionId)]),
    ...(segmentNumber === undefined ? [] : [`segment ${String(segmentNumber)}`]),
  ].join(', ');
  const took = `${(event.durationMs / 1000).toFixed(1)} s`;
  return `  ✓ ${event.state.padEnd(12)} ${what.padEnd(32)} ${took}`;
}
