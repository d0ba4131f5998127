import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { restoreDatabase } from '../../../adapters/postgres/restore/database.ts';
import { s3ArchiveStore } from '../../../adapters/s3/archive-store.ts';
import { importSource } from '../../../core/restore/import.ts';
import { useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { makeRoles } from '../../support/roles.ts';
import { failureOf } from '../../support/verified.ts';
import { untilSomebodyWaits } from '../../support/waiting.ts';

const archiver = useArchiver();
const ROWS = 30_000;
let manifestKey = '';
let segments = 0;
let contents = '';

async function digest(table: string): Promise<string> {
  const [row] = await archiver().database.sql.unsafe<{ digest: string }[]>(
    `select count(*) || ' ' || md5(string_agg(t::text, chr(10) order by id)) as digest from ${table} t`,
  );
  return row!.digest;
}

beforeAll(async () => {
  const { database, run, config, operations } = archiver();
  await createPartitionSet(database.sql, { months: 3, rowsPerMonth: ROWS });
  const [oldest] = await database.sql<{ name: string }[]>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'app.event'::regclass
       and inhrelid::regclass::text like '%\_p2%' order by 1 limit 1`;
  contents = await digest(oldest!.name);
  const set = config([{ schema: 'app', table: 'event', drop: true, graceDays: 0, segmentSizeMiB: 1 }]);
  expect(await run(set)).toMatchObject({ dropped: 1, failed: 0 });
  const { archives } = await operations().find({});
  manifestKey = archives[0]!.manifestKey;
  ({ segments } = await operations().audit(manifestKey, { segments: 1, random: () => 0.5 }));
  expect(segments).toBeGreaterThan(1);
});

beforeEach(async () => {
  await archiver().database.sql`drop table if exists app.back`;
});

class Killed extends Error {}

/** Kills a restore after its first import. */
const killing = {
  info: (event: string) => {
    if (event === 'import') throw new Killed();
  },
  warn: () => undefined,
};

/** How far a restore is, by its own record. */
async function progress(): Promise<{ state: string; imported: number; statements: number } | undefined> {
  const [row] = await archiver().database.sql<{ state: string; imported: number; statements: number }[]>`
    select state, statements_done as statements,
           (select count(*)::integer from partition_archiver.restore_segment where restore_id = r.id and imported_at is not null) as imported
      from partition_archiver.restore r order by id desc limit 1`;
  return row;
}

test('killed between two segments, and run again: nothing is imported twice, nothing was seen before the end', async () => {
  const { database, operations } = archiver();
  await expect(
    operations({ log: killing, segmentsAtOnce: 1 }).restore({ manifestKey, table: 'back' }),
  ).rejects.toThrow(Killed);
  expect(await progress()).toEqual({ state: 'begun', imported: 1, statements: 0 });
  expect(await database.sql`select to_regclass('app.back') as oid`).toEqual([{ oid: null }]);

  await operations().restore({ manifestKey, table: 'back' });
  expect(await digest('app.back')).toBe(contents);
  expect(await progress()).toMatchObject({ state: 'done', imported: segments });
});

test('its connection killed in the middle of an import, and run again', async () => {
  const { database, operations, open } = archiver();
  let opened = 0;
  let killed: Promise<unknown> = Promise.resolve();
  const failing = operations({
    segmentsAtOnce: 1,
    open: (role) => {
      opened += 1;
      // 1 looks for the restore, 2 renders, 3 looks for publications, 4 checks what is missing, 5 begins, 6 imports.
      if (opened === 6) killed = killImport(database.sql);
      return open(role);
    },
  }).restore({ manifestKey, table: 'back' });
  const failure = await failureOf(failing);
  await killed;
  expect(failure.code).toBe('DatabaseUnavailable');
  expect(await progress()).toEqual({ state: 'begun', imported: 0, statements: 0 });

  await operations().restore({ manifestKey, table: 'back' });
  expect(await digest('app.back')).toBe(contents);
});

/** Waits for a session that imports, holds it by a lock on the record of segments, and kills it. */
async function killImport(sql: ReturnType<typeof archiver>['database']['sql']): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`lock table partition_archiver.restore_segment in share mode`;
    const pid = await untilSomebodyWaits(sql, { role: 'archiver_restore', query: '%record_import%' });
    await sql`select pg_terminate_backend(${pid})`;
  });
}

test('an index that cannot be built, fixed, and run again: the data is not loaded again', async () => {
  const { database, operations } = archiver();
  // Somebody else's table in the schema in which tables are restored, with the name of the index.
  const [index] = await database.sql<{ name: string }[]>`
    select table_name || '_pkey' as name from partition_archiver.partition where manifest_key = ${manifestKey}`;
  await database.sql.unsafe(`create table partition_archiver_restore."${index!.name}" ()`);
  const failure = await failureOf(operations().restore({ manifestKey, table: 'back' }));
  expect(failure.code).toBe('DatabaseRejected');
  expect(await progress()).toEqual({ state: 'begun', imported: segments, statements: 0 });
  await database.sql.unsafe(`drop table partition_archiver_restore."${index!.name}"`);

  const events: string[] = [];
  const log = { info: (event: string) => events.push(event), warn: () => undefined };
  await operations({ log }).restore({ manifestKey, table: 'back' });
  expect(events).not.toContain('import');
  expect(await digest('app.back')).toBe(contents);
});

// Seen to fail without: the check of begin_import's answer in adapters/postgres/restore/import.ts.
test('a segment that another execution has imported meanwhile is left alone', async () => {
  const { database, operations, open } = archiver();
  await expect(
    operations({ log: killing, segmentsAtOnce: 1 }).restore({ manifestKey, table: 'back' }),
  ).rejects.toThrow(Killed);
  const [row] = await database.sql<{ id: number; segmentNumber: number }[]>`
    select restore_id::integer as id, number as "segmentNumber" from partition_archiver.restore_segment
     where imported_at is not null order by restore_id desc limit 1`;
  const restoring = restoreDatabase({ open: () => open('archiver_restore'), timeoutMs: 60_000 });
  // No bucket is asked for anything.
  expect(
    await restoring.importSegment(
      row!.id,
      row!.segmentNumber,
      importSource(s3ArchiveStore(archiver().s3, 'none', 'none'), true),
    ),
  ).toBeNull();
  await operations().restore({ manifestKey, table: 'back' });
  expect(await digest('app.back')).toBe(contents);
});

// Seen to fail where attachProblems() was asked after begin(), and what begin() had found was given up.
test('one whose parent refuses it takes nothing away from one that is under way', async () => {
  const { operations } = archiver();
  const killed = operations({ segmentsAtOnce: 1, open: opensUntil(5) }).restore({
    manifestKey,
    table: 'back',
  });
  await expect(killed).rejects.toThrow(Killed);
  expect(await progress()).toEqual({ state: 'begun', imported: 0, statements: 0 });
  const refused = operations().restore({ manifestKey, table: 'back', attach: 'parent' });
  expect(await failureOf(refused)).toMatchObject({ code: 'AttachRefused' });
  expect(await progress()).toEqual({ state: 'begun', imported: 0, statements: 0 });
  await operations().restore({ manifestKey, table: 'back' });
  expect(await digest('app.back')).toBe(contents);
});

/**
 * Connections as far as the beginning of a restore: 1 looks for it, 2 renders, 3 looks for publications, 4 checks what is
 * missing, 5 begins.
 */
function opensUntil(last: number): ReturnType<typeof archiver>['open'] {
  let opened = 0;
  return (role) => {
    opened += 1;
    if (opened > last) throw new Killed();
    return archiver().open(role);
  };
}

test('two at once for one target: one table, once', async () => {
  const { database, operations } = archiver();
  const both = await Promise.allSettled([
    operations().restore({ manifestKey, table: 'back' }),
    operations().restore({ manifestKey, table: 'back' }),
  ]);
  // The second one was refused or helped; running it again returns what there is.
  for (const each of both) {
    if (each.status === 'rejected') {
      expect(['SegmentBusy', 'StateConflict', 'TransactionAborted']).toContain((each.reason as Error).name);
    }
  }
  await operations().restore({ manifestKey, table: 'back' });
  expect(await digest('app.back')).toBe(contents);
  expect(
    await database.sql`select from partition_archiver.partition where state = 'restored' and table_oid = 'app.back'::regclass`,
  ).toHaveLength(1);
});

test('given up: its table is gone, and another one may begin', async () => {
  const { database, operations } = archiver();
  await expect(operations({ log: killing }).restore({ manifestKey, table: 'back' })).rejects.toThrow(Killed);
  // For another owner it would be another table.
  await makeRoles(database.sql, 'other_owner');
  await database.sql`grant create, usage on schema app to other_owner`;
  await database.sql`grant other_owner to archiver_owner`;
  const failure = await failureOf(operations().restore({ manifestKey, table: 'back', owner: 'other_owner' }));
  expect(failure).toMatchObject({
    code: 'StateConflict',
    message: expect.stringMatching(/cancel it first/),
  });

  const [row] = await database.sql<
    { id: number }[]
  >`select max(id)::integer as id from partition_archiver.restore`;
  // As the statement does that the killed restore left on the server: it has the table, and then wants the row.
  // Seen to fail without another try in bin/archive/operations.ts: TransactionAborted, deadlock detected.
  const left = database.sql.begin(async (tx) => {
    const id = row!.id;
    // The cancel is to be the victim. Seen to fail without, once in a run of the matrix: this session looked for the deadlock first.
    await tx`set local deadlock_timeout = '1min'`;
    await tx.unsafe(`lock table partition_archiver_restore.restore_${id} in access share mode`);
    const cancelled = operations().cancelRestore(id);
    await untilSomebodyWaits(database.sql);
    await tx`select from partition_archiver.restore where id = ${id} for update`;
    return [cancelled] as const;
  });
  await (
    await left
  )[0];
  await operations().cancelRestore(row!.id);
  expect(
    await database.sql`select from pg_class where relnamespace = 'partition_archiver_restore'::regnamespace`,
  ).toEqual([]);
  await operations().restore({ manifestKey, table: 'back', owner: 'other_owner' });
  expect(await digest('app.back')).toBe(contents);
});
