import type { LocalStack } from '../stack.ts';
import type { LocalStateMachine } from '../step-functions/load-state-machine.ts';
import { runExecution, type ExecutionResult, type HistoryEvent } from '../step-functions/run-execution.ts';
import { lambdaEnvironment } from '../synthesise.ts';
import { DEMO, withDatabase } from './environment.ts';

/** Starts an execution of the state machine, with the local stack in place of AWS, and says what happens. */
export async function execute(
  machine: LocalStateMachine,
  stack: LocalStack,
  say: (line: string) => void,
): Promise<ExecutionResult> {
  const names = await partitionNames(stack);
  return runExecution(
    machine,
    {},
    {
      environment: lambdaEnvironment(stack),
      onEvent: (event) => {
        if (event.type === 'LambdaFunctionSucceeded' && event.state === 'Detect') names.refresh();
        const line = describe(event, names.of);
        if (line !== undefined) say(line);
      },
    },
  );
}

/** Names of the partitions by their ids in the ledger; those that are detected now are not in it before the run. */
async function partitionNames(
  stack: LocalStack,
): Promise<{ readonly of: (id: number) => string; readonly refresh: () => void }> {
  let names = new Map<number, string>();
  const read = (): Promise<void> =>
    withDatabase(stack, DEMO.database, async (sql) => {
      const rows = await sql<{ id: number; name: string }[]>`
        select id::integer as id, table_name as name from partition_archiver.partition`;
      names = new Map(rows.map(({ id, name }) => [id, name]));
    });
  await read();
  return {
    of: (id) => names.get(id) ?? `partition ${String(id)}`,
    refresh: () => void read(),
  };
}

interface Payload {
  readonly partition?: number;
  readonly segment?: number;
}

function describe(event: HistoryEvent, nameOf: (id: number) => string): string | undefined {
  if (event.type === 'LambdaFunctionFailed' || event.type === 'LambdaFunctionTimedOut') {
    return `  ✗ ${event.state}: ${event.error}`;
  }
  if (event.type !== 'LambdaFunctionSucceeded') return undefined;
  const { partition, segment } = event.payload as Payload;
  const what = [
    ...(partition === undefined ? [] : [nameOf(partition)]),
    ...(segment === undefined ? [] : [`segment ${String(segment)}`]),
  ].join(', ');
  const took = `${(event.durationMs / 1000).toFixed(1)} s`;
  return `  ✓ ${event.state.padEnd(12)} ${what.padEnd(32)} ${took}`;
}
