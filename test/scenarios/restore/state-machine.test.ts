import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { lambdaEnvironment } from '../../support/lambda-environment.ts';
import type { SuccessfulDrill } from '../../../core/restore/drill.ts';
import type { FoundArchive } from '../../../core/audit/find.ts';
import type { Manifest } from '../../../core/manifest.ts';
import type { RestoreReport } from '../../../core/restore/report.ts';
import { useArchiver } from '../../support/archiver.ts';
import { listKeys } from '../../support/archives.ts';
import { useDatabase } from '../../support/database.ts';
import { contents as contentsOf, HOSTILE, hostilePartition } from '../../support/hostile.ts';
import { dump, qualified } from '../../db/ddl/support.ts';
import { killingEachOnce } from '../../support/killed-execution.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { useStateMachine } from '../../support/state-machine.ts';

const archiver = useArchiver();
/** A database that never saw the table. */
const elsewhere = useDatabase({ template: 'archiver' });
const ROWS = 20_000;
const SET = { schema: 'app', table: 'event', drop: true, graceDays: 0, segmentSizeMiB: 1 };
const deployed = useStateMachine(archiver, [SET]);
let archives: readonly FoundArchive[];
/** Of each archive's table, before it was dropped. */
let contents: string[];

async function digest(table: string, { sql } = archiver().database): Promise<string> {
  const [row] = await sql.unsafe<{ digest: string }[]>(
    `select count(*) || ' ' || md5(string_agg(t::text, chr(10) order by id)) as digest from ${table} t`,
  );
  return row!.digest;
}

beforeAll(async () => {
  const { database, run, config, operations } = archiver();
  await createPartitionSet(database.sql, { months: 6, rowsPerMonth: ROWS });
  const names = await database.sql<{ name: string }[]>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'app.event'::regclass
       and inhrelid::regclass::text like '%\_p2%' order by 1 limit 4`;
  contents = [];
  for (const { name } of names) contents.push(await digest(name));
  expect(await run(config([SET]))).toMatchObject({ dropped: 4, failed: 0 });
  ({ archives } = await operations().find({ schema: 'app', table: 'event' }));
  await database.sql.unsafe(
    'create schema back authorization app_owner; grant usage on schema back to archiver_owner, archiver_restore; grant create on schema back to archiver_owner',
  );
});

const restore = (input: object, options = {}) => deployed().workflow('restore').execute(input, options);
const lower = (index: number): string => archives[index]!.lowerBound.slice(0, 10);

describe('the synthesised workflow Restore', () => {
  test('refuses an input with every mistake at once, before anything is changed', async () => {
    const { status, error, cause } = await restore({
      partitionSet: 'event',
      from: 'soon',
      attach: 7,
      more: 1,
    });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'InvalidInput' });
    expect(cause).toMatch(/partitionSet.*from.*attach.*more/);
  });

  test.each([
    ['a range without an archive', { to: '1999' }, /no archive of app.event/],
    ['one name for several tables', { table: 'one' }, /4 archives/],
  ])('refuses %s', async (_, input, message) => {
    const { error, cause } = await restore({ partitionSet: 'app.event', ...input });
    expect(error).toBe('InvalidInput');
    expect(cause).toMatch(message);
  });

  test('restores a range into another schema, each in several segments and ranges', async () => {
    const { sql } = archiver().database;
    const { status, output, history } = await restore({
      partitionSet: 'app.event',
      from: lower(0),
      to: lower(2),
      schema: 'back',
    });
    expect(status).toBe('SUCCEEDED');
    expect(output as RestoreReport).toMatchObject({ restored: 2, failed: 0, rows: 2 * ROWS });
    for (const index of [0, 1]) {
      expect(await digest(`back.${archives[index]!.partition.table}`)).toBe(contents[index]);
    }
    const [ranges] = await sql<
      { count: number }[]
    >`select count(*)::integer from partition_archiver.restore_range`;
    expect(ranges!.count).toBeGreaterThan(3);
    expect(history['LambdaFunctionFailed']).toBeUndefined();
    // Seen to fail (NULLs) while record_restore_outcome() read a key that the step does not write.
    expect(
      await sql`select o.restored_table from partition_archiver.restore_outcome o
                  join partition_archiver.partition l on l.id = o.partition_id and l.state = 'restored'`,
    ).toHaveLength(2);

    // The same again changes nothing and says the same.
    const again = await restore({ partitionSet: 'app.event', from: lower(0), to: lower(2), schema: 'back' });
    expect(again.output).toMatchObject({ restored: 2, failed: 0, rows: 2 * ROWS });
  });

  test('one that fails stops no other, and a redrive resumes it once it is fixed', async () => {
    const { s3, bucket, database } = archiver();
    const data = (await listKeys(s3, bucket)).filter((key) =>
      key.includes(`/data/${archives[2]!.archiveId}`),
    );
    const { VersionId } = await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: data[0]! }));
    await database.sql.unsafe('create table back.taken ()');
    const input = { partitionSet: 'app.event', from: lower(2), schema: 'back' };
    const failed = await restore(input);
    expect({ status: failed.status, error: failed.error }).toEqual({
      status: 'FAILED',
      error: 'PartitionsFailed',
    });
    expect(failed.cause).toContain('1 restored and proven');
    expect(failed.cause).toContain(`${archives[2]!.manifestKey}: ArchiveDamaged`);
    expect(await digest(`back.${archives[3]!.partition.table}`)).toBe(contents[3]);

    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: data[0]!, VersionId }));
    const redriven = await deployed().workflow('restore').redrive(failed);
    expect(redriven).toMatchObject({ status: 'SUCCEEDED', output: { restored: 2, failed: 0 } });
    expect(await digest(`back.${archives[2]!.partition.table}`)).toBe(contents[2]);

    const { cause } = await restore({
      manifestKey: archives[2]!.manifestKey,
      schema: 'back',
      table: 'taken',
    });
    expect(cause).toMatch(/TargetExists, .*there is already a table/);
  });

  // Seen to fail without: the count of versions in readManifest(), for the first; the comparison of the DDL in checkObjects(), for the second.
  test('a manifest that was written over is refused; its version that was forged, too, before anything is made', async () => {
    const { s3, bucket, database } = archiver();
    const { manifestKey } = archives[3]!;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: manifestKey }));
    const forged = JSON.parse((await Body?.transformToString()) ?? '') as Manifest;
    (forged.ddl.template['structure'] as string[]).push('drop schema partition_archiver cascade');
    const { VersionId } = await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: manifestKey, Body: JSON.stringify(forged) }),
    );
    const over = await restore({ manifestKey, schema: 'back', table: 'forged' });
    expect({ error: over.error, cause: over.cause }).toMatchObject({
      error: 'ManifestInvalid',
      cause: expect.stringMatching(/2 versions/),
    });
    const named = await restore({
      manifestKey,
      manifestVersionId: VersionId,
      schema: 'back',
      table: 'forged',
    });
    expect(named.error).toBe('PartitionsFailed');
    expect(named.cause).toMatch(/ManifestInvalid, .*its DDL is not that of/);
    expect(await leftovers()).toEqual([]);
    expect(await database.sql`select to_regclass('back.forged') as oid`).toEqual([{ oid: null }]);
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: manifestKey, VersionId }));
  });

  test('killed at any step it is started again, in a database that never saw the table, and comes back whole', async () => {
    const { sql, name } = elsewhere();
    await sql.unsafe(
      `create schema app authorization app_owner; grant create on schema app to archiver_owner`,
    );
    await sql`select partition_archiver.register_owner('app_owner', '{app}')`;
    const { killed, onInvoke } = killingEachOnce(100);
    const { status, output } = await restore(
      {
        partitionSet: 'app.event',
        to: lower(1),
        database: archiver().database.name,
      },
      {
        environment: { ...lambdaEnvironment(), DATABASE_NAME: name },
        onInvoke,
      },
    );
    expect(status).toBe('SUCCEEDED');
    expect(output).toMatchObject({ restored: 1, failed: 0, rows: ROWS });
    expect(await digest(`app.${archives[0]!.partition.table}`, elsewhere())).toBe(contents[0]);
    expect([...killed].sort()).toEqual([
      'Attach',
      'BeginRestore',
      'Build',
      'FindRestore',
      'Import',
      'PlanRestore',
      'Prove',
      'Publish',
      'ReportRestore',
      'Retrieve',
    ]);
  });
});

test('a hostile table comes back by the workflow as it was', async () => {
  const { database, run, config, operations } = archiver();
  const { schema, table } = HOSTILE;
  const set = config([{ schema, table, drop: true, graceDays: 0, segmentSizeMiB: 1 }]);
  const partition = await hostilePartition(database.sql, () => run(set, { only: 'inventory' }));
  const before = [await dump(database, partition), await contentsOf(database.sql, partition)];
  expect(await run(set)).toMatchObject({ failed: 0, dropped: 2 });
  const [oldest] = (await operations().find({ schema, table })).archives;
  const { status, output } = await restore({
    partitionSet: qualified({ schema, name: table }),
    to: oldest!.upperBound.slice(0, 10),
  });
  expect({ status, output }).toMatchObject({ status: 'SUCCEEDED', output: { restored: 1, rows: 3000 } });
  expect([await dump(database, partition), await contentsOf(database.sql, partition)]).toEqual(before);
  const [{ warnings } = {}] = (output as RestoreReport).archives;
  expect(warnings).toBeUndefined();
});

/** Whatever a restore or a drill makes on its way. */
async function leftovers(): Promise<unknown> {
  return archiver().database.sql`
    select relname from pg_class where relnamespace = 'partition_archiver_restore'::regnamespace`;
}

describe('the synthesised workflow Drill', () => {
  const drill = (input: object, options = {}) => deployed().workflow('drill').execute(input, options);

  test('restores an archive, proves it, leaves nothing behind, and says how long ago that was', async () => {
    const { sql } = archiver().database;
    const before = await sql`select count(*) from partition_archiver.partition`;
    // Those of every set: it picks at random.
    const all = (await archiver().operations().find({})).archives;
    const lines: string[] = [];
    const { status, output } = await drill({ maxMiB: 100 }, { onLog: (line: string) => lines.push(line) });
    expect(status).toBe('SUCCEEDED');
    const picked = all.find(({ manifestKey }) => manifestKey === (output as SuccessfulDrill).manifestKey)!;
    expect(output).toMatchObject({ rows: picked.rows });
    expect(await leftovers()).toEqual([]);
    expect(await sql`select count(*) from partition_archiver.partition`).toEqual(before);
    expect(await sql`select row_count::integer as rows from partition_archiver.drill`).toEqual([
      { rows: picked.rows },
    ]);
    const [row] = await sql<{ days: number }[]>`select partition_archiver.days_since_drill() as days`;
    expect(row!.days).toBeLessThan(0.1);
    expect(lines.filter((line) => line.includes('"DaysSinceSuccessfulDrill":0'))).toHaveLength(1);
  });

  test('fails with the reason where an archive cannot be restored, and leaves nothing behind either', async () => {
    const { sql } = archiver().database;
    // After the import and the indexes.
    await sql`create or replace function partition_archiver.plan_restore_proof(p_id bigint) returns jsonb language plpgsql security definer
      set search_path = pg_catalog, pg_temp as $$ begin raise exception 'disk full' using errcode = '53100'; end $$`;
    const { status, error, cause } = await drill({});
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'DrillFailed' });
    expect(cause).toMatch(/manifest.*disk full/);
    expect(await leftovers()).toEqual([]);
    expect(await sql`select from partition_archiver.drill`).toHaveLength(1);
  });

  test.each([
    [{ maxMiB: 0 }, /maxMiB: 0 is not allowed: must be/],
    [{ size: 1 }, /no such setting/],
  ])('refuses the input %j', async (input, message) => {
    const { error, cause } = await drill(input);
    expect(error).toBe('InvalidInput');
    expect(cause).toMatch(message);
  });
});
