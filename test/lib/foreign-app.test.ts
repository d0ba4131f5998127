import { describe, expect, test } from '@jest/globals';
import {
  CfnOutput,
  CfnParameter,
  Duration,
  NestedStack,
  Stack,
  type App,
  type StackProps,
} from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import { PartitionArchiver, type PartitionArchiverProps } from '../../lib/partition-archiver.ts';
import type { ArchiveBucketProps } from '../../lib/storage/archive-bucket.ts';
import { NAMES } from './rules/names-follow-replacements.ts';
import { makeApp } from './synthesis/apps.ts';
import { resources } from './synthesise.ts';

/** Somebody else's stack, without our feature flags, with a VPC of its own, and with an archiver in it. */
function foreignStack(
  props: StackProps = {},
  before: (stack: Stack) => void = () => undefined,
): { app: App; stack: Stack; propsFor: (database: string) => PartitionArchiverProps } {
  const app = makeApp();
  const stack = new Stack(app, 'Shop', props);
  before(stack);
  // Vpc says `vpnGatewayId?: string | undefined`, IVpc `vpnGatewayId?: string`.
  const vpc = new ec2.Vpc(stack, 'Network', { maxAzs: 2 }) as ec2.IVpc;
  const propsFor = (identifier: string): PartitionArchiverProps => ({
    vpc,
    database: {
      kind: 'instance',
      identifier,
      endpoint: `${identifier}.abcdefghijkl.eu-central-1.rds.amazonaws.com`,
      databaseName: 'shop',
      securityGroupIds: ['sg-0123456789abcdef0'],
    },
    config: { partitionSets: [{ schema: 'public', table: 'orders' }] },
  });
  return { app, stack, propsFor };
}

describe('an archiver in somebody else’s app', () => {
  const { stack, propsFor } = foreignStack();
  const archiver = new PartitionArchiver(stack, 'Archiver', {
    ...propsFor('shop'),
    architecture: lambda.Architecture.X86_64,
    archive: { encryptionKey: new kms.Key(stack, 'CompanyKey'), tiers: { standardIa: Duration.days(60) } },
    alarmThresholds: { overdueDays: 10 },
  });
  // What the owner of that app would continue to do with it.
  const rotation = new lambda.Function(stack, 'Rotation', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('export const handler = () => undefined;'),
  });
  archiver.database.secret('archiver_read').addRotationSchedule('Monthly', { rotationLambda: rotation });
  new cloudwatch.Alarm(stack, 'Slow', {
    metric: archiver.metrics.metric('RunSeconds', 'Maximum'),
    threshold: 3600,
    evaluationPeriods: 1,
  });
  const template = Template.fromStack(stack);

  test('has everything in it but outputs, with that app’s VPC and key', () => {
    expect(template.findOutputs('*')).toEqual({});
    const workflows = Object.values(template.findResources('AWS::StepFunctions::StateMachine')).map(
      ({ Metadata }) => (Metadata as Record<string, string> | undefined)?.['partition-archiver:workflow'],
    );
    expect(workflows).toEqual(
      expect.arrayContaining([
        'archive',
        'restore',
        'find',
        'audit',
        'resume',
        'release',
        'reverify',
        'upgrade-ledger',
      ]),
    );
    template.resourceCountIs('AWS::Scheduler::Schedule', 4);
    template.resourceCountIs('AWS::RDS::DBProxy', 1);
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            ServerSideEncryptionByDefault: {
              KMSMasterKeyID: { 'Fn::GetAtt': [Match.stringLikeRegexp('^CompanyKey'), 'Arn'] },
            },
          },
        ],
      },
    });
    for (const [, { Properties }] of resources(template, 'AWS::Lambda::Function')) {
      expect(Properties['Architectures'] ?? ['x86_64']).toEqual(['x86_64']);
    }
  });

  test('can be given rotation, and alarms of one’s own', () => {
    template.hasResourceProperties('AWS::SecretsManager::RotationSchedule', {
      SecretId: { Ref: Match.stringLikeRegexp('^ArchiverDatabaseArchiverReadSecret') },
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'RunSeconds',
      Dimensions: [{ Name: 'Archiver', Value: 'Shop/Archiver' }],
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName: 'OverdueDays', Threshold: 10 });
  });
});

// CloudFormation takes 500 resources in a stack, of which one archiver has more than half.
test('two archivers live in one app and VPC, each with functions, metrics and a bucket of its own', () => {
  const { app, propsFor } = foreignStack();
  const stacks = ['Orders', 'Payroll'].map((name) => {
    const own = new Stack(app, name);
    new PartitionArchiver(own, 'Archiver', propsFor(name.toLowerCase()));
    return own;
  });
  const archivers = stacks.flatMap((own) => {
    const template = Template.fromStack(own);
    template.resourceCountIs('AWS::Scheduler::Schedule', 4);
    template.resourceCountIs('Custom::DatabaseFeatureRole', 2);
    return resources(template, 'AWS::Lambda::Function').flatMap(([, { Properties }]) => {
      const { Variables } = (Properties['Environment'] ?? {}) as { Variables?: Record<string, unknown> };
      return Variables?.['ARCHIVER'] ?? [];
    });
  });
  expect(new Set(archivers)).toEqual(new Set(['Orders/Archiver', 'Payroll/Archiver']));
});

// Seen to fail where names were made of the path alone, by this construct or by the CDK (composite alarms): the second deployment
// finds the names of the first taken, and both publish the same metrics.
test('one app, deployed twice under two names, has names and metrics of its own each time', () => {
  const [names, again] = ['shop-test', 'shop-production'].map((stackName) => {
    const { stack, propsFor } = foreignStack({ stackName });
    const archiver = new PartitionArchiver(stack, 'Archiver', propsFor('shop'));
    return [archiver.metrics.archiver, ...givenNames(Template.fromStack(stack))];
  });
  expect(names).toContain('shop-test/Archiver');
  expect(names).toContain('shop-test-Archive');
  expect(names).toContain('shop-test-Overview');
  expect(names).toContain('shop-test-ExecutionMissed');
  expect(names?.filter((name) => again?.includes(name))).toEqual([]);
});

test('in a nested stack it has the name of the outermost one, which is known', () => {
  const { stack, propsFor } = foreignStack();
  const nested = new NestedStack(stack, 'Archive');
  const { metrics } = new PartitionArchiver(nested, 'Archiver', propsFor('shop'));
  expect(metrics.archiver).toBe('Shop/Archive/Archiver');
});

// Seen to fail where the name had the CDK's placeholders for the subnets in it, which are numbered: a new name is a new proxy.
test('a change beside the archiver does not replace its proxy', () => {
  const [name, again] = [
    () => undefined,
    (stack: Stack) => {
      new CfnOutput(stack, 'Key', { value: new kms.Key(stack, 'Other').keyArn });
    },
  ].map((before) => {
    const { stack, propsFor } = foreignStack({}, before);
    new PartitionArchiver(stack, 'Archiver', propsFor('shop'));
    return resources(Template.fromStack(stack), 'AWS::RDS::DBProxy')[0]?.[1].Properties['DBProxyName'];
  });
  expect(name).toMatch(/^Shop-/);
  expect(again).toBe(name);
});

// Seen to fail where the CDK named the policies: a second archiver of a role took the rights of the first one away, without a word.
test('archivers of one given role have policies of their own: in one app, under two names, and in two Regions', () => {
  const account = '111122223333';
  const names = [
    { stackName: 'shop-test', env: { account, region: 'eu-central-1' } },
    { stackName: 'shop-production', env: { account, region: 'eu-central-1' } },
    { stackName: 'shop-production', env: { account, region: 'eu-west-1' } },
  ].flatMap((props) => {
    const { stack, propsFor } = foreignStack(props);
    const given = (name: string) => iam.Role.fromRoleArn(stack, name, `arn:aws:iam::${account}:role/${name}`);
    const attachedS3Roles = { exportRole: given('export'), importRole: given('import') };
    new PartitionArchiver(stack, 'Archiver', { ...propsFor('shop'), attachedS3Roles });
    return resources(Template.fromStack(stack), 'AWS::IAM::Policy').map(([, { Properties }]) =>
      JSON.stringify([Properties['Roles'], Properties['PolicyName']]),
    );
  });
  expect(names).toHaveLength(6);
  expect(new Set(names).size).toBe(6);
});

// Seen to fail where the policy was given to the role, and not the role the policy: it was put into both.
test('a given role whose policies are managed elsewhere gets none', () => {
  const { stack, propsFor } = foreignStack();
  const given = (name: string) =>
    iam.Role.fromRoleArn(stack, name, `arn:aws:iam::111122223333:role/${name}`, { mutable: false });
  const attachedS3Roles = { exportRole: given('export'), importRole: given('import') };
  new PartitionArchiver(stack, 'Archiver', { ...propsFor('shop'), attachedS3Roles });
  expect(resources(Template.fromStack(stack), 'AWS::IAM::Policy')).toEqual([]);
});

/** Names that the template gives, of which an account and Region has one of a kind. */
const givenNames = (template: Template): string[] =>
  Object.entries(NAMES).flatMap(([type, property]) =>
    resources(template, type).flatMap(([, { Properties }]) => {
      const name = Properties[property];
      return typeof name === 'string' ? name : [];
    }),
  );

// Seen to fail without the check: the stack is deployed, and each execution refuses its configuration.
test('mistakes in its configuration end the synthesis, all of them named', () => {
  const { stack, propsFor } = foreignStack();
  const partitionSets = [{ schema: 'public', table: 'orders', graceDays: -1, timeZone: 'Berlin' }];
  const props = propsFor('shop');
  const database = { ...props.database, identifier: 'Orders', databaseName: 'a/b' };
  const schedule = { archive: 'cron(0 3 1 * *)' };
  const wrong = { ...props, config: { partitionSets }, database, schedule };
  expect(() => new PartitionArchiver(stack, 'Archiver', wrong)).toThrow(
    /^the config of a PartitionArchiver: .*graceDays: -1 .*timeZone: "Berlin" .*database.identifier: "Orders" .*database.databaseName: "a\/b" .*database.endpoint: .*schedule.archive: /,
  );
});

// Seen to fail where placeholders of the CDK were checked as text.
test('a database of the same app is taken as it will be', () => {
  const { stack, propsFor } = foreignStack();
  const { vpc, ...props } = propsFor('shop');
  const cluster = new rds.DatabaseCluster(stack, 'Cluster', {
    engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_5 }),
    writer: rds.ClusterInstance.serverlessV2('Writer'),
    vpc,
  });
  const { hostname: endpoint, port } = cluster.clusterEndpoint;
  const securityGroupIds = cluster.connections.securityGroups.map((group) => group.securityGroupId);
  const named = { kind: 'cluster', identifier: cluster.clusterIdentifier, databaseName: 'shop' } as const;
  const { valueAsString: formerName } = new CfnParameter(stack, 'FormerName');
  const database = { ...named, endpoint, port, securityGroupIds, formerNames: [formerName, 'store'] };
  new PartitionArchiver(stack, 'Archiver', { ...props, vpc, database, withoutProxy: true });
  const ports = resources(Template.fromStack(stack), 'AWS::Lambda::Function').flatMap(
    ([, { Properties }]) =>
      (Properties['Environment'] as { Variables?: Record<string, unknown> } | undefined)?.Variables?.[
        'DATABASE_PORT'
      ] ?? [],
  );
  expect(ports.length).toBeGreaterThan(5);
  expect(ports[0]).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/^Cluster/), 'Endpoint.Port'] });
});

// Seen to fail without refuseAliases() in lib/storage/archive-bucket.ts: deployed, and each call of S3 is refused for want of the key.
test.each<[string, (stack: Stack, alias: kms.IKey) => ArchiveBucketProps]>([
  ['a new bucket', (_, encryptionKey) => ({ encryptionKey })],
  ['a bucket that is there', (_, encryptionKey) => ({ existing: { bucketName: 'archive', encryptionKey } })],
  [
    'older archives',
    (stack, alias) => ({ encryptionKey: new kms.Key(stack, 'Key'), formerKeyArns: [alias.keyArn] }),
  ],
])('the alias of a key is refused: of %s', (_, archive) => {
  const { stack, propsFor } = foreignStack();
  const alias = kms.Alias.fromAliasName(stack, 'Alias', 'alias/archive');
  const props = { ...propsFor('shop'), archive: archive(stack, alias) };
  expect(() => new PartitionArchiver(stack, 'Archiver', props)).toThrow(
    /:alias\/archive.* is an alias, and IAM policies need the key of the archive itself: give the kms\.Key/,
  );
});
