import { describe, expect, test } from '@jest/globals';
import { resources, roleStatements, synthesise, type PolicyStatement } from '../synthesise.ts';

const template = synthesise();
const ALL = roleStatements(template);

/** Statements of all policies that are attached to a role, by the beginning of the role's logical id. */
function statementsOf(rolePrefix: string): PolicyStatement[] {
  return ALL.filter(({ role }) => role.startsWith(rolePrefix)).map(({ statement }) => statement);
}

/** What of a service a role may do, each action with what it may be done to, readable. */
function allowed(rolePrefix: string, service: string): string[] {
  return statementsOf(rolePrefix)
    .flatMap(({ Action, Resource }) =>
      [Action].flat().flatMap((action) => [Resource].flat().map((each) => `${action} ${readable(each)}`)),
    )
    .filter((line) => line.startsWith(`${service}:`))
    .sort();
}

/** ARNs as text: `<bucket>/shop/*`. */
function readable(resource: unknown): string {
  if (typeof resource === 'string') return resource;
  const { 'Fn::GetAtt': attribute, 'Fn::Join': join, Ref: reference } = resource as Record<string, unknown>;
  if (Array.isArray(join)) return (join[1] as unknown[]).map(readable).join('');
  const id = String(Array.isArray(attribute) ? attribute[0] : reference);
  return `<${id.replace(/^Archiver(Archive|Database|Functions)?/, '').replace(/[0-9A-F]{8}$/, '')}>`;
}

const SETTINGS = [
  's3:GetBucketObjectLockConfiguration <Bucket>',
  's3:GetBucketVersioning <Bucket>',
  's3:GetLifecycleConfiguration <Bucket>',
  's3:ListBucket <Bucket>',
];
const READ = ['s3:GetObject <Bucket>/shop/*', 's3:GetObjectVersion <Bucket>/shop/*'];
const KNOW = ['s3:ListBucket <Bucket>'];
const LIST = [...KNOW, 's3:ListBucketVersions <Bucket>'];
const WRITE = [
  's3:PutObject <Bucket>/shop/*/ddl/*',
  's3:PutObject <Bucket>/shop/*/manifest/*',
  's3:PutObjectVersionTagging <Bucket>/shop/*/data/*',
];
const DECRYPT = ['kms:Decrypt <Key>'];

describe.each([
  ['Preflight', 'Read', SETTINGS, []],
  ['Maintenance', 'Maintain', [], []],
  ['Detection', 'Maintain', [], []],
  ['Export', 'Read', [], []],
  ['Verification', 'Read', [...READ, ...LIST], DECRYPT],
  ['Commit', 'Read', [...READ, ...LIST, ...WRITE], [...DECRYPT, 'kms:GenerateDataKey <Key>']],
  ['Drop', 'Drop', [...READ, ...KNOW], DECRYPT],
  ['Records', 'Read', [], []],
  ['BeginRestore', 'Restore', [...READ, ...LIST], DECRYPT],
  ['Restore', 'Restore', [], []],
])('%s', (step, login, s3, kms) => {
  const role = `ArchiverFunctions${step}Role`;

  test(`logs in as archiver_${login.toLowerCase()} and reads no other secret`, () => {
    expect(allowed(role, 'secretsmanager')).toEqual([
      `secretsmanager:GetSecretValue <Archiver${login}Secret>`,
    ]);
  });

  test('may do with the archive what its step needs', () => {
    expect(allowed(role, 's3')).toEqual([...s3].sort());
    expect(allowed(role, 'kms')).toEqual(kms);
  });

  test('may do nothing else but log, trace and be in the VPC', () => {
    const services = statementsOf(role).flatMap(({ Action }) =>
      [Action].flat().map((each) => each.split(':')[0]),
    );
    const known = ['ec2', 'kms', 'logs', 's3', 'secretsmanager', 'xray'];
    expect([...new Set(services)].filter((each) => !known.includes(each ?? ''))).toEqual([]);
    expect(allowed(role, 'logs')).toEqual([
      `logs:CreateLogStream <${step}Logs>`,
      `logs:PutLogEvents <${step}Logs>`,
    ]);
  });
});

describe('the roles of the database', () => {
  test('export only adds data', () => {
    expect(allowed('ArchiverDatabaseS3ExportRole', 's3')).toEqual([
      's3:AbortMultipartUpload <Bucket>/shop/*/data/*',
      's3:PutObject <Bucket>/shop/*/data/*',
    ]);
  });

  test('import only reads data', () => {
    expect(allowed('ArchiverDatabaseS3ImportRole', 's3')).toEqual([
      's3:GetObject <Bucket>/shop/*/data/*',
      's3:ListBucket <Bucket>',
    ]);
  });

  test.each(['Export', 'Import'])('%s can be assumed for this very database only', (direction) => {
    const found = resources(template, 'AWS::IAM::Role').find(([id]) =>
      id.startsWith(`ArchiverDatabaseS3${direction}Role`),
    );
    expect(found?.[1].Properties['AssumeRolePolicyDocument']).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'rds.amazonaws.com' },
          Condition: {
            StringEquals: { 'aws:SourceAccount': '111122223333' },
            ArnEquals: {
              'aws:SourceArn': 'arn:aws:rds:eu-central-1:111122223333:cluster:orders',
            },
          },
        },
      ],
    });
  });
});

test('the key is only ever used through S3', () => {
  const uses = ALL.map(({ statement }) => statement).filter(({ Action }) =>
    [Action].flat().some((action) => action.startsWith('kms:')),
  );
  expect(uses.length).toBeGreaterThan(5);
  for (const { Condition } of uses) {
    expect(Condition).toEqual({ StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } });
  }
});

test('nobody may do everything, and nobody may delete', () => {
  const actions = ALL.flatMap(({ statement }) => [statement.Action].flat());
  expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  expect(actions.filter((action) => /^s3:.*(Delete|Bypass|Put[^O])/.test(action))).toEqual([]);
});
