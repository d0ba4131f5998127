/** docs/deployer-policy.json, for the role that CloudFormation deploys with, beside the resources of the templates. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { CONFIGURATIONS } from '../lib/configurations.ts';
import { synthesise } from '../lib/synthesise.ts';

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

const read = (file: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8'));
const policy = read('../../docs/deployer-policy.json') as { readonly Statement: readonly Statement[] };

/** What CloudFormation's handlers ask for, by resource type: its registry's schemas, as cfn-lint 1.58.0 has them. */
const PERMISSIONS = read('handler-permissions.json') as Readonly<Record<string, readonly string[]>>;

/** What handlers need for properties that the templates do not have. */
const FOR_OTHER_PROPERTIES = [
  /^(codedeploy|elasticfilesystem|firehose|organizations|s3files|s3tables|vpc-lattice|vpce):/,
  /^iam:.*(Group|User)Policy$/,
  /^lambda:GetLayerVersion|^lambda:.*CodeSigningConfig|^lambda:PassCapacityProvider/,
  /^logs:(Put|Delete)(IndexPolicy|DataProtectionPolicy)$|^logs:Put(BearerTokenAuthentication|LogGroupDeletionProtection)$/,
  /^s3:(Create|Update|Delete)BucketMetadata|^s3:DeleteBucket(Analytics|Cors|Encryption|Lifecycle|Metrics|Replication|Website)/,
  /^s3:(DeleteObject|PutObjectAcl|REST\.PUT\.OBJECT|Put.*ReplicationConfiguration|PutBucketReplication)$/,
  /^secretsmanager:(GetSecretValue|RemoveRegionsFromReplication|ReplicateSecretToRegions)$/,
  /^sns:PutDataProtectionPolicy$|^CloudTrail:PutInsightSelectors$/,
];

const list = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value;
const patterns = policy.Statement.flatMap(({ Action }) => list(Action)).map(
  (action) => new RegExp(`^${action.replaceAll('*', '.*')}$`, 'i'),
);
const isAllowed = (permission: string): boolean => patterns.some((pattern) => pattern.test(permission));

describe.each(Object.entries(CONFIGURATIONS))('the rights of the deployer suffice for %s', (_, changes) => {
  const { Resources } = synthesise(changes).toJSON() as { Resources: Record<string, { Type: string }> };
  const types = [...new Set(Object.values(Resources).map(({ Type }) => Type))].filter((type) =>
    type.startsWith('AWS::'),
  );

  test('whose resource types are known', () => {
    expect(types.filter((type) => PERMISSIONS[type] === undefined)).toEqual(
      ['AWS::CDK::Metadata'].filter((type) => types.includes(type)),
    );
  });

  // Seen to fail without "rds:CreateDBProxy" in the policy.
  test('of all of them', () => {
    const missing = types
      .flatMap((type) => (PERMISSIONS[type] ?? []).map((permission) => `${type} ${permission}`))
      .filter((line) => {
        const [, permission = ''] = line.split(' ');
        return !isAllowed(permission) && !FOR_OTHER_PROPERTIES.some((pattern) => pattern.test(permission));
      });
    expect(missing).toEqual([]);
  });
});

test('roles and policies are made, changed and passed under the name of the stack only', () => {
  const roles = policy.Statement.filter(({ Action }) =>
    list(Action).some((action) => /^(iam:|\*)/.test(action)),
  );
  for (const { Resource } of roles)
    expect(list(Resource)[0]).toMatch(/:(role|policy)\/PartitionArchiver-|:role\/aws-service-role\//);
});

test('the policy fits into a managed policy', () => {
  expect(JSON.stringify(policy).length).toBeLessThanOrEqual(6144);
});
