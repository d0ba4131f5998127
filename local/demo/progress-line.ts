import type { HistoryEvent } from '../step-functions/run-execution.ts';

/** What a state asks of a function; of its input, what says which work it is for. */
interface StepCall {
  readonly input: { readonly partition?: number; readonly segment?: number };
}

/** One line for a step that ended: its state, its partition and segment, and how long it took. */
export function progressLine(event: HistoryEvent, nameOf: (id: number) => string): string | undefined {
  if (event.type === 'LambdaFunctionFailed' || event.type === 'LambdaFunctionTimedOut') {
    return `  ✗ ${event.state}: ${event.error}`;
  }
  if (event.type !== 'LambdaFunctionSucceeded') return undefined;
  const { partition, segment } = (event.payload as StepCall).input;
  const what = [
    ...(partition === undefined ? [] : [nameOf(partition)]),
    ...(segment === undefined ? [] : [`segment ${String(segment)}`]),
  ].join(', ');
  const took = `${(event.durationMs / 1000).toFixed(1)} s`;
  return `  ✓ ${event.state.padEnd(12)} ${what.padEnd(32)} ${took}`;
}
