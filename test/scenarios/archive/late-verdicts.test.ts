/** A verdict or an export that arrives after the table was released, changed, and fenced again: the contents are other ones now. */
import { expect, test } from '@jest/globals';
import { reverifyFence, reverifyReading } from '../../../adapters/postgres/reverify/steps.ts';
import { verifyDatabase } from '../../../adapters/postgres/archive/verify.ts';
import { copyOut, type CopyOut } from '../../../adapters/postgres/copy.ts';
import { s3ObjectStore } from '../../../adapters/s3/object-store.ts';
import { verifySegment } from '../../../core/archive/verify.ts';
import { LineDigester } from '../../../core/proof/line-digest.ts';
import { silentLog as log } from '../../../core/ports.ts';
import { hurriedClock, useArchiver } from '../../support/archiver.ts';
import { readArchives } from '../../support/archives.ts';
import { stack } from '../../support/database.ts';
import { nth, readLedger } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { quarantined } from '../../support/streamed.ts';
import { createVerifiedPartitions, failureOf } from '../../support/verified.ts';

const archiver = useArchiver();

// Seen to fail without the keys in record_match(): committed with the objects of the first archive, and dropped with the row
// that was corrected in between.
test('on the objects of an archive that was void meanwhile proves nothing of the next one', async () => {
  const { database, config, steps: makeSteps, operations, open, s3, bucket } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'corrected', months: 3, rowsPerMonth: 100 });
  const steps = makeSteps(config([{ schema: 'app', table: 'corrected', drop: true, graceDays: 0 }]));
  const request = await steps.preflight({});
  await steps.maintain(request);
  const id = nth((await steps.detect(request)).partitions, 0);
  await steps.quarantine(id, request);
  await steps.export(id, 0);

  const connection = open('archiver_read');
  const plain = verifyDatabase(connection, { open: () => open('archiver_read'), isVerifyEndpoint: false });
  const late: typeof plain = {
    ...plain,
    recordMatch: async (...verdict) => {
      await operations().release(id);
      const { table } = nth(await readLedger(sql, 'corrected'), 0);
      await sql.unsafe(`update app.${table} set payload = 'ROW 50' where id = 50`);
      await operations().resume(id);
      await steps.quarantine(id, request);
      await steps.export(id, 0);
      await plain.recordMatch(...verdict);
    },
  };
  const store = s3ObjectStore(s3, bucket, stack().s3.region);
  try {
    expect(
      await failureOf(verifySegment(id, 0, { database: late, store, clock: hurriedClock, log })),
    ).toMatchObject({
      code: 'StateConflict',
      message: expect.stringContaining('not to these objects'),
    });
  } finally {
    await connection.end();
  }
  await steps.verify(id, 0);
  await steps.commit(id, request);
  const [archive] = await readArchives(s3, bucket);
  expect(archive?.data.toString()).toMatch(/^50\t.*\tROW 50$/m);
});

// Seen to fail without the fence in record_reverified(): verified again, though a row changed after it was read.
test('of a verification again, which another one has begun again since, says nothing of what was written in between', async () => {
  const { database, open } = archiver();
  const [line] = await createVerifiedPartitions(archiver(), { table: 'again', cold: 1, rowsPerMonth: 100 });
  const { id } = line!;
  const [maintain, read] = [open('archiver_maintain'), open('archiver_read')];
  try {
    const fence = reverifyFence(maintain);
    const reading = reverifyReading(read, () => open('archiver_read'));
    const before = await fence.begin(id);
    const digest = await reading.readSegment(id, 0, async (rows) => {
      const digester = new LineDigester();
      for await (const chunk of rows) digester.update(chunk);
      return digester.digest();
    });
    await database.sql.unsafe(`
      alter table partition_archiver_quarantine."${String(line!.quarantineName)}" disable trigger partition_archiver_fence_row;
      update partition_archiver_quarantine."${String(line!.quarantineName)}" set payload = 'ROW 50' where id = 50`);
    const after = await fence.begin(id);
    expect(await failureOf(reading.record(id, 0, before.fence, digest))).toMatchObject({
      code: 'StateConflict',
      message: expect.stringContaining('was made again since segment 0 was read'),
    });
    // Begun twice without a change, it is one verification.
    expect((await fence.begin(id)).fence).toBe(after.fence);
  } finally {
    await Promise.all([maintain.end(), read.end()]);
  }
});

// Seen to be recorded, with the rows of all blocks for a segment that has some of them, without the look at the key in
// record_export.
test('an export that began before the table was fenced again is not that of a segment of the next archive', async () => {
  const segment = await quarantined(archiver(), { proof: 'one-reading', values: `repeat('x', 300)` });
  const { database, operations, steps: makeSteps } = archiver();
  const steps = makeSteps({
    ...segment.config,
    partitionSets: segment.config.partitionSets.map((set) => ({ ...set, segmentSizeMiB: 1 / 64 })),
  });
  let times = 0;
  const late: CopyOut = (connection, doing, statement, read, mode) =>
    copyOut(
      connection,
      doing,
      async (transaction) => {
        const copy = await statement(transaction);
        times += 1;
        await operations().release(segment.id);
        await operations().resume(segment.id);
        await steps.quarantine(segment.id, await steps.preflight({}));
        return copy;
      },
      read,
      mode,
    );
  expect(await failureOf(segment.stream({ letter: 'a', reader: late }))).toMatchObject({
    code: 'StateConflict',
    message: expect.stringContaining('belongs to another archive than'),
  });
  expect(times).toBe(1);
  const plan = await database.sql<{ state: string }[]>`
    select s.state from partition_archiver.segment s join partition_archiver.partition l using (archive_id)
     where l.id = ${segment.id}`;
  expect(plan.length).toBeGreaterThan(1);
  expect(new Set(plan.map(({ state }) => state))).toEqual(new Set(['planned']));
});
