import { join } from 'node:path';
import type { Account } from './account.ts';
import type { Ended } from './ports.ts';
import { SET } from './rows.ts';
import { GLUE_DATABASE, STACK, TAG } from './terms.ts';

/** No such group: a rule in it fails to be created, after resources that the same update changed. */
const NO_GROUP = 'sg-00000000000000000';

/** Nobody is asked: the terms were accepted. */
export const DEPLOY = 'deploy --require-approval never';

/** What differs between the deployments of one run. */
export interface Change {
  /** A tag of every resource, so that each deployment updates all of them. */
  readonly deployment: 'previous' | 'current' | 'broken';
}

/** Writes the deployment file for the surroundings and returns its path. */
async function writeDeploymentFile(account: Account, { deployment }: Change): Promise<string> {
  const of = await account.surroundings();
  const { accountId, region, scratch } = account.place;
  const contents = {
    stackName: STACK,
    env: { account: accountId, region },
    database: {
      kind: 'cluster',
      identifier: of('ClusterIdentifier'),
      endpoint: of('Endpoint'),
      name: 'shop',
      securityGroupIds: [of('DatabaseGroupId'), ...(deployment === 'broken' ? [NO_GROUP] : [])],
      adminSecretArn: of('AdminSecretArn'),
    },
    network: {
      vpcId: of('VpcId'),
      availabilityZones: [of('ZoneA'), of('ZoneB')],
      privateSubnetIds: [of('SubnetIdA'), of('SubnetIdB')],
      privateSubnetRouteTableIds: [of('RouteTableIdA'), of('RouteTableIdB')],
      createVpcEndpoints: true,
    },
    partitionSets: [{ ...SET, drop: true, graceDays: 0, query: true }],
    glueDatabase: GLUE_DATABASE,
    // The daily drop would take from the steps what they are about.
    schedule: { drop: 'cron(0 5 1 * ? *)' },
    archive: { accessLogs: false },
    logRetentionDays: 1,
    tags: { [TAG.key]: TAG.value, deployment },
  };
  const path = join(scratch, `${deployment}.json`);
  account.ports.write(path, `${JSON.stringify(contents, null, 2)}\n`);
  return path;
}

/** Runs the CDK of a version, in its folder. */
export async function cdk(
  account: Account,
  folder: string,
  command: typeof DEPLOY | 'synth --json',
  change: Change,
): Promise<Ended> {
  const file = await writeDeploymentFile(account, change);
  const program = join(folder, 'node_modules/aws-cdk/bin/cdk');
  const context = [`config=${file}`, `@aws-cdk/core:bootstrapQualifier=${account.place.qualifier}`];
  return account.ports.run(
    process.execPath,
    [program, ...command.split(' '), ...context.flatMap((each) => ['-c', each])],
    folder,
  );
}

/** Deploys a version; throws unless CloudFormation ends well. */
export async function deploy(account: Account, folder: string, change: Change): Promise<void> {
  const { code, stderr } = await cdk(account, folder, DEPLOY, change);
  if (code !== 0) throw new Error(`cdk deploy: ${stderr.trim().split('\n').slice(-10).join('\n')}`);
}

/** Folder of the version that is deployed first. */
export const previousFolder = ({ place }: Account): string => join(place.scratch, 'previous');
