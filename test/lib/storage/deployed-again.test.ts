/** Deployed, destroyed, and deployed again onto the kept bucket and key, as far as templates can show it. */
import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { isKept } from '../changes/refusals.ts';
import { CONFIGURATIONS } from '../configurations.ts';
import { Iam } from '../iam.ts';
import { statementsOf } from '../rules/service-access.ts';
import type { CloudTemplate } from '../rules/rule.ts';
import { resources, synthesise, withAdministrator } from '../synthesise.ts';

/** What outlives a stack: archives, what they are read with, and who came. */
const KEPT =
  /^Archiver(Archive(Bucket|Key|AccessLogs)|ArchiveBucketPolicy|ArchiveAccessLogsPolicy|TrailEvents(Policy)?)[0-9A-F]{8}$/;

describe.each(Object.entries(CONFIGURATIONS))('%s', (_, changes) => {
  const template = synthesise(changes).toJSON() as CloudTemplate;
  const all = Object.entries(template.Resources);

  test('what is kept is the archive and its logs, and nothing else', () => {
    const kept = all.filter(([, { DeletionPolicy }]) => isKept(DeletionPolicy)).map(([id]) => id);
    expect(kept.filter((id) => !KEPT.test(id))).toEqual([]);
    expect(all.map(([id]) => id).filter((id) => KEPT.test(id) && !kept.includes(id))).toEqual([]);
  });

  // Seen to fail with RemovalPolicy.RETAIN: each failed first deployment left buckets and keys behind.
  test('what a failed first deployment made goes with it', () => {
    const left = all.filter(([, { DeletionPolicy }]) => DeletionPolicy === 'Retain').map(([id]) => id);
    expect(left).toEqual([]);
  });
});

describe('on the kept bucket and key', () => {
  const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/aaaaaaaa-1111-2222-3333-444455556666';
  const BUCKET = 'the-kept-bucket';
  const first = synthesise(withAdministrator());
  const again = synthesise({ ...withAdministrator(), archive: { bucket: { name: BUCKET, keyArn: KEY } } });
  const iam = new Iam(Template.fromJSON(withKept(first, again, BUCKET)));

  test('makes no bucket and no key for archives', () => {
    expect(resources(again, 'AWS::S3::Bucket')).toEqual([]);
    expect(resources(again, 'AWS::S3::BucketPolicy')).toEqual([]);
    expect(resources(again, 'AWS::KMS::Key').map(([id]) => id)).toEqual([
      expect.stringMatching(/^ArchiverAlarmsTopicKey/),
    ]);
  });

  const roleOf = (name: string) => iam.roles.find((id) => id.startsWith(name)) ?? '';

  // Seen to fail with a statement of denySettings that denies PutObject.
  test.each([
    ['ArchiverDatabaseS3ExportRole', 's3:PutObject', 'data/1-0.tsv'],
    ['ArchiverFunctionsCommitRole', 's3:PutObject', 'manifest/1.json'],
    ['ArchiverFunctionsDropRole', 's3:GetObjectVersion', 'data/1-0.tsv'],
    ['ArchiverFunctionsVerificationRole', 's3:GetObjectVersion', 'data/1-0.tsv'],
    ['ArchiverFunctionsBeginRestoreRole', 's3:GetObjectVersion', 'ddl/1.sql'],
    ['ArchiverDatabaseS3ImportRole', 's3:GetObject', 'data/1-0.tsv'],
  ])('%s may %s, by the kept policy, and decrypt', (name, action, object) => {
    const resource = `arn:aws:s3:::${BUCKET}/shop/public/orders/202101/${object}`;
    expect(iam.isAllowed(roleOf(name), { action, resource })).toBe(true);
    const context = { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' };
    expect(iam.isAllowed(roleOf(name), { action: 'kms:Decrypt', resource: KEY, context })).toBe(true);
  });

  test.each([
    [
      'delete an archive',
      's3:DeleteObjectVersion',
      `arn:aws:s3:::${BUCKET}/shop/public/orders/202101/data/1-0.tsv`,
    ],
    ['change the policy', 's3:PutBucketPolicy', `arn:aws:s3:::${BUCKET}`],
    ['change the lifecycle', 's3:PutLifecycleConfiguration', `arn:aws:s3:::${BUCKET}`],
  ])('no role may %s, whatever else it is allowed', (_, action, resource) => {
    const all = { Effect: 'Allow', Action: 's3:*', Resource: '*' } as const;
    const allowed = iam.roles.filter((role) => iam.isAllowed(role, { action, resource }, [all]));
    expect(allowed).toEqual([]);
  });

  test('the kept key leaves the decision to IAM', () => {
    const key = resources(first, 'AWS::KMS::Key').find(([id]) => id.startsWith('ArchiverArchiveKey'));
    const [statement, ...more] = statementsOf(key?.[1].Properties['KeyPolicy']);
    expect(more).toEqual([]);
    expect(statement).toMatchObject({ Effect: 'Allow', Action: 'kms:*' });
    expect(JSON.stringify(statement?.Principal)).toContain(':root');
  });
});

/** The second template beside the bucket and the policy that the first stack left behind. */
function withKept(first: Template, again: Template, bucket: string): Record<string, unknown> {
  const [left, made] = [first, again].map((template) => template.toJSON() as CloudTemplate);
  const kept = Object.entries(left!.Resources).filter(([id]) =>
    /^ArchiverArchiveBucket(Policy)?[0-9A-F]/.test(id),
  );
  const [id = ''] = kept.find(([, { Type }]) => Type === 'AWS::S3::Bucket') ?? [];
  const policies = kept.filter(([, { Type }]) => Type === 'AWS::S3::BucketPolicy');
  const text = JSON.stringify({ [id]: { Type: 'AWS::S3::Bucket' }, ...Object.fromEntries(policies) });
  const renamed = JSON.parse(text.replaceAll(`"${id}"`, `"${bucket}"`)) as CloudTemplate['Resources'];
  return { ...made, Resources: { ...made!.Resources, ...renamed } };
}
