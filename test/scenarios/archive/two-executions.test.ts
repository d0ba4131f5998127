import {
  ListObjectVersionsCommand,
  S3ServiceException,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { makeS3Client } from '../../support/s3.ts';

const archiver = useArchiver();

/**
 * A client with which one of several writes on condition succeeds, as in S3. RADOS Gateway ignores `If-None-Match` in a bucket
 * with versions: both executions wrote the manifest there, and the version that the ledger had was not the current one.
 */
function clientWithConditions(): S3Client {
  const client = makeS3Client();
  const writes = new Map<string, Promise<unknown>>();
  client.middlewareStack.add(
    (next) => async (args) => {
      const { Key, IfNoneMatch } = args.input as PutObjectCommandInput;
      if (Key === undefined || IfNoneMatch === undefined) return next(args);
      const earlier = writes.get(Key);
      if (earlier === undefined) {
        const write = next(args);
        writes.set(Key, write);
        return write;
      }
      await earlier;
      const $metadata = { httpStatusCode: 412 };
      throw new S3ServiceException({ name: 'PreconditionFailed', $fault: 'client', $metadata });
    },
    { step: 'initialize' },
  );
  return client;
}

test('two executions at once archive each partition once, and lose nothing (hazard 31)', async () => {
  const { database, s3, bucket, run, config, steps } = archiver();
  await createPartitionSet(database.sql, { rowsPerMonth: 500 });
  const sets = config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]);
  const client = clientWithConditions();
  const withConditions = steps(sets, { s3: client });

  // Each may fail where the other was quicker; what matters is where both have left the partitions.
  await Promise.allSettled([run(sets, {}, withConditions), run(sets, {}, withConditions)]);
  client.destroy();
  await run(sets);

  const states = await database.sql`
    select state, row_count::integer as rows from partition_archiver.partition where state <> 'attached' order by id`;
  expect(states).toEqual([
    { state: 'dropped', rows: 500 },
    { state: 'dropped', rows: 500 },
  ]);
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket }));
  expect(Versions.filter(({ Key }) => Key?.includes('/manifest/'))).toHaveLength(2);
});
