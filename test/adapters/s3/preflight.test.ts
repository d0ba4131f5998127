import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateBucketCommand,
  PutBucketLifecycleConfigurationCommand,
  type LifecycleRule,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { makeS3Client as makeClient } from '../../../adapters/s3/client.ts';
import { bucketProblems } from '../../../adapters/s3/preflight.ts';
import { makeBucket } from '../../support/s3.ts';
import { stack } from '../../support/stack.ts';

let client: S3Client;
const expected = { region: '', prefix: 'shop/', locked: false };

beforeAll(() => {
  const { endpoint, region, accessKeyId, secretAccessKey } = stack().s3;
  client = makeClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  expected.region = region;
});
afterAll(() => {
  client.destroy();
});

describe('on the S3 gateway', () => {
  test('a bucket that is fit has no problems', async () => {
    expect(await bucketProblems(client, await makeBucket(client, 'fit'), expected)).toEqual([]);
  });

  test('a bucket that is not there', async () => {
    expect(await bucketProblems(client, 'no-such-bucket-at-all', expected)).toMatchObject([
      { subject: 'bucket no-such-bucket-at-all', problem: 'does not exist' },
    ]);
  });

  test('a bucket of somebody else, or wrong credentials', async () => {
    const { endpoint, region, accessKeyId } = stack().s3;
    const outsider = makeClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey: 'wrong' } });
    const bucket = await makeBucket(client, 'theirs');
    expect(await bucketProblems(outsider, bucket, expected)).toMatchObject([{ problem: 'may not be read' }]);
    outsider.destroy();
  });

  test('a bucket that keeps no versions, that knows no locks, and that deletes: all at once', async () => {
    const bucket = `careless-${process.pid}-${Date.now()}`;
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    await setRules(bucket, [
      { ID: 'tidy', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 30 } },
    ]);
    const problems = await bucketProblems(client, bucket, { ...expected, locked: true });
    expect(problems.map(({ problem }) => problem)).toEqual([
      'keeps no versions, so an archive could be overwritten without a trace',
      'has no Object Lock, but archives are to be locked (retention)',
      'its lifecycle rule "tidy" deletes objects after 30 days, archives under shop/ among them',
    ]);
    expect(problems.every(({ remedy }) => remedy !== '')).toBe(true);
  });

  // Seen to fail with the moves and the copies' tag not looked at.
  test('a bucket that moves manifests and copies to Glacier, text too early, and deletes copies', async () => {
    const bucket = await makeBucket(client, 'cold');
    const tagged = (value: string) => ({ Filter: { Tag: { Key: 'partition-archiver', Value: value } } });
    const Transitions = [{ Days: 20, StorageClass: 'GLACIER' as const }];
    await setRules(bucket, [
      { ID: 'all', Status: 'Enabled', Filter: { Prefix: '' }, Transitions },
      { ID: 'text', Status: 'Enabled', ...tagged('proven'), Transitions },
      { ID: 'copies', Status: 'Enabled', ...tagged('copy'), Expiration: { Days: 5 } },
    ]);
    const problems = await bucketProblems(client, bucket, { ...expected, readableDays: 30 });
    // Servers return rules in an order of their own.
    expect(problems.map(({ problem }) => problem).sort()).toEqual([
      'its lifecycle rule "all" moves manifests and Parquet copies to GLACIER after 20 days under shop/, where S3 hands out nothing at once',
      'its lifecycle rule "copies" deletes objects after 5 days, Parquet copies under shop/ among them: queries would miss their rows',
      'its lifecycle rule "text" moves text to GLACIER after 20 days under shop/, where S3 hands out nothing at once',
    ]);
  });

  test('a bucket with locks is fit for archives that are to be locked', async () => {
    const bucket = `locked-${process.pid}-${Date.now()}`;
    await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
    expect(await bucketProblems(client, bucket, { ...expected, locked: true })).toEqual([]);
  });

  test('a rule for other prefixes is none of our business', async () => {
    const bucket = await makeBucket(client, 'shared');
    await setRules(bucket, [
      { ID: 'logs', Status: 'Enabled', Filter: { Prefix: 'logs/' }, Expiration: { Days: 1 } },
      {
        ID: 'shop2',
        Status: 'Enabled',
        Filter: { Prefix: 'shop2/' },
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      },
    ]);
    expect(await bucketProblems(client, bucket, expected)).toEqual([]);
  });
});

async function setRules(bucket: string, rules: readonly LifecycleRule[]): Promise<void> {
  await client.send(
    new PutBucketLifecycleConfigurationCommand({
      Bucket: bucket,
      LifecycleConfiguration: { Rules: [...rules] },
    }),
  );
}

describe('what the gateway never returns', () => {
  let server: Server | undefined;
  let other: S3Client | undefined;

  /** Answers HEAD with `head`, and each question by its query. */
  async function clientOn(
    head: readonly [number, Record<string, string>],
    answers: Record<string, readonly [number, string]> = {},
  ): Promise<S3Client> {
    server = createServer((request, response) => {
      const name = Object.keys(answers).find((query) => request.url?.includes(query));
      const [status, body] = name === undefined ? [200, ''] : answers[name]!;
      // A slow question is answered after the others have failed.
      const delay = name === 'lifecycle' ? 50 : 0;
      if (request.method === 'HEAD') response.writeHead(...head).end();
      else setTimeout(() => response.writeHead(status).end(body), delay);
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    other = makeClient({
      region: 'eu-west-1',
      endpoint,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    return other;
  }

  afterEach(async () => {
    other?.destroy();
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });

  const here = { region: 'eu-west-1', prefix: 'shop/', locked: false };

  test.each<[number, Record<string, string>, string]>([
    [200, { 'x-amz-bucket-region': 'us-east-1' }, 'is in region us-east-1, not in eu-west-1'],
    [301, {}, 'is not in region eu-west-1'],
    [400, {}, 'is not in region eu-west-1'],
  ])('a bucket in another region, %s', async (status, headers, problem) => {
    expect(await bucketProblems(await clientOn([status, headers]), 'b', here)).toMatchObject([{ problem }]);
  });

  const denied = [403, '<Error><Code>AccessDenied</Code></Error>'] as const;
  const noRules = [404, '<Error><Code>NoSuchLifecycleConfiguration</Code></Error>'] as const;
  const versioned = [
    200,
    '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
  ] as const;

  // Seen to fail (an unhandled rejection ends the process) where a question was awaited before the others had handlers.
  test.each([
    ['versioning', { versioning: denied, lifecycle: noRules }],
    ['lifecycle', { versioning: versioned, lifecycle: denied }],
    ['locks', { versioning: versioned, lifecycle: noRules, 'object-lock': denied }],
  ])('a role that may not ask for %s is told so', async (_, answers) => {
    const asking = await clientOn([200, { 'x-amz-bucket-region': 'eu-west-1' }], answers);
    await expect(bucketProblems(asking, 'b', { ...here, locked: true })).rejects.toMatchObject({
      code: 'ObjectStoreDenied',
    });
  });
});
