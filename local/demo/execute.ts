import type { LocalStack } from '../stack.ts';
import type { LocalStateMachine } from '../step-functions/load-state-machine.ts';
import { runExecution, type ExecutionResult, type HistoryEvent } from '../step-functions/run-execution.ts';
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
      environment: {
        AWS_ENDPOINT_URL_S3: stack.s3.endpoint,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: stack.secrets.endpoint,
        AWS_ACCESS_KEY_ID: stack.s3.accessKeyId,
        AWS_SECRET_ACCESS_KEY: stack.s3.secretAccessKey,
        NODE_EXTRA_CA_CERTS: stack.pooler.caFile,
      },
      onEvent: (event) => {
        const line = describe(event, names);
        if (line !== undefined) say(line);
      },
    },
  );
}

/** Names by OID order of appearance in the ledger are not known before the run, so they are looked up as they come. */
async function partitionNames(stack: LocalStack): Promise<(id: number) => string> {
  const read = (): Promise<Map<number, string>> =>
    withDatabase(stack, DEMO.database, async (sql) => {
      const rows = await sql<{ id: number; name: string }[]>`
        select id::integer as id, table_name as name from partition_archiver.partition`;
      return new Map(rows.map(({ id, name }) => [id, name]));
    });
  let names = await read();
  let reading: Promise<unknown> | undefined;
  return (id) => {
    if (!names.has(id))
      reading ??= read()
        .then((found) => (names = found))
        .finally(() => (reading = undefined));
    return names.get(id) ?? `partition ${String(id)}`;
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
