import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExportWay } from '../../core/config/partition-set.ts';
import { lambdaEnvironment, synthesise } from '../../local/synthesise.ts';
import type { LocalFunction, LocalStateMachine } from '../../local/step-functions/load-state-machine.ts';
import { runExecution } from '../../local/step-functions/run-execution.ts';
import { BENCH, type Environment } from './environment.ts';
import { statFields, TICKS } from './server-cpu.ts';
import { NARROW } from './tables.ts';

/** The proof that takes more. */
const MOST = { aws_s3: {}, stream: { proof: 'two-readings' } } as const;

const synthesised = new Map<ExportWay, Promise<LocalStateMachine>>();

/** The state machine and its Lambda bundles, as `cdk synth` makes them; once a run for each way of export. */
export function stateMachine(
  environment: Environment,
  way: ExportWay = 'aws_s3',
): Promise<LocalStateMachine> {
  const known = synthesised.get(way) ?? deploy(environment, way);
  synthesised.set(way, known);
  return known;
}

async function deploy(
  { stack, directory: parent, sql }: Environment,
  way: ExportWay,
): Promise<LocalStateMachine> {
  const directory = join(parent, way);
  mkdirSync(directory, { recursive: true });
  const machine = await synthesise(stack, {
    directory,
    database: BENCH.database,
    bucket: BENCH.bucket,
    // One segment however many rows there are, so that a segment's size is what varies.
    partitionSets: [
      {
        schema: 'app',
        table: NARROW.name,
        export: way,
        ...MOST[way],
        drop: true,
        graceDays: 0,
        segmentSizeMiB: 3072,
      },
    ],
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

/** What the process of a function has used since its start. */
export interface Usage {
  /** The most memory that it ever had. */
  readonly mib: number;
  readonly cpuSeconds: number;
}

/** Runs an execution and returns what the process of each state has used. */
export async function usageOfExecution(
  environment: Environment,
  way?: ExportWay,
): Promise<ReadonlyMap<string, Usage>> {
  const machine = await stateMachine(environment, way);
  const processes = new Map<string, number>();
  const usages = new Map<string, Usage>();
  const result = await runExecution(
    machine,
    { partitionSets: [`app.${NARROW.name}`] },
    {
      environment: lambdaEnvironment(environment.stack),
      onInvoke: ({ requestId, pid }) => processes.set(requestId, pid),
      onEvent: (event) => {
        if (event.type !== 'LambdaFunctionSucceeded') return;
        const { mib, cpuSeconds } = usageOf(processes.get(event.requestId));
        const before = usages.get(event.state);
        usages.set(event.state, {
          mib: Math.max(before?.mib ?? 0, mib),
          cpuSeconds: Math.max(before?.cpuSeconds ?? 0, cpuSeconds),
        });
      },
    },
  );
  if (result.status !== 'SUCCEEDED') {
    throw new Error(`the execution ended as ${result.status}: ${result.error ?? ''} ${result.cause ?? ''}`);
  }
  return usages;
}

/** The kernel's own high-water mark, which no sampling can miss; the process waits for its next invocation by now. */
function usageOf(pid: number | undefined): Usage {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  const [user, system] = statFields(String(pid))?.slice(11, 13).map(Number) ?? [];
  return {
    mib: Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024,
    cpuSeconds: ((user ?? NaN) + (system ?? NaN)) / TICKS,
  };
}
