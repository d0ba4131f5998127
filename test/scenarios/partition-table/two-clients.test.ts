/** Two live clients of one conversion: one makes further partitions while the other reads by a snapshot of before. */
import { beforeAll, expect, test } from '@jest/globals';
import type { Connection } from '../../../adapters/postgres/connect.ts';
import { partitionTableDatabase } from '../../../adapters/postgres/partition-table/database.ts';
import type { PartitionTableDatabase, PartitionTableJob } from '../../../core/partition-table/database.ts';
import { asAdministrator } from '../../support/administrator.ts';
import { useArchiver } from '../../support/archiver.ts';
import { makePartitioner } from '../../support/partition-table.ts';
import { makeShop } from '../../support/plain-table.ts';
import { failureOf } from '../../support/verified.ts';
import { untilSomebodyWaits } from '../../support/waiting.ts';

const archiver = useArchiver();
const { run, withPorts } = makePartitioner(archiver);

beforeAll(() => makeShop(archiver().database.sql));

const open = (): Connection => asAdministrator(archiver().database.name);

/** A job whose comparison has begun, and rows that lie far above its partitions since. */
async function begun(
  table: string,
  work: (database: PartitionTableDatabase) => Promise<void>,
  changes?: Parameters<typeof run>[1],
) {
  const { sql } = archiver().database;
  await sql.unsafe(`
    create table shop.${table} (id bigint primary key, at timestamptz not null, body text);
    insert into shop.${table} select g, now() - g * interval '3 hours', 'row' from generate_series(1, 300) g;
    create index on shop.${table} (at);
    alter table shop.${table} owner to shop_owner`);
  const stopped = run({ table }, () => ({ compareRange: () => Promise.reject(new Error('stopped')) }));
  await expect(stopped).rejects.toThrow('stopped');
  await sql.unsafe(
    `insert into shop.${table} select 1000 + g, now() + interval '9 months' + g * interval '1 hour', 'new' from generate_series(1, 3) g`,
  );
  await withPorts(({ database }) => work(database));
  expect(await run({ table }, changes)).toMatchObject({ state: 'swapped', rows: 303 });
}

/** Does what waits for a client of the job that makes partitions at the same time. */
async function whileExtending<T>(job: PartitionTableJob, work: () => Promise<T>): Promise<T> {
  const { sql } = archiver().database;
  const other = await sql.reserve();
  try {
    await other`begin`;
    await other`select partition_archiver.extend_partition_job(${job.id}::bigint)`;
    const done = work();
    done.catch(() => undefined);
    await untilSomebodyWaits(sql);
    await other`commit`;
    return await done;
  } finally {
    other.release();
  }
}

const jobOf = async (database: PartitionTableDatabase, table: string): Promise<PartitionTableJob> =>
  (await database.find('shop', table))!;

// Seen to fail without the lock of the job in compareRange(), and without the update of it in extend_shadow(): the range had a
// row on the one side and none on the other, which cancels the job.
test('a range that new partitions cover since its snapshot is compared again', async () => {
  const table = 'covered';
  await begun(table, async (database) => {
    const { sql } = archiver().database;
    const job = await jobOf(database, table);
    await database.applyChanges(job);
    // As if the ranges before were compared.
    await sql`
      update partition_archiver.partition_job
         set compared_to = (select at::text from shop.covered where id = 1001) where id = ${job.id}`;
    const connection = open();
    const extending = partitionTableDatabase(connection, () => {
      const copying = open();
      const begin = copying.begin.bind(copying) as (...parameters: unknown[]) => Promise<never>;
      return Object.assign(copying, {
        begin: async (...parameters: unknown[]) => {
          await database.extend(job);
          return begin(...parameters);
        },
      });
    });
    const limits = { rangeBytes: 1, largestScanBytes: 1e9 };
    try {
      const failure = await failureOf(extending.compareRange(job, limits));
      expect(failure.code).toBe('TransactionAborted');
    } finally {
      await connection.end();
    }
    const { verdict } = await database.compareRange(job, limits);
    expect(verdict.kind).toBe('match');
    expect((verdict.kind === 'match' ? verdict.partitions : []).filter(({ rows }) => rows > 0)).toMatchObject(
      [{ rows: 1 }],
    );
    await database.beginComparison(job);
  });
});

// Seen to fail without the update of the job in extend_shadow(): it succeeded, with a snapshot of before.
test('the comparison of taken rows that waits for a client that makes partitions is aborted', async () => {
  const table = 'waited';
  await begun(table, async (database) => {
    const job = await jobOf(database, table);
    await database.applyChanges(job);
    const failure = await failureOf(whileExtending(job, () => database.verifyApplied(job)));
    expect(failure.code).toBe('TransactionAborted');
  });
});

// Seen to fail without tried() in core/partition-table/local.ts: the command ended with TransactionAborted.
test('a step of the command that is aborted by another client is done again', async () => {
  let tries = 0;
  const changes: Parameters<typeof run>[1] = (real) => ({
    // What the other client makes is not made here before.
    extend: (job) => (tries === 0 ? Promise.resolve() : real.extend(job)),
    verifyApplied: (job) => {
      tries += 1;
      const work = (): Promise<void> => real.verifyApplied(job);
      return tries === 1 ? whileExtending(job, work) : work();
    },
  });
  await begun('again', () => Promise.resolve(), changes);
  expect(tries).toBeGreaterThan(1);
});
