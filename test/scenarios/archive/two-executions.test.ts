import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';

const archiver = useArchiver();

test('two executions at once archive each partition once, and lose nothing (hazard 31)', async () => {
  const { database, s3, bucket, run, config } = archiver();
  await createPartitionSet(database.sql, { rowsPerMonth: 500 });
  const sets = config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]);

  // Each may fail where the other was quicker; what matters is where both have left the partitions.
  await Promise.allSettled([run(sets), run(sets)]);
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
