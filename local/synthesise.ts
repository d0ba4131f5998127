import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { StackCoordinates } from './stack.ts';
import { run } from './stack/commands.ts';
import { loadStateMachine, type LocalStateMachine } from './step-functions/load-state-machine.ts';

/** What is deployed to the local stack. */
export interface LocalDeployment {
  /** Where the deployment file and `cdk.out` go. */
  readonly directory: string;
  readonly database: string;
  readonly bucket: string;
  readonly partitionSets: readonly object[];
  /**
   * Secret of an administrator.
   *
   * @default - the workflows that need one are not made
   */
  readonly adminSecretArn?: string;
  /**
   * Where archives are registered for queries.
   *
   * @default - nowhere
   */
  readonly glueDatabase?: string;
}

/**
 * Synthesises a deployment file for the local stack, and loads the state machine *Archive* out of its output.
 * {@link loadWorkflow} loads others.
 */
export async function synthesise(
  stack: StackCoordinates,
  deployment: LocalDeployment,
): Promise<LocalStateMachine> {
  const file = join(deployment.directory, 'partition-archiver.json');
  const output = join(deployment.directory, 'cdk.out');
  writeFileSync(file, JSON.stringify(deploymentFile(stack, deployment), null, 2));
  // As `cdk synth` does, which itself takes a third of the time.
  await run([process.execPath, 'bin/app.ts'], {
    cwd: resolve(import.meta.dirname, '..'),
    env: { ...process.env, CDK_OUTDIR: output, CDK_CONTEXT_JSON: JSON.stringify({ config: file }) },
  });
  return loadWorkflow(output, stack, deployment.bucket, 'archive');
}

/** Loads one workflow out of a cloud assembly, by the name of its state machine: `restore-drill`. */
export function loadWorkflow(
  assembly: string,
  { s3, pooler }: StackCoordinates,
  bucketName: string,
  workflow: string,
): LocalStateMachine {
  return loadStateMachine(assembly, {
    region: s3.region,
    bucketName,
    databaseHost: pooler.host,
    workflow,
  });
}

/** What the Lambdas find instead of AWS. */
export function lambdaEnvironment({ s3, secrets, glue, pooler }: StackCoordinates): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    AWS_ENDPOINT_URL_GLUE: glue.endpoint,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    NODE_EXTRA_CA_CERTS: pooler.caFile,
  };
}

/** A deployment file, as for an RDS instance; only what the Lambdas are told of it means anything here. */
export function deploymentFile(
  { postgres, pooler, s3 }: StackCoordinates,
  { database, partitionSets, adminSecretArn, glueDatabase }: Omit<LocalDeployment, 'directory' | 'bucket'>,
): object {
  return {
    stackName: 'PartitionArchiverLocal',
    database: {
      kind: 'instance',
      identifier: 'local',
      endpoint: postgres.host,
      port: postgres.port,
      name: database,
      ...(adminSecretArn !== undefined && { adminSecretArn }),
      securityGroupIds: ['sg-0123456789abcdef0'],
      // RDS Proxy knows but one port; the pooler here has another.
      proxy: {
        endpoint: pooler.host,
        port: pooler.port,
        securityGroupIds: ['sg-0123456789abcdef1'],
      },
    },
    network: {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: [`${s3.region}a`, `${s3.region}b`],
      privateSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
      privateSubnetRouteTableIds: ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1'],
    },
    partitionSets,
    glueDatabase,
    concurrency: { partitions: 2, segments: 2 },
  };
}
