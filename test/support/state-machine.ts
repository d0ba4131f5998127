import { afterAll, beforeAll } from '@jest/globals';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { LambdaPool, type FunctionRunner } from '../../local/step-functions/lambda-pool.ts';
import type { LocalStateMachine } from '../../local/step-functions/load-state-machine.ts';
import {
  redriveExecution,
  runExecution,
  type ExecutionOptions,
  type ExecutionResult,
} from '../../local/step-functions/run-execution.ts';
import { deploymentFile, loadWorkflow, type LocalDeployment } from '../../local/synthesise.ts';
import { ask } from '../lib/synthesis/ask.ts';
import { ROLE_PASSWORD, type Archiver } from './archiver.ts';
import { lambdaEnvironment } from './lambda-environment.ts';
import { stack } from './stack.ts';

/** Retries come at once. */
const RETRY_INTERVAL_MS = 20;

/** The synthesised state machine with the synthesised bundles, on a test file's archiver. */
export interface DeployedMachine {
  readonly machine: LocalStateMachine;
  execute(input?: object, options?: Partial<ExecutionOptions>): Promise<ExecutionResult>;
  redrive(failed: ExecutionResult): Promise<ExecutionResult>;
  /** Another workflow of the same deployment, such as `reverify`. */
  workflow(name: string): DeployedMachine;
}

/** Deploys to the local stack: one synthesis for the test file. */
export function useStateMachine(
  archiver: () => Pick<Archiver, 'bucket' | 'database'>,
  partitionSets: readonly object[],
  options: Pick<LocalDeployment, 'adminSecretArn' | 'glueDatabase'> = {},
): () => DeployedMachine {
  let machine: LocalStateMachine | undefined;
  let assembly = '';
  const warm = keptWarm();

  beforeAll(async () => {
    const { name: database } = archiver().database;
    const file = deploymentFile(stack(), { database, partitionSets, ...options });
    assembly = ask({ what: 'assembly-with-code', file }) as string;
    machine = load('archive');
    await putSecrets(machine);
  });
  // Each is loaded once: to validate a definition takes a quarter of a second.
  const loaded = new Map<string, LocalStateMachine>();
  const load = (name: string): LocalStateMachine => {
    const workflow = loaded.get(name) ?? loadWorkflow(assembly, stack(), archiver().bucket, name);
    loaded.set(name, workflow);
    return workflow;
  };
  afterAll(() => warm.close());

  return () => {
    if (machine === undefined) throw new Error('the state machine exists only while tests run');
    return executable(machine, warm, load);
  };
}

function executable(
  machine: LocalStateMachine,
  warm: KeptWarm,
  load: (name: string) => LocalStateMachine,
): DeployedMachine {
  const common = { environment: lambdaEnvironment(), retryIntervalMs: RETRY_INTERVAL_MS };
  const runnerFor = (options: Partial<ExecutionOptions>): Partial<ExecutionOptions> =>
    // What another environment, its own log or an end from outside is about has processes of its own.
    ['environment', 'onLog', 'signal', 'runner'].some((option) => option in options)
      ? {}
      : { runner: warm.runner(machine.region, common.environment) };
  return {
    machine,
    execute: (input = {}, options = {}) =>
      runExecution(machine, input, { ...common, ...runnerFor(options), ...options }),
    redrive: (failed) => redriveExecution(machine, failed, { ...common, ...runnerFor({}) }),
    workflow: (name) => executable(load(name), warm, load),
  };
}

/** Processes of functions that continue from one execution to the next, as Lambda's do: most of an execution is their start. */
interface KeptWarm {
  runner(region: string, environment: Readonly<Record<string, string>>): FunctionRunner;
  close(): Promise<void>;
}

function keptWarm(): KeptWarm {
  let pool: LambdaPool | undefined;
  return {
    runner: (region, environment) => {
      pool ??= new LambdaPool({
        environment: { AWS_REGION: region, AWS_DEFAULT_REGION: region, ...environment },
      });
      const all = pool;
      // An execution closes its runner.
      return { invoke: (...invocation) => all.invoke(...invocation), close: () => Promise.resolve() };
    },
    close: async () => pool?.close(),
  };
}

async function putSecrets({ secrets }: LocalStateMachine): Promise<void> {
  for (const [role, arn] of Object.entries(secrets)) {
    await putSecret(arn, { username: role, password: ROLE_PASSWORD });
  }
}

/** Puts a secret where the functions look for it. */
export async function putSecret(arn: string, login: { username: string; password: string }): Promise<void> {
  const { s3, secrets } = stack();
  const client = new SecretsManagerClient({
    region: s3.region,
    endpoint: secrets.endpoint,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });
  await client.send(new PutSecretValueCommand({ SecretId: arn, SecretString: JSON.stringify(login) }));
  client.destroy();
}
