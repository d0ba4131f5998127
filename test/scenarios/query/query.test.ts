import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { duckDbEngine, type DuckDbEngine } from '../../../adapters/duckdb/engine.ts';
import { copyCache } from '../../../adapters/s3/copy-cache.ts';
import { askArchive } from '../../../bin/archive/commands/ask-archive.ts';
import { printCsv, printJson, printTable } from '../../../bin/archive/commands/result.ts';
import type { StoredManifest } from '../../../core/archive-store.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { convert } from '../../../core/query/convert.ts';
import type { SourceColumn } from '../../../core/query/parquet-map.ts';
import { prepareQuery, type QueryRequest } from '../../../core/query/query.ts';
import { silentLog } from '../../../core/ports.ts';
import { convertPorts, putFlights, withFiles } from '../../support/copies.ts';
import { manifestOf, memoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { useDirectory } from '../../support/parquet-copy.ts';

const directory = useDirectory();
const COLUMNS: SourceColumn[] = [
  { name: 'date', type: 'timestamp with time zone' },
  { name: 'delay', type: 'integer' },
  { name: 'origin', type: 'text' },
];
const engines: DuckDbEngine[] = [];
let folders = 0;

afterEach(() => {
  for (const engine of engines.splice(0)) engine.close();
});

/** Three months of flights, one row a day of January to March 2025, converted. */
async function threeMonths(): Promise<MemoryStore> {
  const store = memoryStore();
  for (const [month, days] of [
    ['2025-01', 31],
    ['2025-02', 28],
    ['2025-03', 31],
  ] as const) {
    const rows = Array.from(
      { length: days },
      (_, day) => `${month}-${String(day + 1).padStart(2, '0')} 00:00:00+00\t${String(day)}\tJFK\n`,
    );
    await converted(store, await putFlights(store, month, COLUMNS, [[rows.join('')]]));
  }
  return store;
}

const converted = (store: MemoryStore, archive: StoredManifest) =>
  convert(archive, { rebuild: false }, convertPorts(withFiles(store, directory()), directory()));

async function ask(
  store: MemoryStore,
  sql: string,
  request: Partial<QueryRequest> = {},
  mostMiB = 100,
  below = '',
) {
  const base = join(directory(), `cache-${String((folders += 1))}`, below);
  const copies = join(base, 'copies');
  mkdirSync(join(base, 'temporary'), { recursive: true });
  mkdirSync(copies);
  const engine = await duckDbEngine({
    directory: copies,
    temporary: join(base, 'temporary'),
    memoryMiB: 256,
    temporaryMiB: 64,
    threads: 1,
    output: join(base, 'out.parquet'),
  });
  engines.push(engine);
  const cache = copyCache(copies, store, { mostMiB });
  const prepared = await prepareQuery(
    { sql, latest: false, ...request },
    { store, cache, engine, log: silentLog },
  );
  const { columns, rows } = await engine.run(sql);
  const all: unknown[][] = [];
  for await (const chunk of rows) all.push(...chunk);
  return { columns, rows: all, prepared, copies, engine, base };
}

const refusal = (work: Promise<unknown>): Promise<{ code: string; message: string }> =>
  work.then(
    () => ({ code: 'none', message: '' }),
    (error: unknown) => {
      if (error instanceof ArchiverError) return { code: error.code, message: error.message };
      throw error;
    },
  );

test('a partition set is one view over all its archives', async () => {
  const { rows, prepared } = await ask(
    await threeMonths(),
    'select count(*), sum(delay)::bigint from flights',
  );
  expect(rows).toEqual([['90', '1308']]);
  expect(prepared).toMatchObject({ archives: 3, pruned: 0 });
});

// Seen to fail without the members of an AND being read (nothing was left out), and with those of an OR taken for them.
test.each<[string, number]>([
  ["select count(*) from flights where date >= '2025-02-01' and date < '2025-03-01'", 1],
  ["select count(*) from public.flights f where f.date >= timestamptz '2025-03-01 00:00:00+00'", 1],
  ["select count(*) from flights where '2025-01-15' > date", 1],
  ["select count(*) from flights where date between '2025-01-31' and '2025-02-02' and delay > 3", 2],
  ["select count(*) from flights where date = '2025-02-03'", 1],
  [
    "with x as (select * from flights where date < '2025-02-01') select count(*) from x where date > '2025-01-10'",
    1,
  ],
  ["select count(*) from (select * from flights) x where x.date >= '2025-03-01'", 3],
  ["select count(*) from flights where date >= '2025-03-01' or delay = 1", 3],
  ["select count(*) from flights where not (date >= '2025-03-01')", 2],
  ["select count(*) from flights where date_trunc('month', date) = '2025-03-01'", 3],
  [
    "select (select count(*) from flights where date < '2025-02-01') + count(*) from flights where date >= '2025-03-01'",
    2,
  ],
  ["select count(*) from flights a join flights b using (date) where date >= '2025-03-01'", 3],
  ["select count(*) from flights a join flights b on a.date = b.date where a.date >= '2025-03-01'", 3],
  [
    "select count(*) from flights a, (select timestamptz '2025-03-05' as date) b where b.date >= '2025-03-01'",
    3,
  ],
  ["select count(*) from flights where date > '2030-01-01'", 0],
  ['select count(*) from flights where delay >= 20 order by 1 limit 5', 3],
  ["select count(*) from flights where date >= now() - interval '1 day'", 3],
  ["select (select count(*) from range(3)) + count(*) from flights where date >= '2025-03-01'", 1],
  // Seen to fail: a sample of the archives that WHERE leaves, which has more rows than WHERE leaves of a sample of all.
  ["select count(*) from flights tablesample reservoir(1000 rows) where date >= '2025-03-01'", 3],
  ["select count(*) from flights where date >= '2025-03-01' using sample 1000 rows", 3],
  // Seen to fail: archives were left out by a column of another name, and from what a function reads by a name.
  ["select count(*) from flights as f(taken, n, date) where date > '2025-03-01'", 3],
  [
    "select (select count(*) from query_table('FLIGHTS')) + count(*) from flights where date < '2025-02-01'",
    3,
  ],
  [
    "select (select count(*) from query('from flights')) + count(*) from flights where date < '2025-02-01'",
    3,
  ],
])('what a statement cannot need is not fetched, and the answer is the same: %s', async (sql, archives) => {
  const store = await threeMonths();
  const narrowed = await ask(store, sql);
  expect(narrowed.prepared.archives).toBe(archives);
  // The same statement, of which nothing can be read.
  const whole = await ask(
    store,
    sql
      .replaceAll(/\b(?:public\.)?flights\b/g, '(select * from flights)')
      .replaceAll(/flights\) ([fab])\b/g, 'flights) $1'),
  );
  expect(whole.prepared.archives).toBe(3);
  expect(narrowed.rows).toEqual(whole.rows);
});

test('a range leaves archives out, whatever the statement says', async () => {
  const { rows, prepared } = await ask(await threeMonths(), 'select count(*) from flights', {
    from: '2025-02',
    to: '2025-03',
  });
  expect([rows, prepared.archives]).toEqual([[['28']], 1]);
});

test('types are those of PostgreSQL, and every digit is there', async () => {
  const store = memoryStore();
  const types = [
    'numeric(38,10)',
    'uuid',
    'jsonb',
    'bytea',
    'text[]',
    'timestamp without time zone',
    'bigint',
    'date',
    'smallint',
    'interval',
    'boolean',
    'numeric',
  ];
  const columns = [
    ...COLUMNS.slice(0, 1),
    ...types.map((type, index) => ({ name: `c${String(index)}`, type })),
  ];
  const text =
    '2025-01-01 00:00:00.123456+00\t1234567890123456789012345678.0123456789\t00000000-0000-4000-8000-00000000000a\t{"a": 1.50}\t\\\\x00ff\t{a,"b c"}\t2025-01-01 00:00:00.5\t9223372036854775807\t0001-01-01\t-1\t1 day\tt\t1e400\n';
  await converted(store, await putFlights(store, '2025-01', columns, [[text]]));
  const { columns: described, rows } = await ask(store, 'select * from flights');
  expect(described.map(({ type }) => type)).toEqual([
    'TIMESTAMP WITH TIME ZONE',
    'DECIMAL(38,10)',
    'UUID',
    'JSON',
    'BLOB',
    'VARCHAR',
    'TIMESTAMP',
    'BIGINT',
    'DATE',
    'SMALLINT',
    'VARCHAR',
    'BOOLEAN',
    'VARCHAR',
  ]);
  expect(rows[0]).toEqual([
    '2025-01-01 00:00:00.123456+00',
    '1234567890123456789012345678.0123456789',
    '00000000-0000-4000-8000-00000000000a',
    '{"a": 1.50}',
    '\\x00ff',
    '{a,"b c"}',
    '2025-01-01 00:00:00.5',
    '9223372036854775807',
    '0001-01-01',
    -1,
    '1 day',
    true,
    '1e400',
  ]);
});

// Seen to fail with json as DuckDB's JSON: the statement failed with Conversion.
test('json that DuckDB does not take is there as it was written, and its functions take the rest', async () => {
  const store = memoryStore();
  const columns = [
    ...COLUMNS.slice(0, 1),
    { name: 'plain', type: 'json' },
    { name: 'packed', type: 'jsonb' },
  ];
  const row = (json: string): string => `2025-01-01 00:00:00+00\t${json}\t{"n": ${'9'.repeat(400)}}\n`;
  const text = [row('{"a":"\\\\ud800", "b": {}}'), row('{"a":  [7]}')];
  await converted(store, await putFlights(store, '2025-01', columns, [text]));
  const { rows } = await ask(store, 'select plain, packed from flights order by 1');
  const large = `{"n": ${'9'.repeat(400)}}`;
  expect(rows).toEqual([
    ['{"a":  [7]}', large],
    ['{"a":"\\ud800", "b": {}}', large],
  ]);
  const { rows: found } = await ask(store, "select plain -> 'a' ->> 0 from flights where plain like '%7%'");
  expect(found).toEqual([['7']]);
});

// Seen to fail with text wherever types differ.
test.each([
  ['smallint', '-7', 'bigint', '9223372036854775807', 'BIGINT'],
  ['bigint', '8', 'integer', '9', 'BIGINT'],
  ['integer', '2147483647', 'numeric(12,2)', '9.50', 'DECIMAL(12,2)'],
  ['numeric(4,3)', '1.250', 'numeric(20,1)', '5.5', 'DECIMAL(22,3)'],
  ['bigint', '1', 'numeric(10,2)', '1.50', 'DECIMAL(21,2)'],
  ['numeric(38,0)', '1', 'numeric(38,1)', '1.5', 'VARCHAR'],
  ['real', '0.5', 'double precision', '1e-300', 'DOUBLE'],
  ['bigint', '1', 'double precision', '1.5', 'VARCHAR'],
  ['date', '2025-01-01', 'timestamp without time zone', '2025-01-01 00:00:00', 'VARCHAR'],
])('a column that was %s (%s) and is %s (%s) is %s', async (older, before, later, after, type) => {
  const store = memoryStore();
  for (const [month, of, value] of [
    ['2025-01', older, before],
    ['2025-02', later, after],
  ] as const) {
    const columns = [...COLUMNS.slice(0, 1), { name: 'value', type: of }];
    await converted(
      store,
      await putFlights(store, month, columns, [[`${month}-01 00:00:00+00\t${value}\n`]]),
    );
  }
  const { columns, rows } = await ask(store, 'select value from flights order by date');
  expect(columns[0]?.type.replace(/ /g, '')).toBe(type);
  const same = (value: unknown): unknown => (type === 'VARCHAR' ? value : Number(value));
  expect(rows.flat().map(same)).toEqual([before, after].map(same));
});

// Seen to fail with DuckDB's casts: true, \\x00\\xFF, .001, inf and 1.0.
test('a column that is text for the sake of one archive has the text of PostgreSQL in all', async () => {
  const store = memoryStore();
  const columns = (flag: string, bytes: string, part = 'text', number = part): SourceColumn[] => [
    ...COLUMNS.slice(0, 1),
    { name: 'flag', type: flag },
    { name: 'bytes', type: bytes },
    { name: 'part', type: part },
    { name: 'number', type: number },
  ];
  const older = columns('boolean', 'bytea', 'numeric(9,3)', 'double precision');
  const text = ['t\t\\\\x00ff\t-0.001\t-Infinity', 'f\t\\\\x\t1.000\t1', '\\N\t\\N\t\\N\tNaN'].map(
    (row, day) => `2025-01-0${String(day + 1)} 00:00:00+00\t${row}\n`,
  );
  await converted(store, await putFlights(store, '2025-01', older, [text]));
  const later = ['2025-02-01 00:00:00+00\tyes\tno\t?\t\\N\n'];
  await converted(store, await putFlights(store, '2025-02', columns('text', 'text'), [later]));
  const { rows } = await ask(store, 'select flag, bytes, part, number from flights order by date');
  expect(rows).toEqual([
    ['t', '\\x00ff', '-0.001', '-Infinity'],
    ['f', '\\x', '1.000', '1'],
    [null, null, null, 'NaN'],
    ['yes', 'no', '?', null],
  ]);
});

// Seen to fail with DuckDB's notation: 1000000000000000 and 16777216.
test('floating-point numbers that are text have the notation of PostgreSQL', async () => {
  const store = memoryStore();
  const values = [
    ['1e+15', '1e+06'],
    ['-1.234567890123456e+15', '-1.6777216e+07'],
    ['999999999999999.9', '999999.94'],
    ['1e+16', '1.5e+16'],
    ['1e-05', '0.0001'],
    ['-0', '-0'],
    ['-Infinity', 'NaN'],
    ['\\N', '\\N'],
  ] as const;
  for (const [month, types, rows] of [
    ['2025-01', ['double precision', 'real'], values],
    ['2025-02', ['numeric', 'numeric'], [['1', '1']]],
  ] as const) {
    const columns = types.map((type, index) => ({ name: `c${String(index)}`, type }));
    const text = rows.map(
      (row, day) => `${month}-${String(day + 1).padStart(2, '0')} 00:00:00+00\t${row.join('\t')}\n`,
    );
    await converted(store, await putFlights(store, month, [...COLUMNS.slice(0, 1), ...columns], [text]));
  }
  const { rows } = await ask(store, "select c0, c1 from flights where date < '2025-02-01' order by date");
  expect(rows).toEqual(values.map((row) => row.map((value) => (value === '\\N' ? null : value))));
});

// Seen to fail: the name of the folder was each value of the column.
test('a cache below a folder with the name of a column has the values of the copies', async () => {
  const { rows } = await ask(
    await threeMonths(),
    'select sum(delay)::bigint, max(date)::varchar from flights',
    {},
    100,
    'delay=77/date=2024-01-01',
  );
  expect(rows).toEqual([['1308', '2025-03-31 00:00:00+00']]);
});

// Seen to fail: the rows were those of the schema that came first.
test('a table without a schema that several schemas have is refused', async () => {
  const store = memoryStore();
  for (const [parentSchema, delay] of [
    ['east', 1],
    ['west', 2],
  ] as const) {
    const row = `2025-01-05 00:00:00+00\t${String(delay)}\tJFK\n`;
    await converted(
      store,
      await putFlights(store, '2025-01', COLUMNS, [[row]], { partition: { parentSchema } }),
    );
  }
  const of = async (sql: string, request: Partial<QueryRequest> = {}): Promise<unknown> =>
    (await ask(store, sql, request)).rows;
  for (const sql of ['select delay from flights', 'select f.delay from east.flights e, flights f']) {
    expect(await refusal(of(sql))).toMatchObject({
      code: 'InvalidInput',
      message: expect.stringMatching(/east\.flights; .*west\.flights are one name here; write the schema/),
    });
  }
  expect(await of('select e.delay, w.delay from east.flights e, west.flights w')).toEqual([[1, 2]]);
  expect(await of('with flights as (from west.flights) select delay from flights')).toEqual([[2]]);
  const sets = [{ schema: 'west', table: 'flights' }];
  expect(await of('select delay from flights', { sets })).toEqual([[2]]);
});

// Seen to fail: an ambiguous reference to a catalogue, with every statement.
test.each(['temp', 'system', 'memory'])(
  'a schema %s, as a catalogue of DuckDB is called',
  async (parentSchema) => {
    const store = memoryStore();
    const rows = [['2025-01-05 00:00:00+00\t7\tJFK\n']];
    await converted(
      store,
      await putFlights(store, '2025-01', COLUMNS, rows, { partition: { parentSchema } }),
    );
    for (const name of ['flights', `memory.${parentSchema}.flights`])
      expect((await ask(store, `select delay from ${name}`)).rows).toEqual([[7]]);
  },
);

// Seen to fail: {"months":1,"days":-2,"micros":"3500000"}.
test('an interval that a statement makes is a text that PostgreSQL reads', async () => {
  const sql =
    "select interval '1 month -2 days 3.5 seconds', max(date) - min(date), null::interval from flights";
  expect((await ask(await threeMonths(), sql)).rows).toEqual([
    ['1 month -2 days 00:00:03.5', '89 days', null],
  ]);
});

// Seen to fail: "the engine failed with Invalid Input", whatever was done.
test('a file of the cache that is damaged is told, and fetched again once it is deleted', async () => {
  const store = await threeMonths();
  const sql = 'select sum(delay)::bigint from flights';
  const { copies, base } = await ask(store, sql);
  const cache = copyCache(copies, store, { mostMiB: 100 });
  const again = async (): Promise<unknown> => {
    const engine = await duckDbEngine({
      directory: copies,
      temporary: base,
      memoryMiB: 256,
      temporaryMiB: 64,
      threads: 1,
    });
    engines.push(engine);
    await prepareQuery({ sql, latest: false }, { store, cache, engine, log: silentLog });
    return (await Array.fromAsync((await engine.run(sql)).rows)).flat();
  };
  const [file = ''] = readdirSync(copies);
  writeFileSync(join(copies, file), Buffer.alloc(readFileSync(join(copies, file)).length));
  expect(await refusal(again())).toMatchObject({
    code: 'QueryFailed',
    message: expect.stringMatching(
      /the folder copies of the cache is damaged: delete it, and it is fetched again$/,
    ),
  });
  rmSync(join(copies, file));
  expect(await again()).toEqual([['1308']]);
});

// Seen to fail with the package's own converter: '5881580-07-11' and 0.10000000149011612.
test('infinite dates, and floating-point numbers of seven digits, are shown as DuckDB itself prints them', async () => {
  const { rows } = await ask(
    await threeMonths(),
    `select 'infinity'::date, ['-infinity'::date], '-infinity'::timestamp_s, 'infinity'::timestamp_ms, '-infinity'::timestamp_ns,
       'infinity'::timestamp, '9999-12-31'::date, 0.1::float, [3.4e38::float], 'nan'::float, '-inf'::float, 0.1, null::float
       from flights limit 1`,
  );
  expect(rows[0]).toEqual([
    'infinity',
    ['-infinity'],
    '-infinity',
    'infinity',
    '-infinity',
    'infinity',
    '9999-12-31',
    0.1,
    [3.4e38],
    'NaN',
    '-Infinity',
    '0.1',
    null,
  ]);
});

// Seen to fail with columns matched by position.
test('archives of other columns are one view: the latest names, NULL where an archive has none, wider numbers, text where types differ', async () => {
  const store = await threeMonths();
  const columns = [
    { name: 'origin', type: 'text' },
    { name: 'date', type: 'timestamp with time zone' },
    { name: 'delay', type: 'bigint' },
    { name: 'Gate', type: 'date' },
  ];
  await converted(
    store,
    await putFlights(store, '2025-04', columns, [
      ['SFO\t2025-04-01 00:00:00+00\t7\t2025-04-01\nLAX\t2025-04-02 00:00:00+00\t8\tinfinity\n'],
    ]),
  );
  const { columns: described, rows } = await ask(
    store,
    'select origin, date, delay, gate from flights order by date desc limit 3',
  );
  expect(described).toEqual([
    { name: 'origin', type: 'VARCHAR' },
    { name: 'date', type: 'TIMESTAMP WITH TIME ZONE' },
    { name: 'delay', type: 'BIGINT' },
    { name: 'Gate', type: 'VARCHAR' },
  ]);
  expect(rows).toEqual([
    ['LAX', '2025-04-02 00:00:00+00', '8', 'infinity'],
    ['SFO', '2025-04-01 00:00:00+00', '7', '2025-04-01'],
    ['JFK', '2025-03-31 00:00:00+00', '30', null],
  ]);
});

test('names that are hostile are names', async () => {
  const store = memoryStore();
  const columns = [
    { name: 'date', type: 'date' },
    { name: 'a"; drop', type: 'text' },
    { name: 'A"; DROP', type: 'text' },
    { name: "o'x.y", type: 'integer' },
  ];
  await converted(
    store,
    await putFlights(store, '2025-01', columns, [['2025-01-01\tx\ty\t1\n']], {
      partition: { parentSchema: 'Sch"ema', parentName: "fl'i/ghts" },
    }),
  );
  const { columns: described, rows } = await ask(store, `select * from "Sch""ema"."fl'i/ghts"`);
  expect(described.map(({ name }) => name)).toEqual(['date', 'a"; drop', 'A"; DROP_1', "o'x.y"]);
  expect(rows).toEqual([['2025-01-01', 'x', 'y', 1]]);
});

// Seen to fail with the types of the archives that the statement needs, and the latest: BIGINT.
test('the types of a view are those of all archives of the range, whatever the statement needs', async () => {
  const store = memoryStore();
  for (const [month, type] of [
    ['2025-01', 'text'],
    ['2025-02', 'integer'],
    ['2025-03', 'bigint'],
  ] as const) {
    const columns = COLUMNS.map((column) => (column.name === 'delay' ? { ...column, type } : column));
    const archive = await putFlights(store, month, columns, [[`${month}-05 00:00:00+00\t7\tJFK\n`]]);
    // The first one has no copy, and is not needed.
    if (type !== 'text') await converted(store, archive);
  }
  const inFebruary =
    "select typeof(delay), delay::varchar from flights where date between '2025-02-01' and '2025-02-28'";
  expect(await ask(store, inFebruary)).toMatchObject({
    rows: [['VARCHAR', '7']],
    prepared: { archives: 1, pruned: 2 },
  });
  expect((await ask(store, inFebruary, { from: '2025-02' })).rows).toEqual([['BIGINT', '7']]);
  expect((await ask(store, inFebruary, { from: '2025-02', to: '2025-03' })).rows).toEqual([['INTEGER', '7']]);
});

// Seen to fail (2 of each) with a look-up of the archives before, which read each manifest, too.
test('each manifest is read once', async () => {
  const store = memoryStore();
  for (const month of ['2025-01', '2025-02'])
    await converted(store, await putFlights(store, month, COLUMNS, [[`${month}-05 00:00:00+00\t1\tJFK\n`]]));
  const read: string[] = [];
  const counting = {
    ...store,
    read: (...[key, ...rest]: Parameters<typeof store.read>) => {
      read.push(key);
      return store.read(key, ...rest);
    },
  };
  await ask(counting, 'select delay from flights');
  const manifests = read.filter((key) => key.includes('/manifest/'));
  expect([manifests.length, new Set(manifests).size]).toEqual([2, 2]);
});

// Seen to fail before: one database name alone could be read.
test('archives under a former name of the database are those of the same set', async () => {
  const store = memoryStore();
  const under = (database: string, month: string, committedAt: string) =>
    putFlights(store, month, COLUMNS, [[`${month}-05 00:00:00+00\t${database.length}\tJFK\n`]], {
      source: { ...manifestOf({}).source, database },
      times: { quarantinedAt: '', exportedAt: '', committedAt },
    });
  await converted(store, await under('shop', '2025-02', '2025-06-01T00:00:00Z'));
  await converted(store, await under('shop_old', '2025-01', '2025-05-01T00:00:00Z'));
  await converted(store, await under('first', '2024-12', '2025-04-01T00:00:00Z'));
  const sql = 'select delay from flights order by date';
  const formerNames = ['shop_old', 'first'];
  expect(await refusal(ask(store, sql))).toMatchObject({
    code: 'InvalidInput',
    message: expect.stringMatching(/^shop: public.flights; shop_old: public.flights; first: .*--former-name/),
  });
  const all = [[5], [8], [4]];
  expect((await ask(store, sql, { formerNames })).rows).toEqual(all);
  expect((await ask(store, sql, { database: 'shop', formerNames })).rows).toEqual(all);
  expect((await ask(store, sql, { formerNames, to: '2025-02' })).rows).toEqual(all.slice(0, 2));
  expect((await ask(store, sql, { database: 'shop' })).rows).toEqual([[4]]);
  // Seen to fail: a misspelt name left its archives out of the result.
  for (const names of [{ formerNames: ['shop_lod'] }, { database: 'shop_lod', formerNames }]) {
    expect(await refusal(ask(store, sql, names))).toMatchObject({
      code: 'InvalidInput',
      message: expect.stringMatching(/^there is no archive of database shop_lod; there are archives of /),
    });
  }
  // Archived again under the new name: the later one counts.
  await converted(store, await under('shop', '2025-01', '2025-07-01T00:00:00Z'));
  expect(await refusal(ask(store, sql, { formerNames }))).toMatchObject({ code: 'ArchivesOverlap' });
  expect((await ask(store, sql, { formerNames, latest: true })).rows).toEqual([[5], [4], [4]]);
});

test('two archives of a period are refused, unless the latest is asked for', async () => {
  const store = await threeMonths();
  const again = await putFlights(store, '2025-02', COLUMNS, [['2025-02-01 00:00:00+00\t1000\tSFO\n']], {
    times: { quarantinedAt: '', exportedAt: '', committedAt: '2026-02-01T00:00:00Z' },
  });
  await converted(store, again);
  const sql = 'select count(*), max(delay) from flights';
  expect(await refusal(ask(store, sql))).toMatchObject({ code: 'ArchivesOverlap' });
  expect((await ask(store, sql, { latest: true })).rows).toEqual([['63', 1000]]);
  expect((await ask(store, "select count(*) from flights where date < '2025-02-01'")).rows).toEqual([['31']]);
});

test('archives without a copy are named, with what converting them takes', async () => {
  const store = await threeMonths();
  const archive = await putFlights(store, '2025-04', COLUMNS, [['2025-04-01 00:00:00+00\t1\tSFO\n']]);
  const { code, message } = await refusal(ask(store, 'select count(*) from flights'));
  expect(code).toBe('CopyMissing');
  expect(message).toMatch(archive.object.key);
  expect(message).toMatch(/reads 0.00 GB of text out of S3 and takes about 1 second of one processor/);
  expect((await ask(store, "select count(*) from flights where date < '2025-04-01'")).rows).toEqual([['90']]);
});

test.each([
  ['insert into flights values (1)', 'the statement does not only read'],
  ["copy flights to '/tmp/x'", 'the statement does not only read'],
  ["attach '/tmp/x' as y", 'the statement does not only read'],
  ['install httpfs', 'the statement does not only read'],
  ['set memory_limit = 1', 'the statement does not only read'],
  ['select 1; select 2', '2 statements instead of one'],
  ['', '0 statements instead of one'],
  ['selec 1', 'syntax error at character 1'],
  ["select * from read_text('/etc/hostname')", 'the statement reads something else than copies of archives'],
  ["select * from read_csv('/etc/passwd')", 'the statement reads something else than copies of archives'],
  ['select nothing from flights', 'Referenced column "nothing" not found'],
])(
  'a statement that is none, or does something else than read archives, is refused: %s',
  async (sql, message) => {
    const found = await refusal(ask(await threeMonths(), sql));
    expect(found.code).toBe('QueryRefused');
    expect(found.message).toMatch(message);
  },
);

test('a table that has no archive is told by its name', async () => {
  expect(await refusal(ask(await threeMonths(), 'select * from nothing.here'))).toMatchObject({
    code: 'InvalidInput',
    message: expect.stringMatching('there is no archive of nothing.here'),
  });
});

// Seen to fail with the message of the engine passed on: it holds the value.
test('errors of the engine show no row', async () => {
  const store = memoryStore();
  await converted(
    store,
    await putFlights(store, '2025-01', COLUMNS, [['2025-01-01 00:00:00+00\t1\tsecret\n']]),
  );
  const { code, message } = await refusal(ask(store, 'select origin::integer from flights'));
  expect([code, message]).toEqual([
    'QueryFailed',
    'the engine failed with Conversion: a value does not convert to the type that it is cast to or compared with',
  ]);
});

test('what was fetched is kept by its version, and fetched again only where it is not whole', async () => {
  const store = await threeMonths();
  const reads: string[] = [];
  const counted: MemoryStore = {
    ...store,
    read: (key, version) => (reads.push(key), store.read(key, version)),
  };
  const copies = join(directory(), 'kept');
  const objects = (await store.list('')).filter(({ key }) => key.endsWith('.parquet'));
  const manifests = await Promise.all(
    (await store.list(''))
      .filter(({ key }) => key.includes('/query-manifest/'))
      .map(
        async ({ key, versionId }) =>
          JSON.parse(Buffer.concat(await Array.fromAsync(store.read(key, versionId))).toString()) as {
            objects: Parameters<ReturnType<typeof copyCache>['fetch']>[0];
          },
      ),
  );
  const wanted = manifests.flatMap((each) => each.objects);
  const cache = copyCache(copies, counted, { mostMiB: 100 });
  await cache.fetch(wanted, () => undefined);
  await cache.fetch(wanted, () => undefined);
  expect(reads).toHaveLength(objects.length);
  const [file = ''] = readdirSync(copies);
  writeFileSync(join(copies, file), readFileSync(join(copies, file)).subarray(1));
  // Of a command that was killed. Seen to fail without removeAbandoned().
  writeFileSync(join(copies, `${file}.left.part`), '');
  utimesSync(join(copies, `${file}.left.part`), 0, 0);
  await cache.fetch(wanted, () => undefined);
  expect(reads).toHaveLength(objects.length + 1);
  expect(readdirSync(copies).every((name) => name.endsWith('.parquet'))).toBe(true);
});

test('an object that is not what the manifest says is not queried', async () => {
  const store = await threeMonths();
  const [object] = (await store.list('')).filter(({ key }) => key.endsWith('.parquet'));
  const lying: MemoryStore = {
    ...store,
    async *read(key, version) {
      for await (const chunk of store.read(key, version))
        yield key === object?.key ? Buffer.from(chunk).fill(0) : chunk;
    },
  };
  expect(await refusal(ask(lying, 'select count(*) from flights'))).toMatchObject({ code: 'CopyInvalid' });
});

test('more than the cache may take is refused before anything is fetched', async () => {
  expect(await refusal(ask(await threeMonths(), 'select count(*) from flights', {}, 0))).toMatchObject({
    code: 'LocalDiskFull',
  });
});

// Seen to fail with a fetch for each set: the second removed the files of the first, which the engine missed.
test('the copies of all sets that a statement reads have to fit into the cache together', async () => {
  const store = memoryStore();
  for (const parentName of ['flights', 'trips']) {
    const rows = [['2025-01-05 00:00:00+00\t1\tJFK\n']];
    await converted(store, await putFlights(store, '2025-01', COLUMNS, rows, { partition: { parentName } }));
  }
  const copies = (await store.list('')).filter(({ key }) => key.endsWith('.parquet'));
  const bytes = copies.reduce((sum, object) => sum + object.bytes, 0);
  const mib = (size: number): number => size / 2 ** 20;
  const sql = 'select count(*) from flights join trips using (date)';
  expect((await ask(store, sql, {}, mib(bytes))).rows).toEqual([['1']]);
  expect(await refusal(ask(store, sql, {}, mib(bytes - 1)))).toMatchObject({ code: 'LocalDiskFull' });
});

test('results come as a table, as CSV, as JSON and as a Parquet file', async () => {
  const { engine, base } = await ask(await threeMonths(), 'select 1 from flights limit 1');
  const sql = "select origin, count(*) as n, NULL as nothing, 'a\"b,c' as q from flights group by 1";
  let out = '';
  const write = (text: string): void => {
    out += text;
  };
  await printTable(await engine.run(sql), write);
  expect(out).toBe('origin   n  nothing  q\n------  --  -------  -----\nJFK     90           a"b,c\n');
  out = '';
  await printCsv(await engine.run(sql), write);
  expect(out).toBe('origin,n,nothing,q\r\nJFK,90,,"a""b,c"\r\n');
  out = '';
  await printJson(await engine.run(sql), write);
  expect(JSON.parse(out)).toEqual({ origin: 'JFK', n: '90', nothing: null, q: 'a"b,c' });
  expect(await engine.writeParquet('select * from flights; ')).toBe(90);
  expect(readdirSync(base)).toContain('out.parquet');
});

// Seen to fail without the comparison with the manifest.
test('a drill counts the rows of one archive by SQL: those of its manifest, or the copy is invalid', async () => {
  const store = memoryStore();
  const archives = [];
  for (const [month, row] of [
    ['2025-01', '2025-01-05 00:00:00+00\t1\tJFK\n'],
    ['2025-02', '2025-02-05 00:00:00+00\t1\tJFK\n'],
    ['2025-03', '2025-03-05 00:00:00+00\t1\tJFK\n'],
  ] as const) {
    archives.push(await putFlights(store, month, COLUMNS, [[month === '2025-02' ? row.repeat(2) : row]]));
  }
  const [january, february, march] = archives as [StoredManifest, StoredManifest, StoredManifest];
  const copy = (await converted(store, january)).copy.manifest;
  const other = (await converted(store, february)).copy.manifest;
  const ports = { store, log: silentLog };
  expect(await askArchive(january.object.key, ports)).toEqual({ rows: 1 });
  expect(await askArchive(february.object.key, ports)).toEqual({ rows: 2 });
  expect(await askArchive(march.object.key, ports)).toEqual({ notAsked: 'it has no Parquet copy' });
  // Seen to fail: the drill had succeeded, and the command ended as if its input were wrong.
  expect(await askArchive(january.object.key, { ...ports, directory: '/proc/self/none' })).toEqual({
    notAsked: "--directory: ENOENT: no such file or directory, mkdir '/proc/self/none'",
  });
  const generation = `9${copy.generation.slice(1)}`;
  const [at] = (await store.list('')).filter(({ key }) => key.endsWith(`.${copy.generation}.json`));
  const wrong = JSON.stringify({ ...copy, generation, objects: other.objects });
  store.put(at!.key.replace(copy.generation, generation), wrong);
  await expect(askArchive(january.object.key, ports)).rejects.toMatchObject({ code: 'CopyInvalid' });
});

// Seen to fail with the name as PostgreSQL shows it: QueryRefused, of a drill that had succeeded.
test.each([
  ['order', 'flights'],
  ['temp', 'flights'],
  ['public', 'pivot'],
  ['public', 'Fl"ights'],
])('a drill asks an archive of %s.%s by SQL', async (parentSchema, parentName) => {
  const store = memoryStore();
  const rows = [['2025-01-05 00:00:00+00\t1\tJFK\n']];
  const archive = await putFlights(store, '2025-01', COLUMNS, rows, {
    partition: { parentSchema, parentName },
  });
  await converted(store, archive);
  // Another set of this name.
  await putFlights(store, '2025-01', COLUMNS, rows, { partition: { parentSchema: 'other', parentName } });
  expect(await askArchive(archive.object.key, { store, log: silentLog })).toEqual({ rows: 1 });
});
