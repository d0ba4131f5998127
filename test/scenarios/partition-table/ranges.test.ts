/** A plain table becomes a partition set by steps that each do little: what a driver does whose calls have to end. */
import { expect, test } from '@jest/globals';
import type { Connection } from '../../../adapters/postgres/connect.ts';
import { partitionTableDatabase } from '../../../adapters/postgres/partition-table/database.ts';
import type { PartitionTableDatabase, PartitionTablePlan } from '../../../core/partition-table/database.ts';
import { partitionTable } from '../../../core/partition-table/local.ts';
import {
  begin,
  beginRollBack,
  STEPS,
  type PartitionTablePorts,
  type Progress,
} from '../../../core/partition-table/steps.ts';
import { silentLog } from '../../../core/ports.ts';
import { asAdministrator } from '../../support/administrator.ts';
import { hurriedClock, useArchiver } from '../../support/archiver.ts';
import { contents, makePlainTable } from '../../support/plain-table.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
/** One round of each loop, and ranges of a few hundred rows. */
const LIMITS = { milliseconds: 0, rangeBytes: 30_000, largestScanBytes: 1 };

const planOf = (table: string): PartitionTablePlan => ({
  schema: 'shop',
  table,
  control: 'at',
  interval: '1 month',
  premake: 2,
  retention: '2 months',
  mode: 'online',
  keys: 'extend',
  defaultPartition: true,
  epoch: 'none',
  timeZone: 'UTC',
});

const open = (): Connection => asAdministrator(archiver().database.name);

/** Drives the steps one by one; `between` is called before each, and may do what others do meanwhile. */
async function drive(
  table: string,
  upTo: Progress['upTo'],
  {
    between = () => Promise.resolve(),
    twice = false,
    changes = () => ({}),
  }: {
    between?: (at: Progress) => Promise<unknown>;
    twice?: boolean;
    changes?: (real: PartitionTableDatabase) => Partial<PartitionTableDatabase>;
  } = {},
): Promise<Progress[]> {
  const connection = open();
  const real = partitionTableDatabase(connection, open);
  const ports: PartitionTablePorts = {
    database: { ...real, ...changes(real) },
    clock: hurriedClock,
    limits: LIMITS,
    log: silentLog,
  };
  try {
    const plan = planOf(table);
    const way = [await begin(plan, upTo, ports)];
    for (let at = way[0]!; at.next !== 'done';) {
      await between(at);
      const after = await STEPS[at.next](at, ports);
      // The answer got lost: it is called again as it was.
      at = twice ? await STEPS[at.next](at, ports) : after;
      way.push(at);
    }
    return way;
  } finally {
    await connection.end();
  }
}

// Seen to fail without: leaving out the keys that wait in range_to_compare, whose rows differ by then.
test('ranges are compared one after another while rows change, move and go, and no write is lost', async () => {
  const { sql } = archiver().database;
  await makePlainTable(sql, 'ranges');
  await sql.unsafe(
    'drop trigger touch on shop.ranges; create index on shop.ranges (at); create table shop.shadow as select id, at, body from shop.ranges; alter table shop.shadow add primary key (id)',
  );
  const apply = (statement: string): Promise<unknown> =>
    sql.begin(async (tx) => {
      for (const table of ['ranges', 'shadow']) await tx.unsafe(statement.replaceAll('$t', `shop.${table}`));
    });
  let n = 0;
  const write = async (): Promise<void> => {
    n += 1;
    // In ranges that are compared already, in those to come, and from the ones into the others.
    await apply(`update $t set body = 'changed ${String(n)}' where id % 41 = ${String(n % 41)}`);
    await apply(
      `update $t set at = at + interval '40 days' where id % 43 = ${String(n % 43)} and at < now() - interval '60 days'`,
    );
    await apply(
      `update $t set at = at - interval '40 days' where id % 47 = ${String(n % 47)} and at > now() - interval '60 days'`,
    );
    await apply(`delete from $t where id % 101 = ${String(n % 101)}`);
    await apply(`update $t set id = id + 100000 where id % 211 = ${String(n % 211)} and id < 100000`);
    await apply(
      `insert into $t (id, at, body) values (${String(200_000 + n)}, now() - interval '${String(n % 100)} days', 'new')`,
    );
  };
  const way = await drive('ranges', 'swap', {
    between: write,
    changes: (real) => ({
      // After the last changes were taken over, before the snapshot.
      compareRange: async (job, limits) => {
        await write();
        return real.compareRange(job, limits);
      },
      swap: async (job, most) => {
        await write();
        return real.swap(job, most);
      },
    }),
  });
  expect(way.filter(({ next }) => next === 'compare').length).toBeGreaterThan(8);
  const [differences] = await sql<[{ count: number }]>`
    select count(*)::integer as count from (
      (select id, at, body from shop.ranges except all select id, at, body from shop.shadow)
      union all (select id, at, body from shop.shadow except all select id, at, body from shop.ranges)) d`;
  expect(differences).toEqual({ count: 0 });
  expect(await sql`select relkind from pg_class where oid = 'shop.ranges'::regclass`).toEqual([
    { relkind: 'p' },
  ]);
});

test('each step may be called again as it was, and what was checked is compared again only where somebody asks', async () => {
  const { sql } = archiver().database;
  await makePlainTable(sql, 'repeated', 900);
  await sql.unsafe('create index on shop.repeated (at)');
  const before = await contents(sql, 'shop.repeated');
  const first = await drive('repeated', 'check', { twice: true });
  expect(first.at(-1)?.next).toBe('done');
  const checked = await sql<{ state: string; rows: number }[]>`
    select state, (select sum((c ->> 'rows')::integer)::integer from jsonb_array_elements(checked) c) as rows
      from partition_archiver.partition_job where table_name = 'repeated'`;
  expect(checked).toEqual([{ state: 'checked', rows: 900 }]);

  const again = await drive('repeated', 'check');
  expect(again.filter(({ next }) => next === 'compare').length).toBeGreaterThan(2);
  const swap = await drive('repeated', 'swap', { twice: true });
  expect(swap.map(({ next }) => next)).toEqual(['swap', 'done']);
  expect(await contents(sql, 'shop.repeated')).toEqual(before);
});

// Seen to fail (compared in one call of any length) without: the error in end_of_range.
test('a single value with more rows than a step can read is refused with the way out, which is the command', async () => {
  const { sql } = archiver().database;
  await makePlainTable(sql, 'one_day', 900);
  await sql.unsafe(
    `create index on shop.one_day (at); update shop.one_day set at = date_trunc('month', now()) where id > 300`,
  );
  const before = await contents(sql, 'shop.one_day');
  const failure = await failureOf(drive('one_day', 'check'));
  expect([failure.code, failure.message]).toEqual([
    'PreflightFailed',
    expect.stringMatching(
      /value of its column at stands in more than 1 bytes .* the command partition-table/,
    ),
  ]);
  const connection = open();
  try {
    const ports = { database: partitionTableDatabase(connection, open), clock: hurriedClock, log: silentLog };
    expect(await partitionTable(planOf('one_day'), ports)).toMatchObject({ state: 'swapped', rows: 900 });
  } finally {
    await connection.end();
  }
  expect(await contents(sql, 'shop.one_day')).toEqual(before);
});

test('a digit that differs in the last of many ranges is found', async () => {
  const { sql } = archiver().database;
  await makePlainTable(sql, 'digit', 900);
  await sql.unsafe('create index on shop.digit (at)');
  let ranges = 0;
  const failure = await failureOf(
    drive('digit', 'swap', {
      between: async ({ next, comparedTo }) => {
        if (next !== 'compare' || comparedTo === undefined || (ranges += 1) !== 2) return;
        await sql.unsafe(`update partition_archiver_shadow.digit set body = 'row 89' where body = 'row 899'`);
      },
    }),
  );
  expect(ranges).toBeGreaterThanOrEqual(2);
  expect([failure.code, failure.message]).toEqual(['ShadowDiffers', expect.stringContaining('shop.digit')]);
});

// Seen to fail without: the comparison of trigger_state in claim_partition_job.
test('a trigger that was lifted for a while is found, though it is there again', async () => {
  const { sql } = archiver().database;
  await makePlainTable(sql, 'lifted', 300);
  await sql.unsafe('create index on shop.lifted (at)');
  await drive('lifted', 'check');
  const trigger = 'trigger partition_archiver_job_row';
  await sql.unsafe(`alter table shop.lifted disable ${trigger}; update shop.lifted set body = 'unseen' where id = 7;
    alter table shop.lifted enable always ${trigger}`);
  const failure = await failureOf(drive('lifted', 'swap'));
  expect([failure.code, failure.message]).toEqual([
    'IdentityChanged',
    expect.stringContaining('roll back and begin again'),
  ]);
});

test('two that compare at the same time do not add up to one comparison', async () => {
  const { sql } = archiver().database;
  await makePlainTable(sql, 'two', 900);
  await sql.unsafe('create index on shop.two (at)');
  let others = 0;
  // Seen to fail without: the number of the comparison in record_compared.
  const failure = await failureOf(
    drive('two', 'swap', {
      changes: (real) => ({
        recordCompared: async (job, range, partitions) => {
          if (range.from !== null && (others += 1) === 1) {
            await real.beginComparison(job);
          }
          await real.recordCompared(job, range, partitions);
        },
      }),
    }),
  );
  expect([failure.code, failure.message]).toEqual([
    'StateConflict',
    expect.stringContaining('another session compares'),
  ]);
  const way = await drive('two', 'swap');
  expect(way.at(-1)?.next).toBe('done');
});

test('a table that is too large to be read at once is refused before it begins, if no index helps', async () => {
  const { sql } = archiver().database;
  await makePlainTable(sql, 'large', 300);
  const failure = await failureOf(drive('large', 'check'));
  expect(failure.code).toBe('PreflightFailed');
  expect(failure.message).toMatch(
    /it has \d+ kB, more than the 1 bytes.*create index concurrently on shop.large \(at\)/,
  );
  expect(await sql`select from partition_archiver.partition_job where table_name = 'large'`).toHaveLength(0);
  const connection = open();
  const database = partitionTableDatabase(connection, open);
  const ports = { database, clock: hurriedClock, log: silentLog };
  expect((await failureOf(beginRollBack({ schema: 'shop', table: 'large' }, ports))).code).toBe(
    'NotInLedger',
  );
  await connection.end();
});
