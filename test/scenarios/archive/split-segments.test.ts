import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { exportDatabase } from '../../../adapters/postgres/archive/export.ts';
import { exportSegment } from '../../../core/archive/export.ts';
import type { Steps } from '../../../core/archive/run.ts';
import { silentLog as log } from '../../../core/ports.ts';
import { useArchiver } from '../../support/archiver.ts';
import { readArchives, restoreByPsql, rowsOf } from '../../support/archives.ts';
import { stack } from '../../support/database.ts';
import { CUT, Gate } from '../../support/faults/gate.ts';
import { startHttpProxy } from '../../support/faults/http-proxy.ts';
import { awsS3Channel } from '../../support/faults/s3-channels.ts';
import { inState, nth } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';

const archiver = useArchiver();
const stalled = useArchiver();

/** Rows that an export call takes within its timeout; of more it "takes" a minute, and may leave two files. */
const setPace = (rows: number, leaves = false): Promise<unknown> =>
  archiver().database.sql`update scene.pace set rows = ${rows}, leaves = ${leaves}`;

/** Beyond this an export is given up. Enough for a quick one on a busy machine. */
const TIMEOUT_MS = 700;

beforeAll(async () => {
  // A slow S3 or a wide row cannot be had at will: aws_s3 is slowed down by the number of rows instead.
  await archiver().database.sql.unsafe(`
    create schema scene;
    create table scene.pace as select 0 as rows, false as leaves;
    grant usage on schema scene to archiver_read;
    grant select on scene.pace to archiver_read;
    alter function aws_s3.query_export_to_s3(text, aws_commons._s3_uri_1, text, text) rename to unhurried_export;
    create function aws_s3.query_export_to_s3(query text, s3_info aws_commons._s3_uri_1, options text default null,
        kms_key text default null, out rows_uploaded bigint, out files_uploaded bigint, out bytes_uploaded bigint)
      language plpgsql as $$
    declare
      v_rows bigint;
    begin
      execute format('select count(*) from (%s) q', query) into v_rows;
      if v_rows > (select rows from scene.pace) then
        -- What a call leaves that is given up in the middle of its third file.
        if (select leaves from scene.pace) then
          perform aws_s3.unhurried_export(query, s3_info, options, kms_key);
          s3_info.file_path := s3_info.file_path || '_part2';
          perform aws_s3.unhurried_export(query, s3_info, options, kms_key);
        end if;
        perform pg_sleep(60);
      end if;
      select * into rows_uploaded, files_uploaded, bytes_uploaded
        from aws_s3.unhurried_export(query, s3_info, options, kms_key);
    end $$`);
});

const hurried = (
  table: string,
  { open, bucket, config } = archiver(),
): { steps: Partial<Steps>; config: ReturnType<ReturnType<typeof archiver>['config']> } => {
  return {
    config: config([{ schema: 'app', table, drop: true, graceDays: 0 }]),
    steps: {
      export: async (partitionId, segmentNumber) => {
        const connection = open('archiver_read');
        try {
          const database = exportDatabase(connection, TIMEOUT_MS);
          return await exportSegment(
            partitionId,
            segmentNumber,
            { bucket, region: stack().s3.region },
            { database, log },
          );
        } finally {
          await connection.end();
        }
      },
    },
  };
};

test('a segment that takes too long is split until each part is quick enough, and all of them are proven', async () => {
  const { database, s3, bucket, run } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'large', months: 3, rowsPerMonth: 1_500 });
  const before = await rowsOf(sql, 'app.large');
  await setPace(600);

  const { config, steps } = hurried('large');
  const report = await run(config, {}, steps);

  expect(report).toMatchObject({ archived: 1, dropped: 1, failed: 0, rows: 1_500 });
  const archive = nth(await readArchives(s3, bucket), 0);
  const { segments } = archive.manifest;
  expect(segments.length).toBeGreaterThan(2);
  expect(segments.every(({ rows }) => rows <= 600)).toBe(true);
  // From block 0, each where the one before it ends, the last one open.
  expect([0, ...segments.map(({ nextBlock }) => nextBlock)]).toEqual([
    ...segments.map(({ firstBlock }) => firstBlock),
    null,
  ]);
  await restoreByPsql(database, archive);
  const { partition } = archive.manifest;
  const restored = await rowsOf(sql, `"${partition.schema}"."${partition.name}"`);
  expect([...(await rowsOf(sql, 'app.large')), ...restored].sort()).toEqual(before.sort());
});

// Seen to fail without: new numbers for both halves in split_segment(); UnexpectedObject blocked the partition. And without
// isOfSplitSegment() in core/audit/check.ts; the archive was damaged, and not restored.
test('what an export left that was given up stands in the way of neither half, nor of an audit and a restore', async () => {
  const { database, s3, bucket, run, operations } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'lopsided', months: 3, rowsPerMonth: 1_500 });
  const { config, steps } = hurried('lopsided');
  await run(config, { only: 'inventory' });
  const [{ table }] = await sql<[{ table: string }]>`
    select format('%I.%I', table_schema, table_name) as table from partition_archiver.partition
     where parent_name = 'lopsided' order by lower_time limit 1`;
  // The whole lower half: nothing of it is exported, so nothing is overwritten.
  const blocks = `(select pg_relation_size('${table}') / current_setting('block_size')::integer)`;
  await sql.unsafe(`delete from ${table} where ctid < format('(%s,0)', ${blocks} / 2)::tid`);
  const rows = await rowsOf(sql, table);
  expect(rows.length).toBeGreaterThan(600);
  await setPace(600, true);

  expect(await run(config, {}, steps)).toMatchObject({
    archived: 1,
    dropped: 1,
    failed: 0,
    rows: rows.length,
  });

  const archives = await readArchives(s3, bucket);
  const { key, manifest } = nth(
    archives.filter((each) => each.manifest.partition.parentName === 'lopsided'),
    0,
  );
  expect(manifest.segments[0]).toMatchObject({ firstBlock: 0, objects: [] });
  expect(await operations().audit(key, 'all')).toMatchObject({ intact: true, problems: [] });
  await operations().restore({ manifestKey: key });
  expect(await rowsOf(sql, table)).toEqual(rows);
});

test('a single block that takes too long blocks its partition, which stays (hazard 55)', async () => {
  const { database, run } = archiver();
  const { sql } = database;
  // More than S3 takes in that time on a bad day, in each block, and nothing that could be compressed.
  const values = `(select string_agg(md5(g::text || i), '') from generate_series(1, 300) i)`;
  await createPartitionSet(sql, { table: 'wide', months: 3, rowsPerMonth: 400, values });
  await setPace(0);

  const { config, steps } = hurried('wide');
  await expect(run(config, {}, steps)).rejects.toMatchObject({
    code: 'PartitionsFailed',
    message: expect.stringMatching(
      /BlockTooLarge, .*block \d+ of partition \d+ alone is too large for one export: its rows have \d+ bytes/,
    ),
  });

  const line = nth(await inState(sql, 'blocked', 'wide'), 0);
  expect(line).toMatchObject({ blockedCode: 'BlockTooLarge' });
  expect(await rowsOf(sql, `partition_archiver_quarantine."${String(line.quarantineName)}"`)).toHaveLength(
    400,
  );

  // Once the limits are raised an operator unblocks it, and the split plan is carried out.
  await setPace(1_000_000);
  await sql`select partition_archiver.unblock(${line.id}::bigint)`;
  expect(await run(config, {}, steps)).toMatchObject({ archived: 1, dropped: 1, failed: 0, rows: 400 });
});

// Seen to fail without: the look at the bytes in split_segment(); it was blocked as BlockTooLarge.
test('an S3 that takes nothing for as long as an export lasts is no reason to block a partition of one block', async () => {
  const { database, run } = stalled();
  const { sql, name } = database;
  await createPartitionSet(sql, { months: 3, rowsPerMonth: 40 });
  const [{ sidecar }] = await sql<
    [{ sidecar: string }]
  >`select current_setting('aws_s3_local.sidecar') as sidecar`;
  const proxy = await startHttpProxy(awsS3Channel(sidecar));
  try {
    // The pooler's sessions, too, which are kept.
    await sql.unsafe(
      `alter database "${name}" set aws_s3_local.sidecar = 'http://127.0.0.1:${String(proxy.port)}'`,
    );
    proxy.gate = new Gate(async ({ label }) => {
      if (label === 'upload') await sleep(TIMEOUT_MS * 1.5);
      return CUT;
    });
    const { config, steps } = hurried('event', stalled());
    await expect(run(config, {}, steps)).rejects.toMatchObject({
      code: 'PartitionsFailed',
      message: expect.stringMatching(
        /ExportTimedOut, .*block 0 of partition \d+ alone was not exported in time, though its rows have but \d{3} bytes/,
      ),
    });
    expect(await inState(sql, 'blocked')).toEqual([]);

    proxy.gate = new Gate();
    expect(await run(config, {}, steps)).toMatchObject({ archived: 1, dropped: 1, failed: 0, rows: 40 });
  } finally {
    await proxy.close();
  }
});
