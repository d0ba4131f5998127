/** Autovacuum of the TOAST table, which has a lock of its own: a table that changes its owner or goes needs this one, too. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { quarantineDatabase } from '../../../adapters/postgres/archive/quarantine.ts';
import { useAsking } from '../../support/asking.ts';
import { inState, nth } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { makePartitioner } from '../../support/partition-table.ts';
import { makePlainTable } from '../../support/plain-table.ts';

const { archiver, sql, ask } = useAsking();
const { run: partition } = makePartitioner(archiver);

/** A value that is not compressed to what a row has room for; another one for each row of `g`. */
const WIDE = `(select string_agg(md5(random()::text), '') from generate_series(1, 200) where g > 0)`;

/** Works beside a slow VACUUM of the TOAST table of a table, which ends as an autovacuum that gives way. */
async function besideToastVacuum<T>(table: string, work: () => Promise<T>): Promise<T> {
  const vacuum = await sql().reserve();
  const [{ toast, pid }] = await vacuum<[{ toast: string; pid: number }]>`
    select reltoastrelid::regclass::text as toast, pg_backend_pid() as pid from pg_class where oid = ${table}::regclass`;
  await vacuum`set vacuum_cost_delay = 100`;
  await vacuum`set vacuum_cost_limit = 1`;
  const ended = vacuum.unsafe(`vacuum (disable_page_skipping) ${toast}`).then(
    () => 'completed',
    (error: unknown) => String(error),
  );
  while (
    (await sql()`select from pg_locks where relation = ${toast}::regclass and pid = ${pid}`).length === 0
  )
    await sleep(10);
  const cancelled = sleep(800).then(() => sql()`select pg_cancel_backend(${pid})`.execute());
  try {
    return await work();
  } finally {
    await cancelled;
    expect(await ended).toMatch(/canceling statement due to user request/);
    vacuum.release();
  }
}

// Seen to fail (55P03) where wait_for_autovacuum() looks at the table alone.
test('quarantine, and the return to the owner', async () => {
  const { config, open, steps } = archiver();
  await createPartitionSet(sql(), {
    months: 3,
    rowsPerMonth: 100,
    values: WIDE,
  });
  const settings = config([{ schema: 'app', table: 'event' }]);
  const wired = steps(settings);
  await wired.maintain(await wired.preflight({}));
  const { id, schema, table } = nth(await inState(sql(), 'detached', 'event'), 0);
  const maintain = open('archiver_maintain');
  try {
    await besideToastVacuum(`${schema}.${table}`, () => quarantineDatabase(maintain).quarantine(id, 2 ** 30));
  } finally {
    await maintain.end();
  }
  const { quarantineName } = nth(await inState(sql(), 'quarantined', 'event'), 0);
  const quarantined = `partition_archiver_quarantine."${String(quarantineName)}"`;
  expect(await besideToastVacuum(quarantined, () => ask(`return_to_owner(${String(id)})`))).toMatch(
    /^returns/,
  );
});

// Seen to fail (55P03) where wait_for_autovacuum_of_job() looks at the tables alone.
test('the swap of partition-table', async () => {
  await makePlainTable(sql(), 'wide', 100);
  await sql().unsafe(
    `alter table shop.wide add column wide text; update shop.wide set wide = ${WIDE.replace('g >', 'id >')}`,
  );
  const { state } = await partition({ table: 'wide' }, (real) => ({
    swap: (job, most) => besideToastVacuum('shop.wide', () => real.swap(job, most)),
  }));
  expect(state).toBe('swapped');
});

// Seen to fail (XX000) where wait_for_autovacuum() does not catch internal_error.
test('the wait does not fail by a grant meanwhile', async () => {
  await sql().unsafe(`
    create table public.granted as select ${WIDE} as wide from generate_series(1, 100) g`);
  await besideToastVacuum('public.granted', async () => {
    let answer: string | undefined;
    let waiting: Promise<void> | undefined;
    await sql().begin(async (tx) => {
      await tx`grant select on public.granted to archiver_read`;
      waiting = ask(`wait_for_autovacuum('public.granted'::regclass)`).then((said) => {
        answer = said;
      });
      const forTheGrant = (): Promise<unknown[]> =>
        sql()`select from pg_locks where locktype = 'transactionid' and not granted`.execute();
      while (answer === undefined && (await forTheGrant()).length === 0) await sleep(10);
    });
    await waiting;
    expect(answer).toBe('returns true');
  });
});
