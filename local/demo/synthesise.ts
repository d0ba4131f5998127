import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { LocalStack } from '../stack.ts';
import { loadStateMachine, type LocalStateMachine } from '../step-functions/load-state-machine.ts';
import { DEMO } from './environment.ts';

/** What the segments of this small a table are cut to, so that there are several. */
const SEGMENT_SIZE_MIB = 16;

/** Runs `cdk synth` on a deployment file for the local stack, and loads the state machine out of its output. */
export async function synthesise(stack: LocalStack): Promise<LocalStateMachine> {
  const file = join(stack.directory, 'partition-archiver.json');
  const output = join(stack.directory, 'cdk.out');
  writeFileSync(file, JSON.stringify(deploymentFile(stack), null, 2));
  await runCdk(['synth', '--quiet', '--output', output, '--context', `config=${file}`]);
  return loadStateMachine(output, {
    region: stack.s3.region,
    bucketName: DEMO.bucket,
    databaseHost: stack.pooler.host,
  });
}

/** As for an RDS instance; only what the Lambdas are told of it means anything here. */
function deploymentFile(stack: LocalStack): object {
  return {
    stackName: 'PartitionArchiverDemo',
    database: {
      kind: 'instance',
      identifier: 'demo',
      endpoint: stack.pooler.host,
      port: stack.pooler.port,
      name: DEMO.database,
      securityGroupIds: ['sg-0123456789abcdef0'],
    },
    network: {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['us-east-1a', 'us-east-1b'],
      privateSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
      privateSubnetRouteTableIds: ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1'],
    },
    partitionSets: [
      { schema: 'public', table: 'flights', drop: true, graceDays: 0, segmentSizeMiB: SEGMENT_SIZE_MIB },
    ],
    concurrency: { partitions: 2, segments: 2 },
  };
}

function runCdk(args: readonly string[]): Promise<void> {
  const root = resolve(import.meta.dirname, '..', '..');
  const child = spawn(process.execPath, ['node_modules/aws-cdk/bin/cdk', ...args, '--no-notices'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    // The CLI starts `node bin/app.ts`, for which the system's Node may be too old.
    env: { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}` },
  });
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  return new Promise((done, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) done();
      else reject(new Error(`cdk synth failed:\n${errors}`));
    });
  });
}
