import type { LocalStack } from '../stack.ts';
import type { LocalStateMachine } from '../step-functions/load-state-machine.ts';
import { runExecution, type ExecutionResult } from '../step-functions/run-execution.ts';
import { lambdaEnvironment } from '../synthesise.ts';
import { DEMO, withDatabase } from './environment.ts';
import { progressLine } from './progress-line.ts';

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
        const line = progressLine(event, names.of);
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
