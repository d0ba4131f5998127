/** Partitions that were detached before the archiver was there, adopted by OID. */
import { beforeAll, expect, test } from '@jest/globals';
import type postgres from 'postgres';
import { adoptDatabase } from '../../../adapters/postgres/ledger/adopt.ts';
import { adopt, type Adoption } from '../../../core/ledger/adopt.ts';
import { silentLog as log } from '../../../core/ports.ts';
import { useArchiver } from '../../support/archiver.ts';
import { createKind } from '../../support/kinds.ts';
import { readLedger } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';

const archiver = useArchiver();

interface Detached {
  readonly oid: number;
  readonly name: string;
  readonly lower: string;
  readonly upper: string;
}

/** Detaches the oldest partitions, and says what their bounds were. */
async function detachOldest(sql: postgres.Sql, parent: string, count: number): Promise<Detached[]> {
  const oldest = await sql<Detached[]>`
    select c.oid, c.oid::regclass::text as name, b.ends[1] as lower, b.ends[2] as upper
      from pg_inherits i join pg_class c on c.oid = i.inhrelid,
           lateral (select regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM [(]''?(.*?)''?[)] TO [(]''?(.*?)''?[)]') as ends) b
     where i.inhparent = ${parent}::regclass and b.ends is not null
     order by case when b.ends[1] ~ '^[0-9]+$' then b.ends[1]::numeric end, b.ends[1] limit ${count}`;
  for (const { name } of oldest) await sql.unsafe(`alter table ${parent} detach partition ${name}`);
  return oldest;
}

async function tryToAdopt(
  table: number,
  set: string,
  bounds?: { lower: string; upper: string },
  timeZone = 'UTC',
): Promise<Adoption> {
  const [schema = '', name = ''] = set.split('.');
  const [partitionSet] = archiver().config([{ schema, table: name, timeZone }]).partitionSets;
  const connection = archiver().open('archiver_maintain');
  try {
    return await adopt(
      { table, partitionSet: partitionSet!, bounds },
      { database: adoptDatabase(connection), log },
    );
  } finally {
    await connection.end();
  }
}

const oidOf = async (name: string): Promise<number> => {
  const [row] = await archiver().database.sql<[{ oid: number }]>`select ${name}::regclass::oid as oid`;
  return row.oid;
};

beforeAll(async () => {
  await archiver().database.sql`create extension if not exists lo`;
});

test('what was detached long ago is adopted, archived, proven and dropped', async () => {
  const { database, run, config } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'old', months: 5, rowsPerMonth: 40, retention: '2 months' });
  const detached = await detachOldest(sql, 'app.old', 3);
  const settings = config([{ schema: 'app', table: 'old', drop: true, graceDays: 0 }]);
  const [unknown] = (await run(settings)).partitionSets;
  expect(unknown?.warnings.join()).toContain(detached[0]!.name);
  // Reported only, and not in the ledger.
  expect((await readLedger(sql, 'old')).map(({ oid }) => oid)).not.toContain(detached[0]!.oid);

  for (const { oid, lower, upper } of detached) {
    const proposal = await tryToAdopt(oid, 'app.old');
    expect(proposal).toEqual({ kind: 'proposal', lowerBound: lower, upperBound: upper });
    expect(await tryToAdopt(oid, 'app.old', { lower, upper })).toMatchObject({
      kind: 'adopted',
      lowerBound: lower,
    });
  }

  expect(await run(settings)).toMatchObject({ archived: 3, dropped: 3, failed: 0, rows: 120 });
});

test('a table that was no partition of this set is refused with each reason', async () => {
  const { sql } = archiver().database;
  for (const table of ['first', 'second']) {
    await createPartitionSet(sql, { table, months: 3, rowsPerMonth: 5 });
  }
  const [gone] = await detachOldest(sql, 'app.first', 1);
  const { oid, name, lower, upper } = gone!;
  const bounds = { lower, upper };
  const reasons = async (
    table: number,
    set = 'app.first',
    ends: typeof bounds | undefined = bounds,
  ): Promise<string> => {
    const answer = await tryToAdopt(table, set, ends);
    return answer.kind === 'refused' ? answer.reasons.join('; ') : answer.kind;
  };

  // Seen to fail without: the comparison of names in adoption_problems.
  expect(await reasons(oid, 'app.second')).toBe('by its name it was a partition of app.first');
  const [attached] = await sql<
    { oid: number }[]
  >`select inhrelid as oid from pg_inherits where inhparent = 'app.first'::regclass limit 1`;
  expect(await reasons(attached!.oid)).toContain('it is attached to app.first');
  expect(await reasons(await oidOf('app.first'))).toContain('it is not an ordinary table (relkind p)');
  expect(await reasons(4_000_000_000)).toBe('there is no table with oid 4000000000');
  expect(await reasons(await oidOf('partition_archiver.partition'))).toContain(
    'lies in a schema of the system',
  );
  // Seen to fail without: the look at template_table.
  await sql.unsafe(`alter table partman.template_app_first owner to app_owner`);
  const [template] = await sql<{ oid: number }[]>`select 'partman.template_app_first'::regclass::oid as oid`;
  expect(await reasons(template!.oid)).toContain('it is the template table of app.first');

  // Seen to fail without: structure_differences.
  await sql.unsafe(`create table app.lookalike (id integer not null, ts timestamptz, extra text, payload text collate "C");
    alter table app.lookalike owner to app_owner`);
  expect(await reasons(await oidOf('app.lookalike'))).toBe(
    [
      "column extra is not one of the parent's",
      'column id is of type integer, in the parent of type bigint',
      'column payload has another collation in the parent',
      'column ts may be null, in the parent it may not (alter table app.lookalike alter column ts set not null;)',
    ].join('; '),
  );

  // Bounds. Seen to fail without: either of the two comparisons with lowest and highest.
  const outside = await sql.unsafe<[{ early: string; late: string }]>(
    `select (min(ts) + interval '1 second')::text as early, max(ts)::text as late from ${name}`,
  );
  expect(await reasons(oid, 'app.first', { lower: outside[0].early, upper })).toBe(
    'it has rows below the lower bound',
  );
  expect(await reasons(oid, 'app.first', { lower, upper: outside[0].late })).toBe(
    'it has rows at or above the upper bound',
  );
  expect(await reasons(oid, 'app.first', { lower: upper, upper: lower })).toContain(
    'the lower bound is not below the upper one',
  );
  expect(await reasons(oid, 'app.first', { lower: 'yesterdayish', upper })).toContain(
    'a bound is no finite value',
  );
  expect(await reasons(oid, 'app.first', { lower: '-infinity', upper })).toContain(
    'a bound is no finite value',
  );

  expect((await readLedger(sql)).filter(({ schema, table }) => `${schema}.${table}` === name)).toEqual([]);
  expect(await reasons(oid)).toBe('adopted');
  // Seen to fail without: the look into the ledger (then it says that somebody else was quicker).
  expect(await reasons(oid)).toMatch(/^it is in the ledger already: partition \d+, detached$/);
});

test('an empty table, rows without a time, and a wide partition', async () => {
  const { sql } = archiver().database;
  await createPartitionSet(sql, { table: 'odd', months: 4, rowsPerMonth: 5 });
  const [oldest, next] = await detachOldest(sql, 'app.odd', 2);
  await sql.unsafe(`create table app.odd_wide (like app.odd including all); alter table app.odd_wide owner to app_owner;
    insert into app.odd_wide select * from ${oldest!.name} union all select * from ${next!.name}; truncate ${next!.name}`);

  expect(await tryToAdopt(await oidOf('app.odd_wide'), 'app.odd')).toEqual({
    kind: 'proposal',
    lowerBound: oldest!.lower,
    upperBound: next!.upper,
  });
  expect(await tryToAdopt(next!.oid, 'app.odd')).toEqual({
    kind: 'refused',
    reasons: ['it is empty, so nothing tells its bounds: name them'],
  });
  expect(await tryToAdopt(next!.oid, 'app.odd', { lower: next!.lower, upper: next!.upper })).toMatchObject({
    kind: 'adopted',
  });
});

test('bounds are meant and proposed by the clock of the set, also for numbers and epochs', async () => {
  const { sql } = archiver().database;
  const schema = 'adopted';
  await createKind(sql, {
    schema,
    table: 'berlin',
    controlType: 'timestamptz',
    interval: 'daily',
    timeZone: 'Europe/Berlin',
    retention: '2 days',
    start: `'2026-03-28'::date`,
    values: `select timestamptz '2026-03-29 00:30 Europe/Berlin' union all select timestamptz '2026-03-29 23:30 Europe/Berlin'`,
  });
  const [, changeover] = await detachOldest(sql, 'adopted.berlin', 2);
  // Twenty-three hours: the night in which the clocks change.
  const day = { lowerBound: '2026-03-28 23:00:00+00', upperBound: '2026-03-29 22:00:00+00' };
  expect(await tryToAdopt(changeover!.oid, 'adopted.berlin', undefined, 'Europe/Berlin')).toEqual({
    kind: 'proposal',
    ...day,
  });
  const named = { lower: '2026-03-29', upper: '2026-03-30' };
  expect(await tryToAdopt(changeover!.oid, 'adopted.berlin', named, 'Europe/Berlin')).toMatchObject({
    kind: 'adopted',
    ...day,
  });

  await createKind(sql, {
    schema,
    table: 'numbers',
    controlType: 'bigint',
    interval: '1000',
    retention: '1000',
    start: `'0'`,
    values: `select generate_series(0, 4999, 10)::bigint`,
    premake: 6,
  });
  const [first] = await detachOldest(sql, 'adopted.numbers', 1);
  expect(await tryToAdopt(first!.oid, 'adopted.numbers')).toMatchObject({
    kind: 'proposal',
    lowerBound: '0',
    upperBound: '1000',
  });
  expect(await tryToAdopt(first!.oid, 'adopted.numbers', { lower: '0', upper: '1000' })).toMatchObject({
    kind: 'adopted',
  });

  await createKind(sql, {
    schema,
    table: 'epochs',
    controlType: 'bigint',
    interval: 'daily',
    retention: '2 days',
    epoch: 'seconds',
    start: `(current_date - 5)`,
    values: `select extract(epoch from current_date - 5 + interval '7 hours')::bigint`,
  });
  const [early] = await detachOldest(sql, 'adopted.epochs', 1);
  expect(await tryToAdopt(early!.oid, 'adopted.epochs')).toEqual({
    kind: 'proposal',
    lowerBound: early!.lower,
    upperBound: early!.upper,
  });
  const { lower, upper } = early!;
  expect(await tryToAdopt(early!.oid, 'adopted.epochs', { lower, upper })).toMatchObject({ kind: 'adopted' });
  const periods = (await readLedger(sql, 'berlin'))
    .concat(await readLedger(sql, 'numbers'))
    .map(({ period }) => period);
  expect(periods).toEqual(['20260329', '0']);
});
