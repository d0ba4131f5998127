/**
 * Autovacuum holds a lock for as long as it reads a table, and gives way only to a session that waits for longer than
 * deadlock_timeout. Each lock that it can stand in the way of is had at the first try.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { maintainDatabase } from '../../../adapters/postgres/archive/maintain.ts';
import { useAsking } from '../../support/asking.ts';
import { inState, nth, readLedger } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { makePartitioner } from '../../support/partition-table.ts';
import { makePlainTable } from '../../support/plain-table.ts';
import { untilSomebodyWaits } from '../../support/waiting.ts';

const { archiver, sql, bring, ask } = useAsking();
const { run: partition } = makePartitioner(archiver);

/**
 * Works while another session has autovacuum's lock on tables: one cannot be had on demand. The lock is released after longer
 * than the archiver's short waits and sooner than deadlock_timeout plus a half second, as by an autovacuum that gives way.
 */
async function besideVacuum<T>(tables: readonly string[], work: () => Promise<T>): Promise<T> {
  const vacuum = await sql().reserve();
  await vacuum`begin`;
  for (const table of tables) await vacuum.unsafe(`lock table only ${table} in share update exclusive mode`);
  const released = sleep(800).then(async () => {
    await vacuum`commit`;
    vacuum.release();
  });
  try {
    return await work();
  } finally {
    await released;
  }
}

const never = { now: () => new Date(), sleep: () => Promise.reject(new Error('a second try was needed')) };

test('quarantine', async () => {
  const { steps, config } = archiver();
  await createPartitionSet(sql(), { months: 3, rowsPerMonth: 10 });
  const wired = steps(config([{ schema: 'app', table: 'event' }]));
  const request = await wired.preflight({});
  await wired.maintain(request);
  const { partitions } = await wired.detect(request);
  const [id = 0] = partitions;
  const [table] = await sql()<{ name: string }[]>`
    select format('%I.%I', table_schema, table_name) as name from partition_archiver.partition where id = ${id}`;
  // Seen to fail (LockNotAvailable) without wait_for_autovacuum() in quarantine().
  const impatient = steps(config([{ schema: 'app', table: 'event' }]), { clock: never });
  const quarantined = besideVacuum([table?.name ?? ''], () => impatient.quarantine(id, request));
  await expect(quarantined).resolves.toMatchObject({ next: 'export' });
});

// Creating and detaching a partition locks the default partition, too.
test('maintenance and detach, with a default partition', async () => {
  const { config, open, run } = archiver();
  await createPartitionSet(sql(), { table: 'kept', months: 4, rowsPerMonth: 10 });
  const settings = config([{ schema: 'app', table: 'kept' }]);
  const set = nth(settings.partitionSets, 0);
  await run(settings, { only: 'inventory' });
  await sql()`update partman.part_config set premake = 6 where parent_table = 'app.kept'`;
  // As pg_partman leaves it where a superuser calls create_parent(). Seen to fail ("must be owner of …") where
  // wait_for_autovacuum() does not catch insufficient_privilege.
  await sql()`alter table app.kept_default owner to current_user`;
  await sql()`grant all on app.kept_default to app_owner`;
  const maintain = open('archiver_maintain');
  try {
    const steps = maintainDatabase(maintain, []);
    await besideVacuum(['app.kept_default'], () => steps.runMaintenance(set));
    const [first, second] = await steps.expiring(set);
    if (first === undefined || second === undefined) throw new Error('two partitions are to expire');
    const { schema, table } = first;
    expect(await besideVacuum([`${schema}.${table}`], () => steps.detach(set, first))).toBe('detached');
    expect(await besideVacuum(['app.kept_default'], () => steps.detach(set, second))).toBe('detached');
  } finally {
    await maintain.end();
  }
});

// Seen to fail without the rollback in wait_for_autovacuum().
test('the wait keeps no lock and restores lock_timeout', async () => {
  await sql()`create table public.left_alone (id integer)`;
  await besideVacuum(['public.left_alone'], () =>
    sql().begin(async (tx) => {
      await tx`set local lock_timeout = '7s'`;
      expect(
        await tx`select partition_archiver.wait_for_autovacuum('public.left_alone'::regclass) as waited`,
      ).toEqual([{ waited: true }]);
      const left = await tx`
        select current_setting('lock_timeout') as timeout,
               array(select mode from pg_locks where pid = pg_backend_pid() and relation = 'public.left_alone'::regclass) as locks`;
      expect(left).toEqual([{ timeout: '7s', locks: [] }]);
    }),
  );
});

// Seen to fail (LockNotAvailable) where only the default partition itself is waited for.
test('maintenance, with a default partition that is partitioned itself', async () => {
  const { config, open, run } = archiver();
  await createPartitionSet(sql(), { table: 'nested', months: 4, rowsPerMonth: 10 });
  await sql().unsafe(`drop table app.nested_default;
    create table app.nested_default partition of app.nested default partition by range (ts);
    create table app.nested_rest partition of app.nested_default default;
    alter table app.nested_default owner to app_owner; alter table app.nested_rest owner to app_owner`);
  const settings = config([{ schema: 'app', table: 'nested' }]);
  await run(settings, { only: 'inventory' });
  await sql()`update partman.part_config set premake = 6 where parent_table = 'app.nested'`;
  const maintain = open('archiver_maintain');
  try {
    const steps = maintainDatabase(maintain, []);
    const warnings = besideVacuum(['app.nested_rest'], () =>
      steps.runMaintenance(nth(settings.partitionSets, 0)),
    );
    expect(await warnings).toEqual([]);
  } finally {
    await maintain.end();
  }
});

// Seen to fail where the partitions are listed by pg_partition_tree(), which locks them: another session that maintains waits for
// them while it has pg_partman's lock, which this one waits for next.
test('the look at the partitions of a default partition keeps no lock on them', async () => {
  await sql().unsafe(`
    create table public.listed (id integer) partition by range (id);
    create table public.listed_default partition of public.listed default partition by range (id);
    create table public.listed_rest partition of public.listed_default default`);
  await sql().begin(async (tx) => {
    await tx`select partition_archiver.wait_for_autovacuum_of_default('public.listed'::regclass)`;
    const locks = await tx`
      select relation::regclass::text as name, mode from pg_locks
       where pid = pg_backend_pid() and relation::regclass::text like '%listed%'`;
    expect(locks).toEqual([]);
  });
});

// Seen to fail (42P01) where wait_for_autovacuum() does not catch undefined_table.
test('a table that is dropped meanwhile', async () => {
  await sql()`create table public.going (id integer)`;
  const [{ oid }] = await sql()<[{ oid: string }]>`select 'public.going'::regclass::oid::text as oid`;
  await besideVacuum(['public.going'], async () => {
    const dropped = sql()`drop table public.going`.execute();
    await untilSomebodyWaits(sql());
    expect(await ask(`wait_for_autovacuum(${oid})`)).toBe('returns true');
    await dropped;
  });
});

// Seen to fail (3F000) where wait_for_autovacuum() does not catch invalid_schema_name.
test('a schema that is renamed meanwhile', async () => {
  await sql()`create schema passing`;
  await sql()`create table passing.going (id integer)`;
  const [{ oid }] = await sql()<[{ oid: string }]>`select 'passing.going'::regclass::oid::text as oid`;
  await besideVacuum(['passing.going'], async () => {
    const waiting = ask(`wait_for_autovacuum(${oid})`);
    await untilSomebodyWaits(sql());
    await sql()`alter schema passing rename to passed`;
    expect(await waiting).toBe('returns true');
  });
});

test('reverify, and the return to the owner', async () => {
  const { id, line } = await bring('again', 'verified');
  const { quarantineName } = await line();
  const table = `partition_archiver_quarantine."${String(quarantineName)}"`;
  expect(await besideVacuum([table], () => ask(`begin_reverify(${String(id)})`))).toMatch(/^returns/);
  expect(await besideVacuum([table], () => ask(`return_to_owner(${String(id)})`))).toMatch(/^returns/);
});

describe('of a restored table', () => {
  let id = '';
  beforeAll(async () => {
    const { config, operations, run } = archiver();
    await createPartitionSet(sql(), { table: 'back', months: 3, rowsPerMonth: 10 });
    await run(config([{ schema: 'app', table: 'back', drop: true, graceDays: 0 }]));
    await sql()`update partman.part_config set retention = '99 months' where parent_table = 'app.back'`;
    const { archives } = await operations().find({ schema: 'app', table: 'back' });
    const { manifestKey } = nth(archives, 0);
    const killed = new Error('killed');
    const log = {
      info: (event: string) => {
        if (event === 'prove') throw killed;
      },
      warn: () => undefined,
    };
    await expect(operations({ log }).restore({ manifestKey })).rejects.toThrow(killed);
    const [work] = await sql()<{ id: string; name: string }[]>`
      select id, format('partition_archiver_restore.%I', work_name) as name from partition_archiver.restore
       order by id desc limit 1`;
    await sql().unsafe(`select partition_archiver.prove_restore(${work?.id ?? ''})`);
    // Seen to fail without wait_for_autovacuum() in publish_restore(); the others, in claim_restored().
    const published = besideVacuum([work?.name ?? ''], () => ask(`publish_restore(${work?.id ?? ''})`));
    expect(await published).toMatch(/^returns/);
    await operations().restore({ manifestKey });
    const [restored] = await inState(sql(), 'restored', 'back');
    id = String(restored?.id);
  });

  test.each([
    ['the bounds', 'bound_restored($)', 'restored'],
    ['the indexes', `index_restored($, 'app', 'back')`, 'restored'],
    ['the foreign keys', `reference_restored($, 'app', 'back')`, 'restored'],
    ['attach', `attach_restored($, 'app', 'back')`, 'restored'],
    ['attach, with a default partition', `attach_restored($, 'app', 'back')`, 'default'],
  ])('%s', async (_, call, which) => {
    const lines = (await readLedger(sql(), 'back')).filter((line) => String(line.id) === id);
    const { schema, table } = nth(lines, 0);
    const vacuumed = which === 'default' ? 'app.back_default' : `${schema}."${table}"`;
    expect(await besideVacuum([vacuumed], () => ask(call.replace('$', id)))).toMatch(/^returns/);
  });
});

test('partition-table: its triggers, the swap, and what takes it back', async () => {
  for (const [table, undone] of [
    ['plain', false],
    ['undone', true],
  ] as const) {
    await makePlainTable(sql(), table, 500);
    const partitions = async (): Promise<string[]> => {
      const rows = await sql()<{ name: string }[]>`
        select inhrelid::regclass::text as name from pg_inherits
         where inhparent = to_regclass(${`partition_archiver_shadow.${table}`})`;
      return rows.map(({ name }) => name);
    };
    const once = async (work: () => Promise<unknown>): Promise<void> => {
      await besideVacuum([`shop.${table}`, ...(await partitions())], work);
    };
    const partitioned = partition({ table }, (real) => ({
      makePartitions: (job) => once(() => real.makePartitions(job)),
      swap: (job, most) =>
        once(() =>
          undone
            ? real.rollBack(job).then(() => {
                throw new Error('undone');
              })
            : real.swap(job, most),
        ),
    }));
    if (undone) await expect(partitioned).rejects.toThrow('undone');
    else await partitioned;
  }
  const [{ id }] = await sql()<[{ id: string }]>`
    select id from partition_archiver.partition_job where table_name = 'plain'`;
  expect(
    await besideVacuum(['partition_archiver_replaced.plain'], () => ask(`drop_replaced(${id})`)),
  ).toMatch(/^returns/);
});

test('partition-table: further partitions of an offline job', async () => {
  await makePlainTable(sql(), 'later', 500);
  await partition({ table: 'later', mode: 'offline' }, undefined, 'check');
  // As if it had begun months ago.
  await sql()
    .unsafe(`do $$ begin execute (select 'drop table ' || string_agg(oid::regclass::text, ', ') from (
    select oid from pg_class where relnamespace = 'partition_archiver_shadow'::regnamespace and relname like 'later_p%' and relkind = 'r'
     order by relname desc limit 3) x); end $$`);
  const [{ id }] = await sql()<[{ id: string }]>`
    select id from partition_archiver.partition_job where table_name = 'later'`;
  const extended = besideVacuum(['partition_archiver_shadow.later_default'], () =>
    ask(`extend_partition_job(${id})`),
  );
  expect(await extended).toMatch(/^returns/);
});
