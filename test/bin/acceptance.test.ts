import { expect, test } from '@jest/globals';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { useArchiver } from '../support/archiver.ts';
import { runCommand } from '../support/command.ts';
import { stack } from '../support/stack.ts';

const archiver = useArchiver();

/** Against the local stack, whose aws_s3 is ours: this shows that the script works, and nothing about AWS. */
test('the acceptance script finds what it looks for, on the stand-ins', async () => {
  const { database, s3 } = archiver();
  const bucket = `acceptance-${process.pid}-${process.hrtime.bigint() % 1_000_000_000n}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
  const { postgres, pooler, s3: store } = stack();
  const { code, stdout, stderr } = await runCommand(process.execPath, ['bin/acceptance.ts', '--lock'], {
    PGHOST: postgres.host,
    PGPORT: String(postgres.port),
    PGDATABASE: database.name,
    PGSSLMODE: 'disable',
    PGUSER: postgres.superuser.user,
    PGPASSWORD: postgres.superuser.password,
    PROXY_HOST: pooler.host,
    PROXY_PORT: String(pooler.port),
    PGSSLROOTCERT: pooler.caFile,
    // Not a reader, but what is asked of one is true of the server itself.
    READER_HOST: postgres.host,
    READER_PORT: String(postgres.port),
    ARCHIVE_BUCKET: bucket,
    AWS_REGION: store.region,
    AWS_ENDPOINT_URL_S3: store.endpoint,
    AWS_ACCESS_KEY_ID: store.accessKeyId,
    AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
  });
  expect(stderr).toBe('');
  const verdicts = [...stdout.matchAll(/^(pass|fail|note|skip) +(.+)$/gm)].map(
    ([, verdict, name]) => `${verdict} ${name}`,
  );
  // The stand-in for S3 has no roles, so that nothing is refused by prefix.
  expect(verdicts.filter((line) => line.startsWith('fail'))).toEqual([
    'fail an export to where the role may not write is refused, and known as ExportDenied',
  ]);
  expect(verdicts.filter((line) => line.startsWith('skip'))).toEqual([
    'skip a token logs in through the proxy',
    'skip files beyond 6 GB, and whether a row runs across two',
  ]);
  expect(code).toBe(1);
  const left = await database.sql`select from pg_namespace where nspname = 'partition_archiver_acceptance'`;
  expect(left).toHaveLength(0);
});

test('it says what it needs', async () => {
  const { code, stderr } = await runCommand(process.execPath, ['bin/acceptance.ts']);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      'not set: PGHOST, PGDATABASE, PGUSER, PGPASSWORD, ARCHIVE_BUCKET, AWS_REGION; see docs/acceptance.md\n',
  });
});
