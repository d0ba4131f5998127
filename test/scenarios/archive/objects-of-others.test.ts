/** Objects that something else wrote under the keys of an archive: the hints of the two errors have to lead out. */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import { manifestKey, segmentKey } from '../../../core/keys.ts';
import { useArchiver } from '../../support/archiver.ts';
import { inState, nth } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();

// Seen to fail with resume alone, which is what the hints said before: blocked again, by the same object.
describe.each([
  ['UnexpectedObject', 'beside_a_segment', 'verify'],
  ['ManifestConflict', 'in_place_of_a_manifest', 'commit'],
] as const)('%s', (code, table, step) => {
  test('release, then resume: the next run archives the table under a new id', async () => {
    const { database, s3, bucket, steps, config, run, operations } = archiver();
    await createPartitionSet(database.sql, { table, months: 3, rowsPerMonth: 10 });
    const settings = config([{ schema: 'app', table, drop: true, graceDays: 0 }]);
    const own = steps(settings);
    const putFirst = async (): Promise<void> => {
      const { archiveId, period } = nth(await inState(database.sql, 'exported', table), 0);
      const location = {
        database: database.name,
        parentSchema: 'app',
        parentName: table,
        period,
        archiveId: archiveId ?? '',
      };
      const Key = step === 'verify' ? `${segmentKey(location, 0)}.bak` : manifestKey(location);
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: '{}' }));
    };
    const failed = run(
      settings,
      {},
      {
        export: async (...of) => {
          await own.export(...of);
          await putFirst();
        },
      },
    );
    expect((await failureOf(failed)).code).toBe('PartitionsFailed');
    const blocked = nth(await inState(database.sql, 'blocked', table), 0);
    expect(blocked.blockedCode).toBe(code);

    await operations().release(blocked.id);
    await operations().resume(blocked.id);

    expect(await run(settings)).toMatchObject({ archived: 1, dropped: 1, failed: 0, rows: 10 });
    const dropped = nth(await inState(database.sql, 'dropped', table), 0);
    expect(dropped.archiveId).not.toBe(blocked.archiveId);
  });
});
