import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
} from '@aws-sdk/client-s3';
import { parseRuntimeConfig, type RuntimeConfig } from '../../../core/config/runtime.ts';
import { useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';

const archiver = useArchiver();
const bucket = `locked-${process.pid}-${process.hrtime.bigint() % 1_000_000_000n}`;

function configWith(objectLock?: object): RuntimeConfig {
  const partitionSets = [{ schema: 'app', table: 'event', segmentSizeMiB: 1 }];
  const parsed = parseRuntimeConfig({ partitionSets, ...(objectLock && { objectLock }) });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

describe('a bucket with Object Lock', () => {
  beforeAll(async () => {
    const { s3, database } = archiver();
    await s3.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
    await createPartitionSet(database.sql, { months: 3, rowsPerMonth: 20_000 });
  });

  // Seen to fail without: the DDL among what core/archive/commit.ts protects.
  test('keeps every version of a proven archive from being deleted, and only data is marked for colder storage', async () => {
    const { s3, run, steps } = archiver();
    const config = configWith({ days: 30, mode: 'COMPLIANCE' });
    const report = await run(config, {}, steps(config, { bucket }));
    expect(report).toMatchObject({ archived: 1, failed: 0 });

    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    const kinds = new Set(Versions.map(({ Key = '' }) => Key.split('/').at(-2)));
    expect(kinds).toEqual(new Set(['data', 'ddl', 'manifest']));
    expect(Versions.filter(({ Key = '' }) => Key.includes('/data/')).length).toBeGreaterThan(1);
    const earliest = Date.now() + 30 * 86_400_000;
    for (const { Key = '', VersionId = '' } of Versions) {
      const version = { Bucket: bucket, Key, VersionId };
      const { Retention } = await s3.send(new GetObjectRetentionCommand(version));
      expect(Retention?.Mode).toBe('COMPLIANCE');
      expect(Retention?.RetainUntilDate?.getTime()).toBeGreaterThan(earliest);
      expect(Retention?.RetainUntilDate?.getTime()).toBeLessThan(earliest + 86_400_000 + 1);
      await expect(s3.send(new DeleteObjectCommand(version))).rejects.toMatchObject({ name: 'AccessDenied' });
      const { TagSet } = await s3.send(new GetObjectTaggingCommand(version));
      const marked = Key.includes('/data/') ? [{ Key: 'partition-archiver', Value: 'proven' }] : [];
      expect(TagSet).toEqual(marked);
    }
  });

  test('may be locked again by a commit whose answer was lost', async () => {
    const { database, run, steps } = archiver();
    const { sql } = database;
    await sql`update partition_archiver.partition set state = 'exported' where state = 'verified'`;
    const config = configWith({ days: 30, mode: 'COMPLIANCE' });
    expect(await run(config, {}, steps(config, { bucket }))).toMatchObject({ archived: 1, failed: 0 });
  });
});

describe('the preflight', () => {
  test('refuses to lock archives in a bucket that knows no locks', async () => {
    const { run } = archiver();
    await expect(run(configWith({ days: 30 }))).rejects.toMatchObject({
      code: 'PreflightFailed',
      message: expect.stringContaining('has no Object Lock'),
    });
  });

  test('refuses a bucket whose lifecycle would delete archives', async () => {
    const { s3, database, run, bucket: other } = archiver();
    const rules = (Prefix: string) =>
      s3.send(
        new PutBucketLifecycleConfigurationCommand({
          Bucket: other,
          LifecycleConfiguration: {
            Rules: [{ ID: 'cleanup', Status: 'Enabled', Filter: { Prefix }, Expiration: { Days: 90 } }],
          },
        }),
      );
    await rules('');
    await expect(run(configWith())).rejects.toMatchObject({
      code: 'PreflightFailed',
      message: expect.stringContaining(
        `its lifecycle rule "cleanup" deletes objects after 90 days, archives under ${database.name}/ among them`,
      ),
    });
    await rules('somewhere/else/');
    await expect(run(configWith(), { dryRun: true })).resolves.toMatchObject({ failed: 0 });
  });
});
