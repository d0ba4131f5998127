/** The page on the archive, which each run puts into the bucket. */
import { GetObjectCommand, GetObjectTaggingCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { beforeAll, expect, test } from '@jest/globals';
import { pageKey } from '../../../core/keys.ts';
import { InvocationError, LambdaPool } from '../../../local/step-functions/lambda-pool.ts';
import { lambdaEnvironment } from '../../support/lambda-environment.ts';
import { useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { stack } from '../../support/stack.ts';
import { useStateMachine } from '../../support/state-machine.ts';

const archiver = useArchiver();
const deployed = useStateMachine(archiver, [{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]);

beforeAll(() => createPartitionSet(archiver().database.sql, { table: 'event', rowsPerMonth: 10, months: 3 }));

/** The versions of the page, the latest first. */
async function versions(): Promise<(string | undefined)[]> {
  const { s3, bucket, database } = archiver();
  const command = new ListObjectVersionsCommand({ Bucket: bucket, Prefix: pageKey(database.name) });
  return ((await s3.send(command)).Versions ?? []).map(({ VersionId }) => VersionId);
}

test('a dry run puts no page', async () => {
  expect(await deployed().execute({ dryRun: true })).toMatchObject({ status: 'SUCCEEDED' });
  expect(await versions()).toEqual([]);
});

test('a run puts the page, with what it archived on it, tagged so that its old versions expire', async () => {
  expect(await deployed().execute()).toMatchObject({ status: 'SUCCEEDED', output: { dropped: 1 } });
  const { s3, bucket, database } = archiver();
  const page = { Bucket: bucket, Key: pageKey(database.name) };
  const { Body, ContentType } = await s3.send(new GetObjectCommand(page));
  const html = (await Body?.transformToString()) ?? '';
  expect(ContentType).toBe('text/html; charset=utf-8');
  const [archived] = await database.sql<{ key: string; period: string }[]>`
    select manifest_key as key, period from partition_archiver.partition where state = 'dropped'`;
  expect(html).toContain('<h2>app.event</h2>');
  expect(html).toContain(`<code>${archived!.key}</code>`);
  expect(html).toContain(`${archived!.period} proven; `);
  const { TagSet } = await s3.send(new GetObjectTaggingCommand(page));
  expect(TagSet).toEqual([{ Key: 'partition-archiver', Value: 'page' }]);
});

test.each(['page-facts', 'put-page'])(
  'a run ends as it would where %s fails, and the next one puts the page',
  async (step) => {
    const before = await versions();
    const { region } = stack().s3;
    const pool = new LambdaPool({
      environment: { AWS_REGION: region, AWS_DEFAULT_REGION: region, ...lambdaEnvironment() },
    });
    const failing = await deployed().execute(
      { only: 'inventory' },
      {
        runner: {
          invoke: (target, event, onStart) =>
            (event as { step: string }).step === step
              ? Promise.reject(new InvocationError('ObjectStoreDenied', 'AccessDenied'))
              : pool.invoke(target, event, onStart),
          close: () => pool.close(),
        },
      },
    );
    expect(failing).toMatchObject({ status: 'SUCCEEDED', output: { failed: 0 } });
    expect(await versions()).toEqual(before);
    await deployed().execute({ only: 'inventory' });
    expect(await versions()).toHaveLength(before.length + 1);
  },
);
