import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { restoreDatabase } from '../../../adapters/postgres/restore/database.ts';
import { s3ArchiveStore } from '../../../adapters/s3/archive-store.ts';
import { restore } from '../../../core/restore/local.ts';
import type { RestoreDatabase } from '../../../core/restore/database.ts';
import { silentLog } from '../../../core/ports.ts';
import { hurriedClock, useArchiver } from '../../support/archiver.ts';
import { stack } from '../../support/database.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';
import { untilSomebodyWaits } from '../../support/waiting.ts';

const archiver = useArchiver();
const ROWS = 30_000;
let manifestKey = '';

beforeAll(async () => {
  const { database, run, config, operations } = archiver();
  await createPartitionSet(database.sql, { months: 3, rowsPerMonth: ROWS });
  await run(config([{ schema: 'app', table: 'event', drop: true, graceDays: 0, segmentSizeMiB: 1 }]));
  manifestKey = (await operations().find({})).archives[0]!.manifestKey;
});

beforeEach(async () => {
  await archiver().database.sql`drop table if exists app.back`;
});

/** Restores with some calls of the database changed. */
function restoreWith(change: (database: RestoreDatabase) => Partial<RestoreDatabase>): Promise<unknown> {
  const { s3, bucket, open } = archiver();
  const database = restoreDatabase({ open: () => open('archiver_restore'), timeoutMs: 60_000 });
  return restore(
    { manifestKey, table: 'back' },
    {
      database: { ...database, ...change(database) },
      store: s3ArchiveStore(s3, bucket, stack().s3.region),
      clock: hurriedClock,
      log: silentLog,
      // One after the other, so that something can happen between two ranges.
      segmentsAtOnce: 1,
    },
  );
}

const work = async (): Promise<string> => {
  const [row] = await archiver().database.sql<{ name: string }[]>`
    select 'partition_archiver_restore.' || work_name as name from partition_archiver.restore order by id desc limit 1`;
  return row!.name;
};

async function expectNothing(): Promise<void> {
  expect(
    await archiver().database.sql`
      select from pg_class where relnamespace = 'partition_archiver_restore'::regnamespace or oid = to_regclass('app.back')`,
  ).toEqual([]);
}

describe('a superuser who changes the table while it is restored', () => {
  test.each([
    ['a changed digit', `update % set payload = payload || '1' where id = 7`],
    ['a swapped field', `update % a set payload = b.payload from % b where a.id = 7 and b.id = 8`],
    [
      'a lost row beside a doubled one',
      `insert into % select id, ts + interval '1 microsecond', payload from % where id = 9; delete from % where id = 10`,
    ],
    ['a lost row', 'delete from % where id = 11'],
  ])('%s is found, and the table is dropped', async (_, statement) => {
    const failure = await failureOf(
      restoreWith((database) => ({
        planProof: async (id) => {
          await archiver().database.sql.unsafe(statement.replaceAll('%', await work()));
          return database.planProof(id);
        },
      })),
    );
    expect(failure).toMatchObject({
      code: 'ArchiveDamaged',
      message: expect.stringMatching(/line-hash sum/),
    });
    await expectNothing();
  });

  // Seen to fail without: the comparison of file numbers in partition_archiver.proven_restore.
  test('and who rewrites it between two ranges, each of which would agree with itself', async () => {
    let ranges = 0;
    const rewrite = (database: RestoreDatabase): Partial<RestoreDatabase> => ({
      readRange: async (id, range, read) => {
        ranges += 1;
        if (ranges === 2) await archiver().database.sql.unsafe(`vacuum full ${await work()}`);
        return database.readRange(id, range, read);
      },
    });
    const failure = await failureOf(restoreWith(rewrite));
    expect(failure).toMatchObject({ code: 'StateConflict', message: expect.stringMatching(/was rewritten/) });
    // Again: all of it is read again.
    await restoreWith(() => ({}));
  });
});

// Seen to fail without: proven_restore() in partition_archiver.publish_restore.
test('a superuser who rewrites it once it is proven: it is proven again before it is published', async () => {
  const rewrite = (database: RestoreDatabase): Partial<RestoreDatabase> => ({
    publish: async (id) => {
      await archiver().database.sql.unsafe(
        `alter table ${await work()} alter column payload type text using payload || '1'`,
      );
      return database.publish(id);
    },
  });
  const failure = await failureOf(restoreWith(rewrite));
  expect(failure).toMatchObject({ code: 'StateConflict', message: expect.stringMatching(/was rewritten/) });
  // Again: all of it is read again, and found changed.
  const again = await failureOf(restoreWith(() => ({})));
  expect(again).toMatchObject({ code: 'ArchiveDamaged' });
  await expectNothing();
});

// Seen to fail without: the state cancelled in partition_archiver.prove_restore.
test('a verdict whose answer was lost is given again, though the table is gone', async () => {
  const twice = (database: RestoreDatabase): Partial<RestoreDatabase> => ({
    planProof: async (id) => {
      await archiver().database.sql.unsafe(`delete from ${await work()} where id = 11`);
      return database.planProof(id);
    },
    prove: async (id) => {
      await database.prove(id);
      await database.cancel(id);
      return database.prove(id);
    },
  });
  expect(await failureOf(restoreWith(twice))).toMatchObject({ code: 'ArchiveDamaged' });
  await expectNothing();
});

describe('the plan of the proof', () => {
  test('has as many ranges as the archive has segments at least, and can have no gap and no overlap', async () => {
    const { sql } = archiver().database;
    await restoreWith(() => ({
      publish: () => Promise.reject(new Error('stopped before the end')),
    })).catch(() => undefined);
    const [row] = await sql<{ id: number; ranges: number; segments: number }[]>`
      select max(id)::integer as id,
             (select count(*)::integer from partition_archiver.restore_range where restore_id = max(r.id)) as ranges,
             (select count(*)::integer from partition_archiver.restore_segment where restore_id = max(r.id)) as segments
        from partition_archiver.restore r`;
    const { id, ranges, segments } = row!;
    expect(segments).toBeGreaterThan(1);
    expect(ranges).toBeGreaterThanOrEqual(segments);
    for (const statement of [
      'delete from partition_archiver.restore_range where restore_id = $1 and number = 1',
      'update partition_archiver.restore_range set first_block = first_block + 1 where restore_id = $1 and number = 1',
      'update partition_archiver.restore_range set next_block = next_block + 1 where restore_id = $1 and number = 0',
      'insert into partition_archiver.restore_range (restore_id, number, first_block) values ($1, 99, 0)',
    ]) {
      await expect(sql.begin((tx) => tx.unsafe(statement, [id]))).rejects.toThrow(/violates/);
    }
    await archiver().operations().cancelRestore(id);
  });

  test('lets nobody read a range in two ways, or prove what was not read', async () => {
    const { sql } = archiver().database;
    let id = 0;
    await restoreWith((database) => ({
      prove: async (restoreId) => {
        id = restoreId;
        await database.recordRange(restoreId, 0, {
          ...(await digestOf(restoreId)),
          complete: true,
          sha256: '',
        });
        await expect(
          database.recordRange(restoreId, 0, {
            rows: 1,
            bytes: 1,
            lineHashSum: '0'.repeat(16),
            complete: true,
            sha256: '',
          }),
        ).rejects.toMatchObject({ code: 'ArchiveDamaged' });
        await sql`update partition_archiver.restore_range
                     set read_at = null, row_count = null, byte_count = null, line_hash_sum = null
                   where restore_id = ${restoreId} and number = 0`;
        await expect(database.prove(restoreId)).rejects.toMatchObject({ code: 'StateConflict' });
        throw new Error('enough was seen');
      },
    })).catch((error: unknown) => {
      expect(error).toMatchObject({ message: 'enough was seen' });
    });
    await archiver().operations().cancelRestore(id);
    await expectNothing();
  });
});

async function digestOf(restoreId: number): Promise<{ rows: number; bytes: number; lineHashSum: string }> {
  const [row] = await archiver().database.sql<{ rows: number; bytes: number; lineHashSum: string }[]>`
    select row_count::integer as rows, byte_count::integer as bytes, line_hash_sum as "lineHashSum"
      from partition_archiver.restore_range where restore_id = ${restoreId} and number = 0`;
  return row!;
}

// Seen to fail where the statement and its record are two messages of the client.
test('an index whose client is gone is finished and recorded by the server all the same', async () => {
  const { database, open } = archiver();
  const { sql } = database;
  const seen = restoreWith((real) => ({
    runNextStatement: async (restoreId) => {
      // Held up by a lock, so that the client can be cut while the server is at it.
      const table = await work();
      await sql.begin(async (tx) => {
        await tx.unsafe(`lock table ${table} in share row exclusive mode`);
        const connection = open('archiver_restore');
        const gone = restoreDatabase({ open: () => connection, timeoutMs: 60_000 }).runNextStatement(
          restoreId,
        );
        gone.catch(() => undefined);
        await untilSomebodyWaits(sql, { role: 'archiver_restore', query: '%run_restore_statement%' });
        // While it runs, another call is told to wait.
        await expect(real.runNextStatement(restoreId)).rejects.toMatchObject({ code: 'SegmentBusy' });
        await connection.end({ timeout: 0 });
      });
      for (;;) {
        const [row] = await sql<{ done: number }[]>`
          select statements_done as done from partition_archiver.restore where id = ${restoreId}`;
        if (row!.done > 0) break;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error('one was seen');
    },
  }));
  await expect(seen).rejects.toMatchObject({ message: 'one was seen' });
  await restoreWith(() => ({}));
  const [row] = await sql<{ rows: number }[]>`select count(*)::integer as rows from app.back`;
  expect(row!.rows).toBe(ROWS);
});
