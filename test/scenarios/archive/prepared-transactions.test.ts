import { expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { readArchives } from '../../support/archives.ts';
import { nth, readLedger } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();

// It has no session that one could see in pg_stat_activity, and outlives a restart of the server. Its locks do as well.
test('a row of a prepared transaction is waited for, and is in the archive once that has committed (hazard 11)', async () => {
  const { database, run, config, steps: makeSteps, s3, bucket } = archiver();
  const { sql } = database;
  const set = config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]);
  await createPartitionSet(sql, { months: 3, rowsPerMonth: 10 });
  const steps = makeSteps(set);
  const request = await steps.preflight({});
  await steps.maintain(request);
  const id = nth((await steps.detect(request)).partitions, 0);
  const { table } = nth(await readLedger(sql), 0);
  await sql.begin(async (tx) => {
    await tx.unsafe(`insert into app.${table} select 1000, min(ts), 'in doubt' from app.${table}`);
    await tx.prepare('in doubt');
  });
  try {
    expect(await failureOf(steps.quarantine(id, request))).toMatchObject({
      code: 'LockNotAvailable',
      retryable: true,
    });
  } finally {
    await sql`commit prepared 'in doubt'`;
  }
  expect(await run(set)).toMatchObject({ archived: 1, dropped: 1, rows: 11 });
  const [archive] = await readArchives(s3, bucket);
  expect(archive?.data.toString()).toContain('\tin doubt\n');
});
