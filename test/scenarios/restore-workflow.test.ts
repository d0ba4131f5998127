import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { FoundArchive } from '../../core/find.ts';
import type { RestoreReport } from '../../core/restore/outcome.ts';
import { useArchiver } from '../support/archiver.ts';
import { createPartitionSet } from '../support/partition-sets.ts';
import { useStateMachine } from '../support/state-machine.ts';

const archiver = useArchiver();
const ROWS = 20_000;
const SET = { schema: 'app', table: 'event', drop: true, graceDays: 0, segmentSizeMiB: 1 };
const deployed = useStateMachine(archiver, [SET]);
let archives: readonly FoundArchive[];
/** Of each archive's table, before it was dropped. */
let contents: string[];

async function digest(table: string): Promise<string> {
  const [row] = await archiver().database.sql.unsafe<{ digest: string }[]>(
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
  await database.sql.unsafe('create schema back authorization app_owner; grant usage on schema back to archive_owner, archiver_restore; grant create on schema back to archive_owner');
});

const restore = (input: object, options = {}) => deployed().workflow('restore').execute(input, options);
const lower = (index: number): string => archives[index]!.lowerBound.slice(0, 10);

describe('the synthesised workflow Restore', () => {
  test('refuses an input with every mistake at once, before anything is changed', async () => {
    const { status, error, cause } = await restore({ partitionSet: 'event', from: 'soon', attach: 7, more: 1 });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'InvalidInput' });
    expect(cause).toMatch(/"more\\".*partitionSet.*from.*attach/);
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
      ...{ partitionSet: 'app.event', from: lower(0), to: lower(2), schema: 'back' },
    });
    expect(status).toBe('SUCCEEDED');
    expect(output as RestoreReport).toMatchObject({ restored: 2, failed: 0, rows: 2 * ROWS });
    for (const index of [0, 1]) {
      expect(await digest(`back.${archives[index]!.partition.table}`)).toBe(contents[index]);
    }
    const [ranges] = await sql<{ count: number }[]>`select count(*)::integer from partition_archiver.restore_range`;
    expect(ranges!.count).toBeGreaterThan(3);
    expect(history['LambdaFunctionFailed']).toBeUndefined();

    // The same again changes nothing and says the same.
    const again = await restore({ partitionSet: 'app.event', from: lower(0), to: lower(2), schema: 'back' });
    expect(again.output).toMatchObject({ restored: 2, failed: 0, rows: 2 * ROWS });
  });
});
