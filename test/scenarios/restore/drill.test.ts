import { beforeAll, describe, expect, test } from '@jest/globals';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import type { Connection } from '../../../adapters/postgres/connect.ts';
import { drillDatabase } from '../../../adapters/postgres/restore/drill.ts';
import { restoreDatabase } from '../../../adapters/postgres/restore/database.ts';
import { s3ArchiveStore } from '../../../adapters/s3/archive-store.ts';
import { cancelDrill } from '../../../core/restore/drill.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { beginRestore } from '../../../core/restore/begin.ts';
import type { RestoreDatabase } from '../../../core/restore/database.ts';
import { importSource } from '../../../core/restore/import.ts';
import { silentLog as log } from '../../../core/ports.ts';
import { hurriedClock, useArchiver } from '../../support/archiver.ts';
import { listKeys } from '../../support/archives.ts';
import { stack } from '../../support/database.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
let manifestKey = '';

beforeAll(async () => {
  const { database, run, config, operations } = archiver();
  await createPartitionSet(database.sql, { months: 3 });
  // Nothing to try, and nobody to be told of it.
  expect(await operations().drill({}, database.name)).toBeNull();
  await run(config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]));
  manifestKey = (await operations().find({})).archives[0]!.manifestKey;
});

const restoring = (): RestoreDatabase =>
  restoreDatabase({ open: () => archiver().open('archiver_restore'), timeoutMs: 60_000 });

/** Makes the table of a drill, as far as one that is killed then leaves it. */
async function begin(execution = 'killed'): Promise<number> {
  const { s3, bucket } = archiver();
  const begun = await beginRestore(
    { manifestKey, manifestVersionId: null },
    { drill: execution },
    {
      database: restoring(),
      store: s3ArchiveStore(s3, bucket, stack().s3.region),
      clock: hurriedClock,
    },
  );
  if (begun.next === 'attach') throw new Error('it was published');
  return begun.restoreId;
}

const left = async (): Promise<number> =>
  (
    await archiver().database.sql`
      select from pg_class where relnamespace = 'partition_archiver_restore'::regnamespace and relkind = 'r'`
  ).length;

describe('a drill', () => {
  test('that is called again is the same one', async () => {
    const id = await begin();
    expect(await begin()).toBe(id);
    await restoring().cancel(id);
  });

  // Seen to fail without: the name of the execution in the name of a drill in begin_restore().
  test('does not disturb another one of the same archive at the same time', async () => {
    const { database, operations } = archiver();
    const other = await begin('other');
    expect(await operations().drill({ maxMiB: 1 }, database.name)).toMatchObject({ manifestKey, rows: 1000 });
    expect(await left()).toBe(1);
    const from = importSource(s3ArchiveStore(archiver().s3, archiver().bucket, stack().s3.region), true);
    expect(await restoring().importSegment(other, 0, from)).toBe(1000);
    await restoring().cancel(other);
  });

  // Seen to fail (as LockNotAvailable) without: the catch in leftBehind() of core/restore/drill.ts.
  test('that failed says why, though its table cannot be dropped', async () => {
    const { database } = archiver();
    const restoreId = await begin();
    const archive = { manifestKey, manifestVersionId: 'v' };
    const failure = { Error: 'ImportFailed', Cause: 'disk full' };
    const busy: RestoreDatabase = {
      ...restoring(),
      cancel: () => Promise.reject(new ArchiverError('LockNotAvailable', 'somebody reads it')),
    };
    const drills = { ...busy, ...drillDatabase(database.sql) };
    const pauses: number[] = [];
    const clock = { now: () => new Date(), sleep: (ms: number) => Promise.resolve(void pauses.push(ms)) };
    expect(
      await failureOf(cancelDrill({ archive, restoreId, failure }, { database: drills, clock, log })),
    ).toMatchObject({
      code: 'DrillFailed',
      message: expect.stringMatching(
        new RegExp(
          `ImportFailed, disk full; .*LockNotAvailable, somebody reads it.*cancel-restore ${restoreId}$`,
        ),
      ),
    });
    expect(pauses).toHaveLength(2);
    await restoring().cancel(restoreId);
  });

  test('can never be published, proven or not', async () => {
    const { database, operations, open } = archiver();
    const id = await begin();
    const connection = open('archiver_restore');
    try {
      await database.sql`update partition_archiver.restore set state = 'proven' where id = ${id}`;
      await expect(connection`select partition_archiver.publish_restore(${id})`).rejects.toThrow(
        /is a drill/,
      );
    } finally {
      await connection.end({ timeout: 1 });
    }
    await operations().cancelRestore(id);
  });

  test('is not good because somebody says so', async () => {
    const { operations, open, database } = archiver();
    const id = await begin();
    const connection = open('archiver_restore');
    try {
      await expect(connection`select partition_archiver.finish_drill(${id})`).rejects.toThrow(
        /no drill that is proven/,
      );
      await expect(connection`insert into partition_archiver.drill default values`).rejects.toThrow(
        /permission denied/,
      );
    } finally {
      await connection.end({ timeout: 1 });
    }
    await operations().cancelRestore(id);
    expect(await database.sql`select from partition_archiver.drill`).toHaveLength(1);
  });

  // Seen to fail with one connection for a whole drill, and for a whole restoreAll(), in bin/archive/operations.ts.
  test('and a restore survive that their idle connections are closed', async () => {
    const { database, operations, open } = archiver();
    const opened: Connection[] = [];
    const impatient = operations({
      open: (role) => {
        const connection = open(role);
        opened.push(connection);
        return connection;
      },
      log: {
        ...log,
        // Which archives they read is known: from here to the end of a real restore, hours may pass.
        info: (event) => {
          if (event !== 'plan-restore' && event !== 'select-archive') return;
          for (const connection of opened) void connection.end({ timeout: 0 });
        },
      },
    });
    expect(await impatient.drill({}, database.name)).toMatchObject({ manifestKey, rows: 1000 });
    const input = { partitionSet: 'app.event', from: '2000-01-01', schema: 'app', table: 'survived' };
    expect(await impatient.restoreAll(input, database.name)).toMatchObject({ failed: 0 });
  });

  // Seen to fail without: cancelOldDrills in core/restore/drill.ts.
  test('drops what an earlier one has left behind, and not what one is at now', async () => {
    const { database, operations } = archiver();
    const old = await begin();
    await database.sql`
      update partition_archiver.restore set began_at = now() - interval '6 days', target_name = 'another' where id = ${old}`;
    await operations().drill({}, database.name);
    expect(await left()).toBe(0);
    const current = await begin();
    await database.sql`update partition_archiver.restore set target_name = 'another' where id = ${current}`;
    await operations().drill({}, database.name);
    expect(await left()).toBe(1);
    await operations().cancelRestore(current);
  });

  // Seen to fail without: the exception handler in cancel_old_drills(), which kept each of them.
  test('that is good is not spoilt by what an earlier one left behind and somebody else holds', async () => {
    const { database, operations } = archiver();
    const old = await begin();
    const [row] = await database.sql<{ name: string }[]>`
      update partition_archiver.restore set began_at = now() - interval '6 days', target_name = 'another' where id = ${old}
      returning 'partition_archiver_restore.' || work_name as name`;
    const next = await begin('next');
    await database.sql`update partition_archiver.restore set began_at = now() - interval '6 days' where id = ${next}`;
    // Somebody looked into it, and made something that needs it.
    await database.sql.unsafe(`create view app.looked as select * from ${row!.name}`);
    expect(await operations().drill({}, database.name)).toMatchObject({ rows: 1000 });
    expect(await left()).toBe(1);
    await database.sql`drop view app.looked`;
    await operations().cancelRestore(old);
  });

  // Seen to fail (an input that is to be fixed) without: the case of none that is larger in nothingToTry() of core/restore/drill.ts.
  test('finds nothing small enough, or nothing that has not expired, and says which', async () => {
    const { s3, bucket, operations, database } = archiver();
    const data = (await listKeys(s3, bucket)).filter((key) => key.includes('/data/'));
    const markers = await Promise.all(
      data.map(async (Key) => ({
        Key,
        ...(await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }))),
      })),
    );
    const clock = { ...hurriedClock, now: () => new Date(Date.now() + 2 * 86_400_000) };
    try {
      expect(await failureOf(operations({ clock }).drill({}, database.name))).toMatchObject({
        code: 'ArchiveExpired',
        message: 'of 1 archive looked at, all have expired',
      });
    } finally {
      for (const { Key, VersionId } of markers) {
        await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
      }
    }
  });

  test('with a wrong size is refused', async () => {
    const { database, operations } = archiver();
    expect(await failureOf(operations().drill({ maxMiB: 0.5 }, database.name))).toMatchObject({
      code: 'InvalidInput',
      message: expect.stringMatching(/maxMiB: 0.5 is not allowed: must be a whole number/),
    });
  });

  test('that finds something missing says which archive, and what', async () => {
    const { database, operations } = archiver();
    await database.sql`update partition_archiver.partition set manifest_sha256 = repeat('0', 64) where manifest_key = ${manifestKey}`;
    expect(await failureOf(operations().drill({}, database.name))).toMatchObject({
      code: 'DrillFailed',
      message: expect.stringMatching(new RegExp(`${manifestKey}: ManifestInvalid, .*the ledger knows`)),
    });
    expect(await left()).toBe(0);
  });
});
