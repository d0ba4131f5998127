import { describe, expect, test } from '@jest/globals';
import { Duration, Stack, type App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { PartitionArchiver, type PartitionArchiverProps } from '../../lib/partition-archiver.ts';
import { makeApp } from './synthesis/apps.ts';
import { resources } from './synthesise.ts';

/** Somebody else's stack, without our feature flags, with a VPC of its own, and with an archiver in it. */
function foreignStack(): { app: App; stack: Stack; propsFor: (database: string) => PartitionArchiverProps } {
  const app = makeApp();
  const stack = new Stack(app, 'Shop');
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

// Seen to fail without the check: the stack is deployed, and each execution refuses its configuration.
test('mistakes in its configuration end the synthesis, all of them named', () => {
  const { stack, propsFor } = foreignStack();
  const partitionSets = [{ schema: 'public', table: 'orders', graceDays: -1, timeZone: 'Berlin' }];
  expect(
    () => new PartitionArchiver(stack, 'Archiver', { ...propsFor('shop'), config: { partitionSets } }),
  ).toThrow(/^the config of a PartitionArchiver: .*graceDays: -1 .*timeZone: "Berlin" /);
});
