import { expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { inState, nth, readLedger } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();

test('a DETACH CONCURRENTLY that was cancelled half way is left to an operator, and said (hazard 8)', async () => {
  const { database, run, config } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { months: 4, rowsPerMonth: 20 });
  const settings = config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]);
  await run(settings, { only: 'inventory' });
  const line = nth(await readLedger(sql), 0);
  const name = `app.${line.table}`;

  await sql`drop table app.event_default`;
  // It waits for sessions that read the set, after its first transaction has committed.
  await sql.begin(async (reader) => {
    await reader`select count(*) from app.event`;
    const detaching = await sql.reserve();
    await detaching`set statement_timeout = '300ms'`;
    await expect(
      detaching.unsafe(`alter table app.event detach partition ${name} concurrently`),
    ).rejects.toThrow('statement timeout');
    await detaching`reset statement_timeout`;
    detaching.release();
  });
  const [pending] = await sql<[{ pending: boolean }]>`
    select inhdetachpending as pending from pg_inherits where inhrelid = ${line.oid}::oid`;
  expect(pending).toEqual({ pending: true });

  const [{ refusals }] = await sql<[{ refusals: string[] }]>`
    select partition_archiver.refusals(${line.oid}::oid) as refusals`;
  expect(refusals).toEqual(['it is attached to app.event, with a DETACH CONCURRENTLY pending']);

  // It alone is left; the run ends as failed, since rows cannot be seen through the parent.
  const failure = await failureOf(run(settings));
  expect(failure.message).toContain(
    `app.event: StateConflict, ${name} is detached half way: it is left to an operator`,
  );
  const unfinished = `the DETACH CONCURRENTLY of ${name} was never finished: alter table … detach partition … finalize`;
  expect(failure.message).toContain(`app.event: ${unfinished}`);
  expect((await readLedger(sql)).find(({ oid }) => oid === line.oid)?.state).toBe('attached');
  expect(await inState(sql, 'dropped')).toHaveLength(1);
  const { partitionSets } = await run(settings, { only: 'inventory' });
  expect(nth(partitionSets, 0).warnings).toContain(unfinished);

  await sql.unsafe(`alter table app.event detach partition ${name} finalize`);
  expect(await run(settings)).toMatchObject({ archived: 1, dropped: 1, failed: 0 });
});
