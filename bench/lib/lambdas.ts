import { readFileSync } from 'node:fs';
import { lambdaEnvironment, synthesise } from '../../local/synthesise.ts';
import type { LocalFunction, LocalStateMachine } from '../../local/step-functions/load-state-machine.ts';
import { runExecution } from '../../local/step-functions/run-execution.ts';
import { BENCH, type Environment } from './environment.ts';
import { NARROW } from './tables.ts';

let synthesised: Promise<LocalStateMachine> | undefined;

/** The state machine and its Lambda bundles, as `cdk synth` makes them; once a run. */
export function stateMachine(environment: Environment): Promise<LocalStateMachine> {
  synthesised ??= deploy(environment);
  return synthesised;
}

async function deploy({ stack, directory, sql }: Environment): Promise<LocalStateMachine> {
  const machine = await synthesise(stack, {
    directory,
    database: BENCH.database,
    bucket: BENCH.bucket,
    // One segment however many rows there are, so that a segment's size is what varies.
    partitionSets: [{ schema: 'app', table: NARROW.name, drop: true, graceDays: 0, segmentSizeMiB: 3072 }],
  });
  for (const [role, arn] of Object.entries(machine.secrets)) {
    await sql.unsafe(`alter role ${role} password '${BENCH.password}'`);
    stack.putSecret(arn, { username: role, password: BENCH.password });
  }
  return machine;
}

/** What the functions find beside the environment of the template. */
export function lambdaVariables(
  { region }: LocalStateMachine,
  { stack }: Environment,
): Record<string, string> {
  return { AWS_REGION: region, ...lambdaEnvironment(stack) };
}

/** Name of a function without what the CDK puts around it. */
export function shortName({ logicalId }: LocalFunction): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '').replace(/^.*Functions?(?=[A-Z])/, '');
}

/** Runs an execution and returns the most memory in MiB that each state's process ever had. */
export async function memoryOfExecution(environment: Environment): Promise<ReadonlyMap<string, number>> {
  const machine = await stateMachine(environment);
  const processes = new Map<string, number>();
  const peaks = new Map<string, number>();
  const result = await runExecution(
    machine,
    { partitionSets: [`app.${NARROW.name}`] },
    {
      environment: lambdaEnvironment(environment.stack),
      onInvoke: ({ requestId, pid }) => processes.set(requestId, pid),
      onEvent: (event) => {
        if (event.type !== 'LambdaFunctionSucceeded') return;
        const peak = peakMemory(processes.get(event.requestId));
        peaks.set(event.state, Math.max(peaks.get(event.state) ?? 0, peak));
      },
    },
  );
  if (result.status !== 'SUCCEEDED') {
    throw new Error(`the execution ended as ${result.status}: ${result.error ?? ''} ${result.cause ?? ''}`);
  }
  return peaks;
}

/** The kernel's own high-water mark, which no sampling can miss; the process waits for its next invocation by now. */
function peakMemory(pid: number | undefined): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
