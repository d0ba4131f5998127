/** Tables that the table references are deleted from while the tables change places. */
import { beforeAll, expect, test } from '@jest/globals';
import type { Connection } from '../../../adapters/postgres/connect.ts';
import { rollBackPartitionTable } from '../../../core/partition-table/local.ts';
import { asAdministrator } from '../../support/administrator.ts';
import { useArchiver } from '../../support/archiver.ts';
import { makePartitioner } from '../../support/partition-table.ts';
import { makeShop } from '../../support/plain-table.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
const { run, withPorts } = makePartitioner(archiver);

const open = (applicationName: string): Connection =>
  asAdministrator(archiver().database.name, { applicationName });

beforeAll(async () => {
  const { sql } = archiver().database;
  await makeShop(sql);
  await sql.unsafe(`
    create table shop.region (id integer primary key);
    insert into shop.region select generate_series(1, 200);
    create table shop.sale (id integer primary key, region integer not null references shop.region, at timestamptz not null);
    insert into shop.sale select g, g % 50 + 1, now() - g * interval '6 hours' from generate_series(1, 300) g;
    create table shop.loss (like shop.sale including all, foreign key (region) references shop.region);
    insert into shop.loss select * from shop.sale;
    alter table shop.region owner to shop_owner; alter table shop.sale owner to shop_owner; alter table shop.loss owner to shop_owner`);
});

/** Deletes regions that nothing refers to, and puts them back, in sessions of their own, while `work` runs. */
async function whileDeleting<T>(
  work: () => Promise<T>,
): Promise<{ result: T; deletes: number; killed: number }> {
  let stop = false;
  let [deletes, killed] = [0, 0];
  const deleter = async (seed: number): Promise<void> => {
    const session = open('application');
    for (let n = 0; !stop; n += 1) {
      const id = 60 + seed * 20 + (n % 20);
      try {
        await session.begin(async (tx) => {
          await tx`delete from shop.region where id = ${id}`;
          await tx`insert into shop.region values (${id})`;
        });
        deletes += 1;
      } catch (error) {
        killed += String(error).includes('deadlock') ? 1 : 0;
      }
    }
    await session.end();
  };
  const deleters = Promise.all([0, 1, 2, 3, 4, 5].map(deleter));
  try {
    while (deletes < 20) await new Promise((resolve) => setTimeout(resolve, 5));
    return { result: await work(), deletes, killed };
  } finally {
    stop = true;
    await deleters;
  }
}

// Seen to fail on a9b8896: the swap gave up with 55P03 after all its tries.
test('a steady stream of deletes in a referenced table does not keep the tables from changing places', async () => {
  const plan = { mode: 'offline', interval: '1 month' } as const;
  await run({ table: 'sale', ...plan }, undefined, 'check');
  let tries = 0;
  const swapped = await whileDeleting(() =>
    run({ table: 'sale', ...plan }, (real) => ({
      swap: (job, most) => {
        tries += 1;
        return real.swap(job, most);
      },
    })),
  );
  expect(swapped).toMatchObject({ result: { state: 'swapped' }, killed: 0 });
  expect(tries).toBeLessThanOrEqual(5);

  await run({ table: 'loss', ...plan }, undefined, 'check');
  const rolledBack = await whileDeleting(() =>
    withPorts((ports) => rollBackPartitionTable({ schema: 'shop', table: 'loss' }, ports)),
  );
  expect(rolledBack.killed).toBe(0);
  expect(
    await archiver().database
      .sql`select from pg_trigger where tgrelid = 'shop.loss'::regclass and tgname like 'partition%'`,
  ).toHaveLength(0);
});

// Seen to fail without lock_referenced() in extend_partition_job(): it waited until the application's transaction ended, and
// writes of others to the table behind it; without withLockTries() in catchUp of core/partition-table/steps.ts, the command ended
// with LockNotAvailable.
test('further partitions of an offline job wait only briefly for a referenced table, and are tried again', async () => {
  const plan = { table: 'later', mode: 'offline', interval: '1 month' } as const;
  const { sql } = archiver().database;
  await sql.unsafe(`
    create table shop.later (like shop.sale including all, foreign key (region) references shop.region);
    insert into shop.later select g, 1, now() - g * interval '6 hours' from generate_series(1, 300) g;
    alter table shop.later owner to shop_owner`);
  await run(plan, undefined, 'check');
  // As if it had begun months ago.
  await sql.unsafe(`do $$ begin execute (select 'drop table ' || string_agg(oid::regclass::text, ', ') from (
    select oid from pg_class where relnamespace = 'partition_archiver_shadow'::regnamespace and relname like 'later_p%' and relkind = 'r'
     order by relname desc limit 3) x); end $$`);
  const application = open('application');
  let tries = 0;
  try {
    const extend = async (real: () => Promise<void>): Promise<void> => {
      tries += 1;
      if (tries > 1) return real();
      const refused = await application.begin(async (tx) => {
        await tx`set local idle_in_transaction_session_timeout = '20s'`;
        await tx`insert into shop.region values (1000)`;
        return failureOf(real());
      });
      expect(refused.code).toBe('LockNotAvailable');
      throw refused;
    };
    const changed: Parameters<typeof run>[1] = (real) => ({
      extend: (job) => extend(() => real.extend(job)),
    });
    expect(await run(plan, changed, 'check')).toMatchObject({ state: 'checked' });
  } finally {
    await application.end();
  }
  expect(tries).toBeGreaterThan(1);
  expect(await run(plan)).toMatchObject({ state: 'swapped', rows: 300 });
});
