import { describe, expect, test } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { resources, synthesise, type Resource } from './synthesise.ts';

const template = synthesise();
const agnostic = synthesise({ env: undefined });

describe('the archive bucket', () => {
  test('is versioned, locked up, encrypted and survives the stack', () => {
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        BucketName: Match.absent(),
        VersioningConfiguration: { Status: 'Enabled' },
        ObjectLockEnabled: true,
        // A default retention would make S3 ask for checksums that aws_s3 may not send.
        ObjectLockConfiguration: Match.absent(),
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [
            {
              BucketKeyEnabled: true,
              ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' },
            },
          ],
        },
      },
    });
    template.hasResource('AWS::KMS::Key', {
      DeletionPolicy: 'Retain',
      Properties: { EnableKeyRotation: true, PendingWindowInDays: 30 },
    });
  });

  test('lets nothing expire but uploads that never became an object', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: [
          {
            Id: 'AbortIncompleteUploads',
            Status: 'Enabled',
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          },
        ],
      },
    });
  });

  const policyHas = (statement: object) => {
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Effect: 'Deny', ...statement })]) },
    });
  };

  test('denies everyone to delete an object or a version', () => {
    policyHas({
      Principal: { AWS: '*' },
      Action: ['s3:BypassGovernanceRetention', 's3:DeleteObject', 's3:DeleteObjectVersion'],
      Condition: Match.absent(),
    });
  });

  test('denies everyone to come without TLS, or with an old one', () => {
    policyHas({ Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
    policyHas({ Action: 's3:*', Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } });
  });

  test('denies every role of the archiver to change its settings', () => {
    const policies = resources(template, 'AWS::S3::BucketPolicy').map(([, each]) => each.Properties);
    const statement = (
      policies[0]?.['PolicyDocument'] as { Statement: { Sid?: string; Principal: { AWS: unknown[] } }[] }
    ).Statement.find(({ Sid }) => Sid === 'DenySettingsToTheArchiver');
    // Ten functions, the export role, the import role.
    expect(statement?.Principal.AWS).toHaveLength(12);
  });
});

describe('the way to the database', () => {
  test('is a proxy that insists on TLS', () => {
    template.resourceCountIs('AWS::RDS::DBProxy', 1);
    template.hasResourceProperties('AWS::RDS::DBProxy', {
      RequireTLS: true,
      EngineFamily: 'POSTGRESQL',
      Auth: Array.from({ length: 3 }, () => Match.objectLike({ AuthScheme: 'SECRETS' })),
    });
    template.hasResourceProperties('AWS::RDS::DBProxyTargetGroup', { DBClusterIdentifiers: ['orders'] });
  });

  test('targets an instance where there is no cluster', () => {
    const instance = synthesise({
      database: {
        kind: 'instance',
        identifier: 'legacy',
        endpoint: 'legacy.abcdefghijkl.eu-central-1.rds.amazonaws.com',
        name: 'shop',
        securityGroupIds: ['sg-0123456789abcdef0'],
      },
    });
    instance.hasResourceProperties('AWS::RDS::DBProxyTargetGroup', { DBInstanceIdentifiers: ['legacy'] });
  });

  test('opens for each function alone', () => {
    const ingress = resources(template, 'AWS::EC2::SecurityGroupIngress').map(([, each]) => each.Properties);
    const sources = ingress.map(({ SourceSecurityGroupId }) => JSON.stringify(SourceSecurityGroupId));
    // Ten functions into the proxy, the proxy into the database.
    expect(new Set(sources).size).toBe(11);
    expect(ingress.every(({ CidrIp }) => CidrIp === undefined)).toBe(true);
  });

  test('has a generated login for each database role', () => {
    const secrets = resources(template, 'AWS::SecretsManager::Secret');
    const roles = ['archiver_drop', 'archiver_maintain', 'archiver_read'];
    expect(
      secrets
        .map(([, { Metadata }]) => (Metadata as Record<string, string>)['partition-archiver:database-role'])
        .sort(),
    ).toEqual(roles);
    for (const role of roles) {
      template.hasResourceProperties('AWS::SecretsManager::Secret', {
        GenerateSecretString: {
          SecretStringTemplate: JSON.stringify({ username: role }),
          GenerateStringKey: 'password',
          PasswordLength: 40,
        },
        Tags: Match.arrayWith([{ Key: 'partition-archiver:database-role', Value: role }]),
      });
    }
  });
});

describe('the functions', () => {
  const functions = resources(template, 'AWS::Lambda::Function').map(([, each]) => each.Properties);

  test('know no password, and nothing but where things are', () => {
    expect(functions).toHaveLength(10);
    for (const { Environment } of functions) {
      const { Variables } = Environment as { Variables: Record<string, unknown> };
      expect(Object.keys(Variables).sort()).toEqual([
        'ARCHIVE_BUCKET',
        'DATABASE_HOST',
        'DATABASE_NAME',
        'DATABASE_PORT',
        'DATABASE_SECRET_ARN',
      ]);
      expect(JSON.stringify(Variables)).not.toMatch(/resolve:secretsmanager|password/i);
    }
  });

  test('run in the VPC on a runtime that is supported, with tracing and a log group that ends', () => {
    for (const each of functions) {
      expect(each).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
        VpcConfig: { SubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'] },
        LoggingConfig: { LogFormat: 'JSON' },
      });
    }
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
    expect(new Set(functions.map(({ Role }) => JSON.stringify(Role))).size).toBe(10);
    expect(new Set(functions.map(({ LoggingConfig }) => JSON.stringify(LoggingConfig))).size).toBe(10);
  });
});

describe('the schedules', () => {
  test.each([
    ['cron(0 3 1 * ? *)', {}],
    ['cron(0 1 * * ? *)', { only: 'inventory' }],
    ['cron(0 5 * * ? *)', { only: 'drop' }],
  ])('%s starts %j in the time zone of the file, and failures are kept', (expression, input) => {
    template.resourceCountIs('AWS::Scheduler::Schedule', 3);
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: expression,
      ScheduleExpressionTimezone: 'Europe/Berlin',
      State: 'ENABLED',
      Target: {
        Input: JSON.stringify(input),
        DeadLetterConfig: { Arn: Match.anyValue() },
        RetryPolicy: { MaximumRetryAttempts: 10, MaximumEventAgeInSeconds: 3600 },
      },
    });
  });
});

test('failed executions, timed out ones and failed starts raise an alarm', () => {
  for (const MetricName of ['ExecutionsFailed', 'ExecutionsTimedOut', 'ApproximateNumberOfMessagesVisible']) {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName,
      Threshold: 1,
      TreatMissingData: 'notBreaching',
      AlarmActions: [Match.anyValue()],
    });
  }
  template.hasResourceProperties('AWS::SNS::Subscription', {
    Endpoint: 'dba@example.com',
    Protocol: 'email',
  });
});

test('VPC endpoints are made on request', () => {
  template.resourceCountIs('AWS::EC2::VPCEndpoint', 0);
  const config = synthesise({
    network: {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['eu-central-1a', 'eu-central-1b'],
      privateSubnetIds: ['subnet-0a', 'subnet-0b'],
      privateSubnetRouteTableIds: ['rtb-0a', 'rtb-0b'],
      createVpcEndpoints: true,
    },
  });
  config.resourceCountIs('AWS::EC2::VPCEndpoint', 2);
  config.hasResourceProperties('AWS::EC2::VPCEndpoint', {
    VpcEndpointType: 'Gateway',
    RouteTableIds: ['rtb-0a', 'rtb-0b'],
  });
});

describe('without account and Region', () => {
  test('the stack takes them from the deployment', () => {
    const text = JSON.stringify(agnostic.toJSON());
    expect(text).not.toContain('111122223333');
    expect(text).toContain('"Ref":"AWS::Region"');
  });

  test('it has the same resources under the same names', () => {
    const logicalIds = (from: typeof template) =>
      Object.keys((from.toJSON() as { Resources: object }).Resources).filter((id) => id !== 'CDKMetadata');
    expect(logicalIds(agnostic)).toEqual(logicalIds(template));
  });
});

test('the template is the one that was last looked at', () => {
  const { Resources, Outputs } = agnostic.toJSON() as Record<string, Record<string, Resource>>;
  for (const { Properties } of Object.values(Resources ?? {})) {
    if (Properties['DefinitionString'] !== undefined) {
      Properties['DefinitionString'] = readableDefinition(Properties['DefinitionString']);
    }
  }
  // Hashes of code change with every line of the handlers, and say nothing about the infrastructure.
  const scrubbed = JSON.stringify({ Resources, Outputs }).replace(/[0-9a-f]{64}/g, '<hash>');
  expect(JSON.parse(scrubbed)).toMatchSnapshot();
  expect(Object.keys(Resources ?? {})).toHaveLength(104);
});

/** The definition as an object, for a diff that can be read; the template has it as one line of text. */
function readableDefinition(definition: unknown): unknown {
  const parts = (definition as { 'Fn::Join': [string, unknown[]] })['Fn::Join'][1];
  return JSON.parse(
    parts
      .map((part) => (typeof part === 'string' ? part : `<${JSON.stringify(part).replace(/[{}"]/g, '')}>`))
      .join(''),
  );
}
