/** Looking at a table before it is partitioned. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect, type Connection } from '../../../adapters/postgres/connect.ts';
import { inspectDatabase } from '../../../adapters/postgres/setup/inspect.ts';
import { inspect, type InspectRequest, type Inspection } from '../../../core/setup/inspect.ts';
import { showInspection } from '../../../core/setup/inspect-chart.ts';
import { stack, useDatabase } from '../../support/database.ts';
import { failureOf } from '../../support/verified.ts';

let connection: Connection;
// Before the database's own, which wants all connections closed.
afterAll(async () => {
  await connection.end();
});
const database = useDatabase();
const clock = { now: () => new Date('2026-11-15T00:00:00Z'), sleep: () => Promise.resolve() };
const look = (request: InspectRequest): Promise<Inspection> =>
  inspect(request, { database: inspectDatabase(connection), clock });

beforeAll(async () => {
  const { host, port, superuser } = stack().postgres;
  connection = connect({
    host,
    port,
    database: database().name,
    ...superuser,
    tls: false,
    applicationName: 'test',
  });
  await database().sql.unsafe(`
    create schema "Odd ""Schema";
    create table "Odd ""Schema"."Table" (id bigint primary key, "At" timestamptz, sent bigint not null, payload text);
    create index on "Odd ""Schema"."Table" (sent);
    insert into "Odd ""Schema"."Table"
      select g, t, extract(epoch from t) * 1000, repeat('x', 100)
        from generate_series(1, 120000) g, lateral (select timestamptz '2025-06-01 00:30+00' + g * interval '5 min' as t) x;
    insert into "Odd ""Schema"."Table" values (-1, null, 1748738000000, ''), (-2, 'infinity', 1748738000000, ''), (-3, '-infinity', 1748738000000, '');
    create table "Odd ""Schema".child () inherits ("Odd ""Schema"."Table");
    insert into "Odd ""Schema".child values (1, '1999-01-01', 1748738000000, '');
    analyze;
    create table plain (name text);
    create table empty (at date not null);
    create table numbers (id integer primary key);
    insert into numbers select g from generate_series(1, 20000) g;
    analyze numbers`);
});
const table = { schema: 'Odd "Schema', table: 'Table' };

test('months are counted by the clock that is asked for; nulls, infinities and heirs apart', async () => {
  const { distribution, facts, candidates } = await look({ ...table, control: 'At', exact: true });
  expect(distribution?.periods.slice(0, 2)).toEqual([
    { start: '2025-06', rows: 30 * 288 - 7, bytes: expect.any(Number) },
    { start: '2025-07', rows: 31 * 288, bytes: expect.any(Number) },
  ]);
  // Seen to fail without: `only`, with a row of 1999.
  expect(distribution).toMatchObject({ rowsWithoutValue: 1, rowsAtInfinity: 2, sampled: 1 });
  const rows = distribution?.periods.reduce((sum, period) => sum + period.rows, 0);
  expect(rows).toBe(120_000);
  const bytes = distribution?.periods.reduce((sum, period) => sum + period.bytes, 0) ?? 0;
  expect(Math.abs(bytes - facts.tableBytes)).toBeLessThan(facts.tableBytes / 100);

  const berlin = await look({ ...table, control: 'At', timeZone: 'Europe/Berlin' });
  // 30 June 22:00 UTC is July in Berlin, and 31 May 22:00 is June.
  expect(berlin.distribution?.periods[0]).toMatchObject({ start: '2025-06', rows: 30 * 288 - 7 - 24 });
  expect(candidates.map(({ column, kind }) => [column.name, kind])).toEqual([
    ['sent', 'milliseconds'],
    ['At', 'time'],
    ['id', 'id'],
  ]);
});

test('an epoch is counted as time, and the text says it all', async () => {
  const inspection = await look(table);
  expect(inspection.distribution).toMatchObject({ column: 'sent', kind: 'milliseconds' });
  expect(inspection.proposal).toMatchObject({
    interval: '1 month',
    start: '2025-06-01',
    premake: 4,
    retention: '12 months',
  });
  const text = [...showInspection(inspection)].join('\n');
  expect(text).toContain('"Odd ""Schema"."Table": about 120,003 rows');
  expect(text).toContain('At: timestamp with time zone, time, correlation 1.00; may be null');
  expect(text).toMatch(/2026-01 █+ +8,928 rows/);
  expect(text).toContain(
    'proposal: control sent, interval 1 month, start 2025-06-01, premake 4, retention 12 months',
  );
});

test('a sample of a large table is scaled up to all of it', async () => {
  // Made to look larger than what is read of it.
  const facts = await inspectDatabase(connection).facts(table.schema, table.table);
  const control = { column: facts!.columns[1]!, kind: 'time', remarks: [] } as const;
  const estimated = await inspectDatabase(connection).distribution(
    { ...facts!, tableBytes: 4 * 8192 * 8192 },
    control,
    {
      ...{ exact: false, timeZone: 'UTC' },
    },
  );
  expect(estimated.sampled).toBeCloseTo(0.25);
  const rows = estimated.periods.reduce((sum, period) => sum + period.rows, 0);
  // Seen to fail without: the division by the share.
  expect(rows).toBeGreaterThan(80_000);
  expect(rows).toBeLessThan(160_000);
});

test('numbers, an empty table, no candidate, no table, no such column', async () => {
  expect((await look({ schema: 'public', table: 'numbers' })).distribution).toMatchObject({
    ...{ kind: 'id', width: 1000 },
    periods: expect.arrayContaining([{ start: '1000', rows: 1000, bytes: expect.any(Number) }]),
  });
  const empty = await look({ schema: 'public', table: 'empty' });
  expect([...showInspection(empty)].join('\n')).toContain('rows by at');
  expect(empty.proposal).toBeUndefined();
  expect([...showInspection(await look({ schema: 'public', table: 'plain' }))].join('\n')).toContain(
    'no column can be',
  );
  expect((await failureOf(look({ schema: 'public', table: 'gone' }))).message).toBe(
    'there is no table public.gone',
  );
  expect((await failureOf(look({ ...table, control: 'payload' }))).code).toBe('InvalidInput');
});
