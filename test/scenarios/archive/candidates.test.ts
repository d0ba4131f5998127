/** What a run finds to do: which partitions, past their retention or not, due or not, in which order; asked directly. */
import { describe, expect, test } from '@jest/globals';
import type postgres from 'postgres';
import { useArchiver } from '../../support/archiver.ts';
import { candidatesOf, detachedPartition, takeInventory, type Candidate } from '../../support/inventory.ts';
import { createKind } from '../../support/kinds.ts';
import { nth, readLedger, type LedgerLine } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';

const archiver = useArchiver();
const sql = (): postgres.Sql => archiver().database.sql;
const look = (table: string): Promise<void> => takeInventory(sql(), table);
const detached = (table: string): Promise<LedgerLine> => detachedPartition(sql(), table);
const candidates = (table: string): Promise<Candidate[]> => candidatesOf(sql(), table);

describe('candidates', () => {
  test('are those of the set, of this system, and in a state in which there is work', async () => {
    const line = await detached('working');
    const other = await detached('not_asked_for');
    await look('working');
    await look('not_asked_for');
    expect(await candidates('working')).toEqual([{ id: line.id, past: true, due: null }]);
    expect((await candidates('not_asked_for')).map(({ id }) => id)).toEqual([other.id]);
    const whileSet = async (set: string): Promise<unknown[]> =>
      sql().begin(async (tx) => {
        await tx.unsafe(`update partition_archiver.partition set ${set} where id = ${line.id}`);
        const found = await tx`select id from partition_archiver.candidates('app.working'::regclass::oid)`;
        await tx`rollback and chain`;
        return [...found];
      });
    expect(await whileSet('system_identifier = 1')).toEqual([]);
    expect(await whileSet(`database_name = 'elsewhere'`)).toEqual([]);
    for (const state of ['restored', 'released', 'missing']) {
      expect(await whileSet(`state = '${state}'`)).toEqual([]);
    }
    expect(await whileSet(`state = 'blocked', blocked_reason = 'look'`)).toEqual([]);
  });

  test('are past the retention by their upper bound; without a retention none is', async () => {
    const line = await detached('by_bound');
    await look('by_bound');
    const past = async (set: string): Promise<boolean | undefined> => {
      await sql().unsafe(`update partition_archiver.partition set ${set} where id = ${line.id}`);
      return (await candidates('by_bound'))[0]?.past;
    };
    // Retention is two months.
    expect(
      await past(`lower_time = now() - interval '1 year', upper_time = now() - interval '1 month'`),
    ).toBe(false);
    expect(await past(`upper_time = now() - interval '2 months 1 day'`)).toBe(true);
    await sql()`update partman.part_config set retention = null where parent_table = 'app.by_bound'`;
    expect(await past(`upper_time = now() - interval '10 years'`)).toBe(false);
  });

  // Seen to be past it three days before with the retention by the calendar of UTC: March of Berlin begins in February there.
  test('are past the retention by the calendar of their time zone', async () => {
    const line = await detached('by_calendar');
    await look('by_calendar');
    await sql()`update partman.part_config set retention = '3 months' where parent_table = 'app.by_calendar'`;
    await sql()`
      update partition_archiver.partition
         set upper_time = '2026-03-01 00:00 Europe/Berlin', time_zone = 'Europe/Berlin' where id = ${line.id}`;
    const past = async (time: string): Promise<unknown> => {
      const [row] = await sql()`
        select past_retention as past
          from partition_archiver.candidates('app.by_calendar'::regclass::oid, ${time}::text::timestamptz)`;
      return row?.['past'];
    };
    expect(await past('2026-05-31 23:59 Europe/Berlin')).toBe(false);
    expect(await past('2026-06-01 00:00 Europe/Berlin')).toBe(true);
  });

  test('have the retention that a session in their time zone would subtract', async () => {
    const differences = await sql().begin(async (tx) => {
      await tx`set local timezone = 'Europe/Berlin'`;
      return tx`
        select t::text, i::text from generate_series(timestamptz '2026-01-31 00:30', '2027-04-01', '13 hours') t,
               unnest(array['1 month', '36 hours', '1 year 2 days 03:04', '7 days', '-1 month', '-36 hours']::interval[]) i
         where partition_archiver.time_before(t, i, 'Europe/Berlin') <> t - i`;
    });
    expect([...differences]).toEqual([]);
  });

  // Seen to fail with the order the other way round.
  test('come oldest bounds first', async () => {
    await createPartitionSet(sql(), { table: 'in_order', months: 4, rowsPerMonth: 5 });
    await look('in_order');
    const lines = (await readLedger(sql(), 'in_order')).slice(0, 2);
    for (const { table } of lines)
      await sql().unsafe(`alter table app.in_order detach partition app."${table}"`);
    await look('in_order');
    expect((await candidates('in_order')).map(({ id }) => id)).toEqual(lines.map(({ id }) => id));
  });

  test('are due by the clock of the database', async () => {
    const line = await detached('graced');
    await look('graced');
    await sql()`update partition_archiver.partition set drop_after = now() + interval '1 hour' where id = ${line.id}`;
    expect(await candidates('graced')).toMatchObject([{ due: false }]);
    await sql()`update partition_archiver.partition set drop_after = now() - interval '1 hour' where id = ${line.id}`;
    expect(await candidates('graced')).toMatchObject([{ due: true }]);
  });

  test('of an id set count from the highest id that there is, oldest bounds first', async () => {
    await createKind(sql(), {
      schema: 'app',
      table: 'counted',
      controlType: 'bigint',
      interval: '1000',
      start: '0',
      retention: '2000',
      values: 'select generate_series(1, 4999, 100)',
      premake: 5,
    });
    // The lowest one comes into the ledger last: neither the order of rows there nor that of names is that of bounds.
    const [{ lowest }] = await sql()<[{ lowest: string }]>`
      select inhrelid::regclass::text as lowest from pg_inherits where inhparent = 'app.counted'::regclass order by inhrelid limit 1`;
    await sql().unsafe(`alter table app.counted detach partition ${lowest}`);
    await look('counted');
    await sql().unsafe(`alter table app.counted attach partition ${lowest} for values from (0) to (1000)`);
    await look('counted');
    const lines = await readLedger(sql(), 'counted');
    expect(`app.${nth(lines, 0).table}`).toBe(lowest);
    expect(nth(lines, 0).id).toBeGreaterThan(nth(lines, 1).id);
    const [parent] = await sql()<[{ oid: number }]>`select 'app.counted'::regclass::oid as oid`;
    const [health] =
      await sql()`select future_partitions as future from partition_archiver.health(${parent.oid}, 'UTC')`;
    expect(health).toEqual({ future: null });
    const forecast = await sql()<{ table: string }[]>`
      select table_name as table from partition_archiver.forecast(${parent.oid}, 'UTC', 1000000) order by lower_bound::numeric`;
    expect(forecast.map(({ table }) => table)).toEqual(lines.slice(0, 2).map(({ table }) => table));
    for (const { table } of lines.slice(0, 4)) {
      await sql().unsafe(`alter table app.counted detach partition app."${table}"`);
    }
    await look('counted');
    // The highest id is 4901: partitions that end at 1000 and 2000 are past it by 2000, that at 3000 is not.
    expect((await candidates('counted')).map(({ id, past }) => [id, past])).toEqual([
      [lines[0]?.id, true],
      [lines[1]?.id, true],
      [lines[2]?.id, false],
      [lines[3]?.id, false],
    ]);
  });
});
