import { readFileSync } from 'node:fs';
import { describe, expect, jest, test } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import type { Context } from 'aws-lambda';
import { ArchiverError } from '../../core/errors.ts';
import { timed } from '../../lambdas/runtime/timed.ts';
import { deploymentOf, FUNCTION_NAMES } from '../../lib/functions/function-table.ts';
import {
  ADMIN_SECRET_ARN,
  databaseVariables,
  exampleConfig,
  resources,
  roleStatements,
  synthesise,
  withAdministrator,
} from './synthesise.ts';

type LifecycleRule = Readonly<Record<string, unknown>>;

const template = synthesise();
/** The example has no secret of an administrator. */
const FUNCTIONS_MADE = FUNCTION_NAMES.map(deploymentOf).filter(
  ({ login, exports: way = 'aws_s3', converts = false, catalog = false }) =>
    login !== 'administrator' && way === 'aws_s3' && !converts && !catalog,
);
const IN_VPC = FUNCTIONS_MADE.filter(({ login }) => login !== 'none');
const agnostic = synthesise({ env: undefined });

describe('the archive bucket', () => {
  test('is versioned, locked up, encrypted and survives the stack', () => {
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'RetainExceptOnCreate',
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
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: { EnableKeyRotation: true, PendingWindowInDays: 30 },
    });
  });

  test('lets nothing expire but uploads that never became an object, and old versions of the page', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: [
          {
            Id: 'AbortIncompleteUploads',
            Status: 'Enabled',
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          },
          {
            Id: 'ExpireOldPages',
            Status: 'Enabled',
            TagFilters: [{ Key: 'partition-archiver', Value: 'page' }],
            NoncurrentVersionExpiration: { NoncurrentDays: 30 },
          },
        ],
      },
    });
  });

  test('moves to colder storage what is proven data, and nothing else', () => {
    const tiers = { standardIaDays: 30, glacierInstantRetrievalDays: 90, glacierDeepArchiveDays: 365 };
    synthesise({ archive: { tiers } }).hasResourceProperties('AWS::S3::Bucket', {
      VersioningConfiguration: { Status: 'Enabled' },
      LifecycleConfiguration: {
        Rules: [
          Match.objectLike({ Id: 'AbortIncompleteUploads' }),
          Match.objectLike({ Id: 'ExpireOldPages' }),
          {
            Id: 'MoveProvenData',
            Status: 'Enabled',
            TagFilters: [{ Key: 'partition-archiver', Value: 'proven' }],
            Transitions: [
              { StorageClass: 'STANDARD_IA', TransitionInDays: 30 },
              { StorageClass: 'GLACIER_IR', TransitionInDays: 90 },
              { StorageClass: 'DEEP_ARCHIVE', TransitionInDays: 365 },
            ],
          },
        ],
      },
    });
  });

  test('lets proven data and its copies expire as configured: the marker first, the bytes later', () => {
    const rules = (archive: object) => {
      const found = resources(synthesise({ archive }), 'AWS::S3::Bucket').find(
        ([, { Properties }]) => Properties['ObjectLockEnabled'] === true,
      );
      const { Rules } = found?.[1].Properties['LifecycleConfiguration'] as { Rules: LifecycleRule[] };
      return Rules;
    };
    const always = ['AbortIncompleteUploads', 'ExpireOldPages'].map((Id) => expect.objectContaining({ Id }));
    const expire = {
      Id: 'ExpireProvenData',
      Status: 'Enabled',
      TagFilters: [{ Key: 'partition-archiver', Value: 'proven' }],
      ExpirationInDays: 2555,
    };
    const copies = {
      ...expire,
      Id: 'ExpireCopies',
      TagFilters: [{ Key: 'partition-archiver', Value: 'copy' }],
    };
    expect(rules({ expiry: { days: 2555 } })).toEqual([...always, expire, copies]);
    expect(
      rules({ objectLock: { days: 2555 }, expiry: { days: 2555, deleteVersionsAfterDays: 30 } }),
    ).toEqual([
      ...always,
      { ...expire, NoncurrentVersionExpiration: { NoncurrentDays: 30 } },
      { ...copies, NoncurrentVersionExpiration: { NoncurrentDays: 30 } },
      { Id: 'TidyDeleteMarkers', Status: 'Enabled', ExpiredObjectDeleteMarker: true },
    ]);
  });

  test('keeps a log of who came, unless it is switched off', () => {
    template.resourceCountIs('AWS::S3::Bucket', 2);
    template.hasResourceProperties('AWS::S3::Bucket', {
      ObjectLockEnabled: true,
      LoggingConfiguration: { DestinationBucketName: Match.anyValue() },
    });
    synthesise({ archive: { accessLogs: false } }).resourceCountIs('AWS::S3::Bucket', 1);
  });

  test.each([
    [
      'a new bucket',
      { dataEvents: true },
      { 'Fn::GetAtt': [expect.stringMatching(/^ArchiverArchiveBucket/), 'Arn'] },
    ],
    [
      'a given one',
      {
        dataEvents: true,
        bucket: { name: 'company-archive', keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/0' },
      },
      'arn:aws:s3:::company-archive',
    ],
  ])('has a trail of who read or wrote what, if asked for, of %s', (_, archive, arn) => {
    template.resourceCountIs('AWS::CloudTrail::Trail', 0);
    const [[, trail] = ['', undefined]] = resources(synthesise({ archive }), 'AWS::CloudTrail::Trail');
    const [selector] = trail?.Properties['EventSelectors'] as { DataResources: { Values: unknown[] }[] }[];
    expect(trail?.Properties).toMatchObject({ EnableLogFileValidation: true, IsLogging: true });
    expect(trail?.Properties['EventSelectors']).toHaveLength(1);
    expect(selector).toMatchObject({ IncludeManagementEvents: false, ReadWriteType: 'All' });
    const [value] = selector?.DataResources[0]?.Values ?? [];
    // Of this database only.
    const whole = typeof arn === 'string' ? `${arn}/shop/` : { 'Fn::Join': ['', [arn, '/shop/']] };
    expect(value).toEqual(whole);
  });

  test('may be encrypted with a key that is there already', () => {
    const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/0f0e0d0c-0000-0000-0000-000000000000';
    const given = synthesise({ archive: { keyArn } });
    given.hasResourceProperties('AWS::S3::Bucket', {
      ObjectLockEnabled: true,
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn } },
        ],
      },
    });
    // That of the topic is left.
    given.resourceCountIs('AWS::KMS::Key', 1);
  });

  test('may be one that is there already, with its own key', () => {
    const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/0f0e0d0c-0000-0000-0000-000000000000';
    const given = synthesise({ archive: { bucket: { name: 'company-archive', keyArn } } });
    given.resourceCountIs('AWS::S3::Bucket', 0);
    given.resourceCountIs('AWS::S3::BucketPolicy', 0);
    const exports = roleStatements(given).filter(({ role }) => role.includes('DatabaseS3ExportRole'));
    expect(exports.map(({ statement }) => statement)).toEqual([
      expect.objectContaining({
        Action: ['s3:AbortMultipartUpload', 's3:PutObject'],
        Resource: 'arn:aws:s3:::company-archive/shop/*/data/*',
      }),
      expect.objectContaining({ Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: keyArn }),
    ]);
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
    // By a tag: a policy that stays with the bucket could not be edited any more once roles that it names are gone.
    const tag = { Key: 'partition-archiver:archiver', Value: 'PartitionArchiver/Archiver' };
    policyHas({
      Sid: 'DenySettingsToTheArchiver',
      Condition: { StringEquals: { [`aws:PrincipalTag/${tag.Key}`]: tag.Value } },
    });
    // Those of the scheduler, which the CDK makes beside the archiver, have no right in the bucket.
    const roles = resources(template, 'AWS::IAM::Role').filter(([id]) => !id.startsWith('SchedulerRole'));
    for (const [, { Properties }] of roles) expect(Properties['Tags']).toContainEqual(tag);
  });
});

describe('the way to the database', () => {
  test('is a proxy that insists on TLS', () => {
    template.resourceCountIs('AWS::RDS::DBProxy', 1);
    template.hasResourceProperties('AWS::RDS::DBProxy', {
      RequireTLS: true,
      EngineFamily: 'POSTGRESQL',
      Auth: Array.from({ length: 4 }, () => Match.objectLike({ AuthScheme: 'SECRETS' })),
    });
    // Its handler waits for a healthy target, which there is none before the database is prepared.
    template.resourceCountIs('AWS::RDS::DBProxyTargetGroup', 0);
    template.hasResourceProperties('Custom::DatabaseProxyTarget', {
      kind: 'cluster',
      identifier: 'orders',
      proxyName: { Ref: Match.stringLikeRegexp('Proxy') },
      maxConnectionsPercent: 20,
      maxIdleConnectionsPercent: 5,
      borrowTimeoutSeconds: 120,
    });
  });

  // Seen to fail without proxyPool in lib/partition-archiver-stack.ts.
  test('opens as many connections as the file says, and waits as long', () => {
    const { database } = exampleConfig() as { database: object };
    const proxyPool = { maxConnectionsPercent: 3, borrowTimeoutSeconds: 300 };
    synthesise({ database: { ...database, proxyPool } }).hasResourceProperties(
      'Custom::DatabaseProxyTarget',
      {
        maxConnectionsPercent: 3,
        maxIdleConnectionsPercent: 3,
        borrowTimeoutSeconds: 300,
      },
    );
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
    instance.hasResourceProperties('Custom::DatabaseProxyTarget', { kind: 'instance', identifier: 'legacy' });
  });

  test('is straight to the database where no proxy is wanted', () => {
    const { database } = exampleConfig() as { database: { endpoint: string } };
    const direct = synthesise({ database: { ...database, proxy: false } });
    direct.resourceCountIs('AWS::RDS::DBProxy', 0);
    direct.resourceCountIs('Custom::DatabaseProxyTarget', 0);
    for (const variables of databaseVariables(direct)) {
      expect(variables).toMatchObject({
        DATABASE_HOST: database.endpoint,
        NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
      });
    }
    direct.allResourcesProperties('AWS::EC2::SecurityGroupIngress', { GroupId: 'sg-0123456789abcdef0' });
  });

  // Seen to fail with a name of the path alone, which CloudFormation does not let two proxies have.
  test('is a proxy of another name where the subnets are others', () => {
    const { network } = exampleConfig() as { network: object };
    const nameOf = (privateSubnetIds: readonly string[]) =>
      resources(synthesise({ network: { ...network, privateSubnetIds } }), 'AWS::RDS::DBProxy').map(
        ([, { Properties }]) => String(Properties['DBProxyName']),
      );
    const [[one], [other]] = [nameOf(['subnet-0a', 'subnet-0b']), nameOf(['subnet-0a', 'subnet-0c'])];
    expect(one).not.toBe(other);
    expect(one).toMatch(/^[A-Za-z](?!.*--)[A-Za-z0-9-]{0,58}[a-z0-9]$/);
  });

  test('may be a proxy that is there already', () => {
    const { database } = exampleConfig() as { database: object };
    const proxy = {
      endpoint: 'orders.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com',
      securityGroupIds: ['sg-0a1a2a3a'],
    };
    const given = synthesise({ database: { ...database, port: 6432, proxy } });
    given.resourceCountIs('AWS::RDS::DBProxy', 0);
    given.allResourcesProperties('AWS::EC2::SecurityGroupIngress', {
      GroupId: 'sg-0a1a2a3a',
      FromPort: 5432,
      ToPort: 5432,
    });
    given.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { DATABASE_HOST: proxy.endpoint, DATABASE_PORT: '5432' } },
    });
  });

  test('goes to the port of the proxy, which is always the same, and from there to that of the database', () => {
    const { database } = exampleConfig() as { database: object };
    const other = synthesise({ database: { ...database, port: 6432 } });
    const ports = resources(other, 'AWS::EC2::SecurityGroupIngress').map(([, { Properties }]) => [
      Properties['FromPort'],
      Properties['GroupId'] === 'sg-0123456789abcdef0',
    ]);
    expect(ports.filter(([, isDatabase]) => isDatabase)).toEqual([[6432, true]]);
    expect(new Set(ports.filter(([, isDatabase]) => !isDatabase).map(([port]) => port))).toEqual(
      new Set([5432]),
    );
    for (const variables of databaseVariables(other)) expect(variables['DATABASE_PORT']).toBe('5432');
  });

  describe('goes past the proxy where verify reads, if a reader is named', () => {
    const { database } = exampleConfig() as { database: object };
    const endpoint = 'orders.cluster-ro-abcdefghijkl.eu-central-1.rds.amazonaws.com';
    const at = (verifyEndpoint: object) => synthesise({ database: { ...database, verifyEndpoint } });
    const reading = at({ endpoint });

    test('which only that function and the preflight are told, and how to trust it', () => {
      const told = resources(reading, 'AWS::Lambda::Function').filter(([, { Properties }]) =>
        JSON.stringify(Properties['Environment'] ?? {}).includes('VERIFY_HOST'),
      );
      expect(told.map(([id]) => id.replace(/[0-9A-F]{8}$/, '')).sort()).toEqual([
        'ArchiverFunctionsPreflight',
        'ArchiverFunctionsVerification',
      ]);
      for (const [, { Properties }] of told) {
        expect(Properties).toMatchObject({
          Environment: {
            Variables: {
              VERIFY_HOST: endpoint,
              VERIFY_PORT: '5432',
              NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
              // Verdicts are recorded at the writer.
              DATABASE_HOST: { 'Fn::GetAtt': [expect.stringMatching(/Proxy/), 'Endpoint'] },
            },
          },
        });
      }
    });

    test.each([
      ['the database’s', {}, 'sg-0123456789abcdef0', 5432],
      ['its own', { port: 6432, securityGroupIds: ['sg-0b1b2b3b'] }, 'sg-0b1b2b3b', 6432],
    ])('through %s security groups, as no other function', (_, changes, group, port) => {
      const ingress = resources(at({ endpoint, ...changes }), 'AWS::EC2::SecurityGroupIngress')
        .map(([, { Properties }]) => Properties)
        .filter(({ GroupId }) => GroupId === group)
        .map(({ FromPort, SourceSecurityGroupId }) => [FromPort, JSON.stringify(SourceSecurityGroupId)]);
      const functions = ingress.filter(([, source]) => String(source).includes('Functions'));
      expect(functions).toEqual([[port, expect.stringContaining('FunctionsReadingSecurityGroup')]]);
    });
  });

  test('opens for the functions that log in, and for no address', () => {
    const ingress = resources(template, 'AWS::EC2::SecurityGroupIngress').map(([, each]) => each.Properties);
    // Functions that log in into the proxy, the proxy into the database.
    expect(ingress).toHaveLength(2);
    expect(ingress.every(({ CidrIp }) => CidrIp === undefined)).toBe(true);
  });

  // Seen to fail without the rules for DNS, which a VPC with DNS servers of its own needs.
  test('is where functions are let out to, besides AWS services and DNS, and nowhere else', () => {
    template.resourceCountIs('AWS::EC2::SecurityGroupEgress', 0);
    const proxy = { 'Fn::GetAtt': [expect.stringMatching(/ProxySecurityGroup/), 'GroupId'] };
    const groups = resources(template, 'AWS::EC2::SecurityGroup').filter(([id]) => id.includes('Functions'));
    const services = { CidrIp: '0.0.0.0/0', FromPort: 443, ToPort: 443 };
    const dns = { CidrIp: '0.0.0.0/0', FromPort: 53, ToPort: 53 };
    const database = { DestinationSecurityGroupId: proxy, FromPort: 5432, ToPort: 5432 };
    expect(groups.map(([, { Properties }]) => Properties['SecurityGroupEgress'])).toMatchObject([
      [services, { ...dns, IpProtocol: 'udp' }, { ...dns, IpProtocol: 'tcp' }, database],
    ]);
  });

  test('goes past the proxy for an administrator, and is open to the functions that need one', () => {
    const given = synthesise(withAdministrator());
    const functions = resources(given, 'AWS::Lambda::Function').filter(([, { Properties }]) =>
      JSON.stringify(Properties['Environment'] ?? {}).includes(ADMIN_SECRET_ARN),
    );
    expect(functions.map(([id]) => id.replace(/[0-9A-F]{8}$/, '')).sort()).toEqual([
      'ArchiverFunctionsAdministration',
      'ArchiverFunctionsPrepareDatabase',
    ]);
    for (const [, { Properties }] of functions) {
      const { Variables } = Properties['Environment'] as { Variables: Record<string, unknown> };
      expect(Variables).toMatchObject({
        DATABASE_HOST: 'orders.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com',
        NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
      });
    }
    const sources = resources(given, 'AWS::EC2::SecurityGroupIngress')
      .map(([, { Properties }]) => Properties)
      .filter(({ GroupId }) => GroupId === 'sg-0123456789abcdef0')
      .map(({ SourceSecurityGroupId }) =>
        JSON.stringify(SourceSecurityGroupId).replace(/[0-9A-F]{8}.*$/, ''),
      );
    expect(sources.filter((source) => source.includes('Functions'))).toEqual([
      expect.stringContaining('AdministratorSecurityGroup'),
    ]);
    const without = resources(template, 'AWS::StepFunctions::StateMachine').map(([id]) => id);
    expect(without.join()).not.toMatch(/PrepareDatabase|Inspect|PartitionTable/);
    expect(without.join()).toMatch(/SetupAdopt/);
  });

  test('has a generated login for each database role', () => {
    const secrets = resources(template, 'AWS::SecretsManager::Secret');
    const roles = ['archiver_drop', 'archiver_maintain', 'archiver_read', 'archiver_restore'];
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

describe('the roles of aws_s3', () => {
  test('are attached to the database one after the other', () => {
    const attachments = resources(template, 'Custom::DatabaseFeatureRole');
    const of = (feature: string) =>
      attachments.find(([, { Properties }]) => Properties['feature'] === feature) ?? ['', undefined];
    const [exportId, exporting] = of('s3Export');
    const [, importing] = of('s3Import');
    expect(attachments).toHaveLength(2);
    expect(exporting?.Properties).toMatchObject({ kind: 'cluster', identifier: 'orders' });
    // RDS refuses to attach the second while it is busy with the first.
    expect(importing?.['DependsOn']).toContain(exportId);
    // Without its rights the handler would fail; it needs them until the resource is deleted.
    expect(exporting?.['DependsOn']).toEqual([expect.stringMatching(/^ArchiverChangesHandlerRole/)]);
  });

  test('may be roles that are attached already, which are let into the archive and not touched otherwise', () => {
    const { database } = exampleConfig() as { database: object };
    const attachedS3Roles = {
      exportRoleArn: 'arn:aws:iam::111122223333:role/first-export',
      importRoleArn: 'arn:aws:iam::111122223333:role/first-import',
    };
    const second = synthesise({ database: { ...database, attachedS3Roles } });
    second.resourceCountIs('Custom::DatabaseFeatureRole', 0);
    for (const role of ['first-export', 'first-import']) {
      second.hasResourceProperties('AWS::IAM::Policy', { Roles: [role] });
    }
  });
});

// Seen to fail without the look at the ways in the construct: the roles, and what attaches them.
describe('where every set is streamed', () => {
  const streamed = synthesise({ partitionSets: [{ schema: 'public', table: 'orders', export: 'stream' }] });
  const ids = Object.keys((streamed.toJSON() as { Resources: object }).Resources);

  test('the database gets no role, and no function calls aws_s3', () => {
    streamed.resourceCountIs('Custom::DatabaseFeatureRole', 0);
    expect(ids.filter((id) => /DatabaseS3|FunctionsExport/.test(id))).toEqual([]);
    expect(JSON.stringify(streamed.toJSON())).not.toMatch(/AddRoleToDB|s3Export|s3Import/);
    expect(ids.filter((id) => /^ArchiverFunctionsStream[0-9A-F]{8}$/.test(id))).toHaveLength(1);
  });

  test('segments are restored by COPY', () => {
    const restores = resources(streamed, 'AWS::StepFunctions::StateMachine').filter(([id]) =>
      /Restore|Drill/.test(id),
    );
    const inputs = restores.map(([, { Properties }]) => JSON.stringify(Properties));
    expect(inputs).toHaveLength(2);
    for (const input of inputs) expect(input.replaceAll('\\', '')).toContain('"by":"stream"');
  });
});

describe('the functions', () => {
  const functions = resources(template, 'AWS::Lambda::Function')
    .map(([, each]) => each.Properties)
    .filter(({ Environment }) => JSON.stringify(Environment ?? {}).includes('ARCHIVE_BUCKET'));

  test('know no password, and nothing but where things are', () => {
    expect(functions).toHaveLength(FUNCTIONS_MADE.length);
    const bucket = ['ARCHIVE_BUCKET', 'ARCHIVE_BUCKET_OWNER'];
    const everywhere = ['ARCHIVER', 'DATABASE_NAME', 'NODE_OPTIONS', 'STEPS'].concat(bucket);
    const withDatabase = ['DATABASE_HOST', 'DATABASE_PORT', 'DATABASE_SECRET_ARN'];
    for (const { Description, Environment } of functions) {
      const { Variables } = Environment as { Variables: Record<string, unknown> };
      const step = FUNCTIONS_MADE.find(({ description }) => description === Description);
      const ofProxy = step?.readsProxyHealth === true ? ['PROXY_NAME'] : [];
      const expected = [...everywhere, ...(step?.login === 'none' ? ofProxy : withDatabase)];
      expect(Object.keys(Variables).sort()).toEqual(expected.sort());
      expect(JSON.stringify(Variables)).not.toMatch(/resolve:secretsmanager|password/i);
    }
  });

  test('run, in the VPC where they log in, on a runtime that is supported, with tracing and a log group that ends', () => {
    for (const each of functions) {
      expect(each).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogFormat: 'JSON' },
      });
    }
    const inVpc = functions.filter(({ VpcConfig }) => VpcConfig !== undefined);
    expect(inVpc).toHaveLength(IN_VPC.length);
    const SubnetIds = ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'];
    for (const each of inVpc) expect(each).toMatchObject({ VpcConfig: { SubnetIds } });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
    expect(new Set(functions.map(({ Role }) => JSON.stringify(Role))).size).toBe(FUNCTIONS_MADE.length);
    expect(new Set(functions.map(({ LoggingConfig }) => JSON.stringify(LoggingConfig))).size).toBe(
      FUNCTIONS_MADE.length,
    );
  });
});

describe('the schedules', () => {
  test.each([
    ['cron(0 3 1 * ? *)', {}, 15],
    ['cron(0 1 * * ? *)', { only: 'inventory' }, 15],
    ['cron(0 5 * * ? *)', { only: 'drop' }, 15],
    ['cron(0 4 15 * ? *)', { maxMiB: 1024 }, 15],
    ['rate(1 day)', {}, 0],
  ])('%s starts %j in the time zone of the file, and failures are kept', (expression, input, minutes) => {
    template.resourceCountIs('AWS::Scheduler::Schedule', 5);
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: expression,
      ScheduleExpressionTimezone: 'Europe/Berlin',
      State: 'ENABLED',
      // Seen to fail without the window in lib/workflows/schedules.ts.
      FlexibleTimeWindow:
        minutes === 0 ? { Mode: 'OFF' } : { Mode: 'FLEXIBLE', MaximumWindowInMinutes: minutes },
      Target: {
        Input: JSON.stringify(input),
        DeadLetterConfig: { Arn: Match.anyValue() },
        RetryPolicy: { MaximumRetryAttempts: 10, MaximumEventAgeInSeconds: 3600 + 60 * minutes },
      },
    });
  });

  test('start on time where that is asked for', () => {
    const windows = resources(synthesise({ schedule: { windowMinutes: 0 } }), 'AWS::Scheduler::Schedule');
    expect(windows).toHaveLength(5);
    for (const [, { Properties }] of windows)
      expect(Properties).toMatchObject({ FlexibleTimeWindow: { Mode: 'OFF' } });
  });

  test('audit only where that is asked for, and then a sample', () => {
    const audit = 'cron(0 6 1 * ? *)';
    const start = (schedule: object) =>
      resources(synthesise({ schedule }), 'AWS::Scheduler::Schedule').find(
        ([, { Properties }]) => Properties['ScheduleExpression'] === audit,
      )?.[1].Properties['Target'];
    expect(start({ audit })).toMatchObject({
      Arn: { Ref: expect.stringMatching(/^ArchiverOperationsAudit/) },
      Input: '{"sample":{"archives":10,"segments":4}}',
    });
    expect(start({ audit, auditSample: { segments: 1 } })).toMatchObject({
      Input: '{"sample":{"segments":1}}',
    });
    expect(start({ audit, auditSample: 'all' })).toMatchObject({ Input: '{}' });
  });
});

describe('alarms', () => {
  const perExecution = { Threshold: 1, EvaluationPeriods: 1, TreatMissingData: 'notBreaching' };
  const perSet = {
    Namespace: 'PartitionArchiver',
    EvaluationPeriods: 1,
    Period: 86_400,
    TreatMissingData: 'ignore',
  };
  const AtLeast = { ComparisonOperator: 'GreaterThanOrEqualToThreshold' };
  const Below = { ComparisonOperator: 'LessThanThreshold' };
  const expected: [string, object][] = [
    ['ExecutionFailed', { MetricName: 'ExecutionsFailed', ...perExecution, ...AtLeast }],
    ['ExecutionTimedOut', { MetricName: 'ExecutionsTimedOut', ...perExecution, ...AtLeast }],
    ['ExecutionAborted', { MetricName: 'ExecutionsAborted', ...perExecution, ...AtLeast }],
    ['ExecutionThrottled', { MetricName: 'ExecutionThrottled', ...perExecution, ...AtLeast }],
    [
      'StartFailed',
      {
        MetricName: 'ApproximateNumberOfMessagesVisible',
        ...perExecution,
        ...AtLeast,
        // An idle queue sends no metrics, though the message still lies there.
        TreatMissingData: 'ignore',
      },
    ],
    [
      'ArchiveDamaged',
      { MetricName: 'ArchivesDamaged', ...perSet, ...AtLeast, Threshold: 1, Statistic: 'Maximum' },
    ],
    ['AuditFailed', { MetricName: 'ExecutionsFailed', ...perExecution, ...AtLeast }],
    [
      'PartitionsBlocked',
      { MetricName: 'BlockedPartitions', ...perSet, ...AtLeast, Threshold: 1, Statistic: 'Maximum' },
    ],
    [
      'RowsInDefault',
      { MetricName: 'RowsInDefault', ...perSet, ...AtLeast, Threshold: 1, Statistic: 'Maximum' },
    ],
    [
      'FuturePartitionsRunOut',
      { MetricName: 'FuturePartitions', ...perSet, ...Below, Threshold: 1, Statistic: 'Minimum' },
    ],
    [
      'PartitionOverdue',
      { MetricName: 'OverdueDays', ...perSet, ...AtLeast, Threshold: 40, Statistic: 'Maximum' },
    ],
    [
      'ArchiveRunMissed',
      { MetricName: 'DaysSinceArchiveRun', ...perSet, ...AtLeast, Threshold: 40, Statistic: 'Maximum' },
    ],
    ['DrillFailed', { MetricName: 'ExecutionsFailed', ...perExecution, ...AtLeast }],
    [
      'DrillMissed',
      { MetricName: 'DaysSinceSuccessfulDrill', ...perSet, ...AtLeast, Threshold: 40, Statistic: 'Minimum' },
    ],
    [
      'AuditMissed',
      { MetricName: 'DaysSinceSuccessfulAudit', ...perSet, ...AtLeast, Threshold: 30, Statistic: 'Minimum' },
    ],
    [
      'PartitioningUnfinished',
      { MetricName: 'DaysInPartitioning', ...perSet, ...AtLeast, Threshold: 7, Statistic: 'Minimum' },
    ],
  ];

  // Seen to fail with `grantEncryptDecrypt`, which adds Encrypt and ReEncrypt.
  test('are published by a service that may do with the key of the topic what AWS documents, and no more', () => {
    const keys = resources(template, 'AWS::KMS::Key').filter(([id]) => id.includes('TopicKey'));
    const statements = keys.flatMap(
      ([, { Properties }]) => (Properties['KeyPolicy'] as { Statement: Record<string, unknown>[] }).Statement,
    );
    const cloudWatch = statements.filter(({ Principal }) => JSON.stringify(Principal).includes('cloudwatch'));
    expect(cloudWatch).toMatchObject([{ Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey*'] }]);
  });

  const schedule = { audit: 'cron(0 6 ? * SUN *)' };
  const watched = synthesise({ schedule, alarms: { missedAuditDays: 30 } });

  test.each(expected)('%s says what it is, to the topic', (id, properties) => {
    const alarms = resources(watched, 'AWS::CloudWatch::Alarm').filter(([logicalId]) =>
      logicalId.startsWith(`ArchiverAlarms${id}`),
    );
    expect(alarms.map(([, each]) => each.Properties)).toEqual([expect.objectContaining(properties)]);
    const [topic] = resources(watched, 'AWS::SNS::Topic').map(([logicalId]) => ({ Ref: logicalId }));
    expect(alarms[0]?.[1].Properties).toMatchObject({
      AlarmActions: [topic],
      AlarmDescription: expect.stringMatching(/^\[(mail|page)\] .{40,}\.$/),
    });
    // That a failed execution is over is no news.
    const pages = String(alarms[0]?.[1].Properties['AlarmDescription']).startsWith('[page]');
    expect(alarms[0]?.[1].Properties['OKActions']).toEqual(pages ? [topic] : undefined);
  });

  // Seen to fail without: severityOf in lib/monitoring/alarms.ts (all went to the topic of those that mail).
  test('those that page go to a topic of their own, where there is one', () => {
    const [topicArn, pageTopicArn] = ['dba', 'pager'].map(
      (name) => `arn:aws:sns:eu-central-1:111122223333:${name}`,
    );
    const apart = synthesise({ schedule, alarms: { topicArn, pageTopicArn } });
    const to = (topic: unknown) =>
      resources(apart, 'AWS::CloudWatch::Alarm')
        .filter(
          ([, { Properties }]) => JSON.stringify(Properties['AlarmActions']) === JSON.stringify([topic]),
        )
        .map(([id, { Properties }]) => [
          id.replace(/^ArchiverAlarms|[0-9A-F]{8}$/g, ''),
          Properties['AlarmDescription'],
        ]);
    const mails = to(topicArn);
    expect(
      mails
        .map(([id]) => id)
        .filter((id) => !String(id).startsWith('OperationInterrupted'))
        .sort(),
    ).toEqual([
      'AuditFailed',
      'ExecutionAborted',
      'ExecutionFailed',
      'ExecutionThrottled',
      'ExecutionTimedOut',
    ]);
    for (const [, description] of mails) expect(description).toMatch(/^\[mail\]/);
    const pages = to(pageTopicArn);
    for (const [, description] of pages) expect(description).toMatch(/^\[page\]/);
    // NoRun, Settled and NoHeartbeat have no action; the composite alarms have.
    expect(mails.length + pages.length).toBe(resources(apart, 'AWS::CloudWatch::Alarm').length - 3);
    apart.hasResourceProperties('AWS::CloudWatch::CompositeAlarm', {
      AlarmActions: [pageTopicArn],
      AlarmDescription: Match.stringLikeRegexp('^\\[page\\]'),
    });
  });

  /** Without the state machine of the CDK's framework, which polls during a deployment. */
  const workflowsOf = (of: typeof template): string[] =>
    resources(of, 'AWS::StepFunctions::StateMachine')
      .map(([id]) => id)
      .filter((id) => !id.startsWith('ArchiverChanges'));

  // Seen to fail without: otherWorkflows in lib/partition-archiver.ts (Archive alone was watched).
  test('hear of each workflow whose execution was aborted, timed out or throttled', () => {
    const watchedMachines = JSON.stringify(
      resources(template, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => [
        Properties['Dimensions'],
        Properties['Metrics'],
        Properties['MetricName'],
      ]),
    );
    for (const id of workflowsOf(template)) {
      const count = watchedMachines.split(JSON.stringify({ Ref: id })).length - 1;
      expect([id, count >= 3]).toEqual([id, true]);
    }
  });

  test('are these and no others', () => {
    // Each of OperationInterrupted watches three.
    const others = (of: typeof template): number => Math.ceil((workflowsOf(of).length - 1) / 3);
    // NoRun, Settled and NoHeartbeat.
    const partsOfMissed = 3;
    const all = expected.length + partsOfMissed;
    watched.resourceCountIs('AWS::CloudWatch::Alarm', all + others(watched));
    // Nobody misses an audit that is not scheduled.
    template.resourceCountIs('AWS::CloudWatch::Alarm', all - 1 + others(template));
    const config = {
      alarms: { futurePartitions: 0, overdueDays: 7, missedRunDays: 3 },
      // Nor a drill.
      drill: undefined,
    };
    const other = synthesise(config);
    other.resourceCountIs('AWS::CloudWatch::Alarm', all - 3 + others(other));
    other.resourceCountIs('AWS::Scheduler::Schedule', 4);
    other.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName: 'OverdueDays', Threshold: 7 });
    other.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'DaysSinceSuccessfulRun',
      Threshold: 3,
    });
  });

  test('look at the metrics that the functions of this very archiver publish', () => {
    const ofThis = { Name: 'Archiver', Value: 'PartitionArchiver/Archiver' };
    const alarms = resources(template, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
    const own = alarms.filter(({ Namespace }) => Namespace === 'PartitionArchiver');
    expect(own.length).toBeGreaterThan(5);
    for (const { Dimensions } of own) expect(Dimensions).toEqual([ofThis]);
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { ARCHIVER: ofThis.Value } },
    });
  });

  test('go to an encrypted topic, which CloudWatch may use the key of', () => {
    template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({ Principal: { Service: 'cloudwatch.amazonaws.com' } }),
        ]),
      },
    });
    template.hasResourceProperties('AWS::SNS::Subscription', {
      Endpoint: 'dba@example.com',
      Protocol: 'email',
    });
  });

  test('may go to a topic that is there already', () => {
    const topicArn = 'arn:aws:sns:eu-central-1:111122223333:dba';
    const other = synthesise({ alarms: { topicArn } });
    other.resourceCountIs('AWS::SNS::Topic', 0);
    for (const [id, { Properties }] of resources(other, 'AWS::CloudWatch::Alarm')) {
      const expectedActions = /NoRun|Settled|NoHeartbeat/.test(id) ? undefined : [topicArn];
      expect([id, Properties['AlarmActions']]).toEqual([id, expectedActions]);
    }
    other.allResourcesProperties('AWS::CloudWatch::CompositeAlarm', { AlarmActions: [topicArn] });
  });
});

test('the dashboard shows every set, and every alarm', () => {
  template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  const [[, dashboard] = ['', undefined]] = resources(template, 'AWS::CloudWatch::Dashboard');
  const body = JSON.stringify(dashboard?.Properties['DashboardBody']);
  for (const text of [
    'public.orders',
    'public.events',
    'ArchivedBytes',
    'FreedBytes',
    'DuePartitions',
    'BlockedPartitions',
  ]) {
    expect(body).toContain(text);
  }
  const alarms = ['Alarm', 'CompositeAlarm'].flatMap((type) =>
    resources(template, `AWS::CloudWatch::${type}`),
  );
  const heard = alarms.filter(([, { Properties }]) => Properties['AlarmActions'] !== undefined);
  expect(heard.length).toBeGreaterThan(10);
  for (const [logicalId] of heard) expect(body).toContain(logicalId);
});

// Seen to fail with message.partition and message.segment: both columns of the dashboard were always empty.
test('queries of the log name fields that a failed step logs', async () => {
  const warn = jest.spyOn(console, 'warn').mockReturnValue();
  const failing = timed('export', () => {
    throw new ArchiverError('ObjectMissing', 'k');
  });
  const ids = { execution: 'run', partitionId: 7, segmentNumber: 2 };
  const context = { getRemainingTimeInMillis: () => 60_000 } as Context;
  await expect(failing(ids, context)).rejects.toThrow('k');
  const logged = warn.mock.calls.map(([line]) => Object.keys(line as object)).flat();
  warn.mockRestore();
  const [[, dashboard] = ['', undefined]] = resources(template, 'AWS::CloudWatch::Dashboard');
  const texts = [JSON.stringify(dashboard?.Properties), readFileSync('docs/operations.md', 'utf8')];
  for (const text of texts) {
    const named = [...text.matchAll(/message\.(\w+)/g)].map(([, field]) => field);
    expect(new Set(named).size).toBeGreaterThan(3);
    expect(logged).toEqual(expect.arrayContaining(named));
  }
});

// CloudFormation takes 500 resources and 1 MB of template, a query of CloudWatch Logs 50 log groups.
test('with everything that can be asked for, it fits into one stack, and its functions into one query', () => {
  const { database } = withAdministrator();
  const { network } = exampleConfig() as { network: object };
  const verifyEndpoint = { endpoint: 'reader', securityGroupIds: ['sg-0a0a0a0a', 'sg-0b0b0b0b'] };
  const everything = synthesise({
    database: { ...database, verifyEndpoint },
    network: { ...network, createVpcEndpoints: true },
    archive: { dataEvents: true, objectLock: { days: 365 }, expiry: { days: 400 } },
    schedule: { audit: 'rate(7 days)' },
  });
  const { Resources } = everything.toJSON() as { Resources: object };
  expect(Object.keys(Resources).length).toBeLessThanOrEqual(200);
  expect(JSON.stringify(everything.toJSON()).length).toBeLessThan(800_000);
  const [[, dashboard] = ['', undefined]] = resources(everything, 'AWS::CloudWatch::Dashboard');
  const sources = JSON.stringify(dashboard?.Properties['DashboardBody']).match(/SOURCE '/g) ?? [];
  expect(sources.length).toBeGreaterThan(15);
  expect(sources.length).toBeLessThanOrEqual(50);
});

test('one subnet is enough without a proxy', () => {
  const { database } = exampleConfig() as { database: object };
  const small = synthesise({
    database: { ...database, proxy: false },
    network: {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['eu-central-1a'],
      privateSubnetIds: ['subnet-0a'],
      privateSubnetRouteTableIds: ['rtb-0a'],
    },
  });
  const subnets = resources(small, 'AWS::Lambda::Function').flatMap(([, { Properties }]) => {
    const { SubnetIds } = (Properties['VpcConfig'] ?? {}) as { SubnetIds?: string[] };
    return SubnetIds ?? [];
  });
  expect([...new Set(subnets)]).toEqual(['subnet-0a']);
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
  const rules = resources(config, 'AWS::EC2::SecurityGroup')
    .filter(([id]) => id.includes('SecretsManagerEndpoint'))
    .flatMap(([, { Properties }]) => Properties['SecurityGroupIngress'] as object[]);
  // Private DNS leads the whole VPC to it.
  expect(rules).toMatchObject([{ CidrIp: '0.0.0.0/0', FromPort: 443, ToPort: 443 }]);
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

test('without a proxy, too, Archive says why the database cannot be reached', () => {
  const { database } = exampleConfig() as { database: object };
  const direct = synthesise({ database: { ...database, proxy: false } });
  const [[, archive] = []] = resources(direct, 'AWS::StepFunctions::StateMachine').filter(([id]) =>
    id.startsWith('ArchiverWorkflowArchive'),
  );
  const definition = JSON.stringify(archive?.Properties['DefinitionString']);
  expect(definition).toContain('\\"Next\\":\\"ExplainUnavailable\\"');
});
