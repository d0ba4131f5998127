import { expect, test } from '@jest/globals';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { parseManifest } from '../../../core/manifest.ts';
import { useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';

const archiver = useArchiver();

test('cold partitions are archived, proven and dropped; hot ones stay', async () => {
  const { database, s3, bucket, run, config } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { rowsPerMonth: 20_000 });
  const [before] = await sql<{ rows: number }[]>`select count(*)::integer as rows from app.event`;
  expect(before?.rows).toBe(80_000);

  const report = await run(
    config([{ schema: 'app', table: 'event', drop: true, graceDays: 0, segmentSizeMiB: 1 }]),
  );

  expect(report).toMatchObject({ archived: 2, dropped: 2, failed: 0, rows: 40_000 });
  const [after] = await sql<{ rows: number }[]>`select count(*)::integer as rows from app.event`;
  expect(after?.rows).toBe(40_000);
  expect(
    await sql`select from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = 'partition_archiver_quarantine'`,
  ).toHaveLength(0);

  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  const keys = Contents.map(({ Key }) => Key ?? '');
  expect(keys.filter((key) => key.includes('/manifest/'))).toHaveLength(2);
  expect(keys.filter((key) => key.includes('/ddl/'))).toHaveLength(2);
  for (const key of keys.filter((each) => each.includes('/manifest/'))) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const parsed = parseManifest((await Body?.transformToString()) ?? '');
    expect(parsed).toMatchObject({ ok: true, manifest: { contents: { rows: 20_000, countedWhole: true } } });
  }

  const second = await run(config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]));
  expect(second).toMatchObject({ archived: 0, dropped: 0, failed: 0 });
});
