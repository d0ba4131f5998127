import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { LocalStateMachine } from '../../local/step-functions/load-state-machine.ts';
import {
  redriveExecution,
  runExecution,
  type ExecutionOptions,
  type ExecutionResult,
} from '../../local/step-functions/run-execution.ts';
import { lambdaEnvironment, loadWorkflow, synthesise, type LocalDeployment } from '../../local/synthesise.ts';
import { ROLE_PASSWORD, type Archiver } from './archiver.ts';
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

/** Deploys to the local stack: one `cdk synth` for the test file. */
export function useStateMachine(
  archiver: () => Pick<Archiver, 'bucket' | 'database'>,
  partitionSets: readonly object[],
  options: Pick<LocalDeployment, 'adminSecretArn'> = {},
): () => DeployedMachine {
  let machine: LocalStateMachine | undefined;
  let directory = '';

  const deployment = () => {
    const { bucket, database } = archiver();
    return { directory, bucket, database: database.name, partitionSets, ...options };
  };
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'state-machine-'));
    machine = await synthesise(stack(), deployment());
    await putSecrets(machine);
  }, 180_000);
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  return () => {
    if (machine === undefined) throw new Error('the state machine exists only while tests run');
    return executable(machine, (name) => loadWorkflow(stack(), deployment(), name));
  };
}

function executable(machine: LocalStateMachine, load: (name: string) => LocalStateMachine): DeployedMachine {
  const common = { environment: lambdaEnvironment(stack()), retryIntervalMs: RETRY_INTERVAL_MS };
  return {
    machine,
    execute: (input = {}, options = {}) => runExecution(machine, input, { ...common, ...options }),
    redrive: (failed) => redriveExecution(machine, failed, common),
    workflow: (name) => executable(load(name), load),
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
