import { describe, expect, test } from '@jest/globals';
import { readBucketSettings, readRuntimeConfig, readSettings } from '../../../lambdas/runtime/settings.ts';

const environment = {
  ARCHIVER: 'shop-archiver',
  DATABASE_HOST: 'proxy.example',
  DATABASE_PORT: '5432',
  DATABASE_NAME: 'shop',
  DATABASE_SECRET_ARN: 'arn:secret',
  ARCHIVE_BUCKET: 'archive',
  AWS_REGION: 'eu-central-1',
  PATH: '/bin',
};

describe('the environment of a Lambda', () => {
  test('becomes settings', () => {
    expect(readSettings(environment)).toEqual({
      archiver: 'shop-archiver',
      databaseHost: 'proxy.example',
      databasePort: 5432,
      databaseName: 'shop',
      formerNames: [],
      login: { secretArn: 'arn:secret' },
      archiveBucket: 'archive',
      region: 'eu-central-1',
    });
  });

  test('may name former names of the database', () => {
    const FORMER_DATABASE_NAMES = 'old,older';
    expect(readBucketSettings({ ...environment, FORMER_DATABASE_NAMES }).formerNames).toEqual([
      'old',
      'older',
    ]);
  });

  test('may name the account of the bucket', () => {
    const ARCHIVE_BUCKET_OWNER = '111122223333';
    expect(readSettings({ ...environment, ARCHIVE_BUCKET_OWNER }).bucketOwner).toBe('111122223333');
    expect(readBucketSettings({ ...environment, ARCHIVE_BUCKET_OWNER }).bucketOwner).toBe('111122223333');
    expect(readSettings({ ...environment, ARCHIVE_BUCKET_OWNER: '' })).not.toHaveProperty('bucketOwner');
  });

  test('may name a database role instead of a secret, which then logs in by IAM', () => {
    const { DATABASE_SECRET_ARN: _, ...rest } = environment;
    expect(readSettings({ ...rest, DATABASE_USER: 'archiver_read' }).login).toEqual({
      user: 'archiver_read',
    });
    expect(() => readSettings(rest)).toThrow(
      expect.objectContaining({ message: 'the environment lacks DATABASE_SECRET_ARN' }),
    );
  });

  test('may name another endpoint to read tables at', () => {
    const there = { ...environment, VERIFY_HOST: 'reader.example', VERIFY_PORT: '6432' };
    expect(readSettings(there).verifyEndpoint).toEqual({ host: 'reader.example', port: 6432 });
    expect(() => readSettings({ ...there, VERIFY_PORT: '' })).toThrow(
      expect.objectContaining({
        code: 'InvalidConfiguration',
        message: 'VERIFY_PORT is "", which is no port',
      }),
    );
  });

  test('that lacks something is refused, with all that it lacks', () => {
    const { DATABASE_HOST: _, ...rest } = environment;
    expect(() => readSettings({ ...rest, ARCHIVE_BUCKET: '' })).toThrow(
      expect.objectContaining({
        code: 'InvalidConfiguration',
        message: 'the environment lacks ARCHIVE_BUCKET, DATABASE_HOST',
      }),
    );
  });

  test.each(['postgres', '0', '65536', '5432.5', '-1', ' ', 'Infinity'])(
    'with a port %j is refused',
    (port) => {
      expect(() => readSettings({ ...environment, DATABASE_PORT: port })).toThrow(
        expect.objectContaining({ code: 'InvalidConfiguration' }),
      );
    },
  );
});

describe('the configuration in the input of a step', () => {
  test('is read with its defaults, and cannot be changed afterwards', () => {
    const config = readRuntimeConfig({ partitionSets: [{ schema: 'app', table: 'event' }] });
    expect(config.partitionSets).toEqual([
      {
        schema: 'app',
        table: 'event',
        export: 'aws_s3',
        compression: 'none',
        drop: false,
        graceDays: 7,
        segmentSizeMiB: 1024,
        timeZone: 'UTC',
        query: false,
        acceptIncompleteRestore: false,
        acceptRowsInDefault: false,
      },
    ]);
    expect(Object.isFrozen(config.partitionSets[0])).toBe(true);
  });

  test('that is wrong is refused, with every mistake', () => {
    const sets = [{ schema: 'app', table: 'event', graceDays: -1, drop: 'yes' }];
    expect(() => readRuntimeConfig({ partitionSets: sets, x: 1 })).toThrow(
      expect.objectContaining({
        code: 'InvalidConfiguration',
        message: expect.stringMatching(/drop: "yes" .*graceDays: -1 .*x: 1 /),
      }),
    );
  });

  // Seen to fail with defaults for what is missing: a drop would not know of the expiry, which it must not come close to.
  test.each([undefined, null, [], {}])('%j is no configuration', (config) => {
    expect(() => readRuntimeConfig(config)).toThrow(
      expect.objectContaining({ code: 'InvalidConfiguration' }),
    );
  });

  test.each([undefined, null, []])('%j is none of a step that needs no partition set, either', (config) => {
    expect(() => readRuntimeConfig(config, 'none, too')).toThrow(
      expect.objectContaining({ code: 'InvalidConfiguration' }),
    );
  });
});
