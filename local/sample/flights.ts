import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type postgres from 'postgres';
import { registerOwner } from '../../adapters/postgres/install.ts';
import { createParent } from './create-parent.ts';

/** Months that the flights span: January to July 2001. */
const MONTHS = 7;
/** Rows turned into COPY text at a time. */
const BATCH = 50_000;

// The package exports its JavaScript only, so its data is found by its place.
const FILE = fileURLToPath(
  new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url),
);

/** Where the flights went. */
export interface Flights {
  readonly schema: 'public';
  readonly table: 'flights';
  readonly owner: 'aviation';
  readonly rows: number;
}

/**
 * Loads the 3,000,000 flights of the npm package vega-datasets (U.S. flights of January to July 2001) into a table
 * partitioned by month with pg_partman, their dates shifted by whole months so that the first of them is
 * `oldestMonthsAgo` months ago. The set keeps `retention`; older partitions are for the archiver.
 *
 * @param sql a superuser's connection to a database with pg_partman in schema partman
 */
export async function loadFlights(
  sql: postgres.Sql,
  {
    oldestMonthsAgo,
    retention,
    onProgress,
  }: {
    readonly oldestMonthsAgo: number;
    readonly retention: string;
    readonly onProgress?: (rows: number) => void;
  },
): Promise<Flights> {
  await makeTables(sql, oldestMonthsAgo, retention);
  const rows = await copyRows(sql, await monthsFrom2001(sql, oldestMonthsAgo), onProgress);
  await sql.unsafe(`
    create index on flights (date);
    create index on flights (origin, destination);
    insert into airport select distinct origin from flights union select distinct destination from flights;
    alter table flights add foreign key (origin) references airport, add foreign key (destination) references airport;
    analyze flights;
    do $$ declare r record; begin
      for r in select inhrelid::regclass as child from pg_inherits where inhparent = 'flights'::regclass loop
        execute format('alter table %s owner to aviation', r.child);
      end loop; end $$`);
  await registerOwner(sql, 'aviation', ['public']);
  return { schema: 'public', table: 'flights', owner: 'aviation', rows };
}

/**
 * Copies some of the flights, so many of each month, into a table that has at least their five columns, shifted as by
 * {@link loadFlights}. Returns how many there are.
 */
export async function copySomeFlights(
  sql: postgres.Sql,
  table: string,
  { oldestMonthsAgo, rowsPerMonth }: { readonly oldestMonthsAgo: number; readonly rowsPerMonth: number },
): Promise<number> {
  const file = await asyncBufferFromFile(FILE);
  const total = Number((await parquetMetadataAsync(file)).num_rows);
  const months = await monthsFrom2001(sql, oldestMonthsAgo);
  const lines: string[] = [];
  // They lie in the order of their dates: the middle of each seventh is the middle of a month.
  for (let month = 0; month < MONTHS; month += 1) {
    const start = Math.floor((total * (month + 0.5)) / MONTHS);
    lines.push(...(await readRows(file, start, start + rowsPerMonth)).map((row) => copyLine(row, months)));
  }
  const copy = `copy ${table} (date, delay, distance, origin, destination) from stdin`;
  await pipeline(Readable.from(lines), await sql.unsafe(copy).writable());
  return lines.length;
}

async function makeTables(sql: postgres.Sql, oldestMonthsAgo: number, retention: string): Promise<void> {
  await sql.unsafe(`
    do $$ begin create role aviation nologin; exception when duplicate_object then null; end $$;
    grant create, usage on schema public to aviation;
    set role aviation;
    create table airport (code text primary key);
    create table flights (
      date timestamptz not null,
      delay integer,
      distance integer check (distance >= 0),
      origin text not null,
      destination text not null
    ) partition by range (date);
    comment on table flights is 'U.S. flights, one row each';
    reset role`);
  // Created and maintained in one time zone, or the bounds do not meet.
  await sql.begin(async (tx) => {
    await tx`set local timezone = 'UTC'`;
    const [{ start }] = await tx<[{ start: string }]>`
      select to_char(date_trunc('month', now()) - make_interval(months => ${oldestMonthsAgo}::integer), 'YYYY-MM-DD') as start`;
    await createParent(tx, {
      parent: 'public.flights',
      control: 'date',
      interval: 'monthly',
      premake: 2,
      start,
    });
    await tx`
      update partman.part_config set retention = ${retention}, retention_keep_table = true, infinite_time_partitions = true
       where parent_table = 'public.flights'`;
  });
}

/** First days of the months that the flights come to lie in, in milliseconds since 1970. */
async function monthsFrom2001(sql: postgres.Sql, oldestMonthsAgo: number): Promise<number[]> {
  const rows = await sql<{ start: Date }[]>`
    select (date_trunc('month', now() at time zone 'UTC') - make_interval(months => ${oldestMonthsAgo}::integer - m)) at time zone 'UTC' as start
      from generate_series(0, ${MONTHS}::integer) m`;
  return rows.map(({ start }) => start.getTime());
}

async function copyRows(
  sql: postgres.Sql,
  months: readonly number[],
  onProgress: (rows: number) => void = () => undefined,
): Promise<number> {
  const file = await asyncBufferFromFile(FILE);
  const total = Number((await parquetMetadataAsync(file)).num_rows);
  const lines = async function* (): AsyncGenerator<string> {
    for (let start = 0; start < total; start += BATCH) {
      const rows = await readRows(file, start, Math.min(start + BATCH, total));
      yield rows.map((row) => copyLine(row, months)).join('');
      onProgress(start + rows.length);
    }
  };
  await pipeline(Readable.from(lines()), await sql`copy flights from stdin`.writable());
  return total;
}

type FlightRow = readonly [date: Date, delay: bigint, distance: bigint, origin: string, destination: string];

async function readRows(
  file: Awaited<ReturnType<typeof asyncBufferFromFile>>,
  rowStart: number,
  rowEnd: number,
): Promise<readonly FlightRow[]> {
  let rows: readonly FlightRow[] = [];
  await parquetRead({
    file,
    compressors,
    rowStart,
    rowEnd,
    columns: ['date', 'delay', 'distance', 'origin', 'destination'],
    onComplete: (read: unknown) => {
      rows = read as readonly FlightRow[];
    },
  });
  return rows;
}

/** A day that a shorter month does not have becomes its last one, as in PostgreSQL's own arithmetic. */
function copyLine([date, ...rest]: FlightRow, months: readonly number[]): string {
  const month = date.getUTCMonth();
  const start = months[month] ?? 0;
  const end = months[month + 1] ?? 0;
  const day = 86_400_000;
  let shifted = start + (date.getTime() - Date.UTC(2001, month, 1));
  while (shifted >= end) shifted -= day;
  return `${new Date(shifted).toISOString()}\t${rest.join('\t')}\n`;
}
