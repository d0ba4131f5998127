import { randomBytes } from 'node:crypto';
import { systemClock } from '../../adapters/clock.ts';
import { COPY_WRITER, copyDisk } from '../../adapters/parquet/disk.ts';
import { s3CopyStore } from '../../adapters/s3/copy-store.ts';
import { readManifest } from '../../core/archive-store.ts';
import { convert } from '../../core/query/convert.ts';
import { silentLog } from '../../core/ports.ts';
import { archive } from './archive.ts';
import { BENCH, type Environment } from './environment.ts';
import { inventory, makeSet, NARROW, type Detached, type Shape } from './tables.ts';

/** Narrow rows of several months. */
const ASKED: Shape = { ...NARROW, name: 'asked' };

/** A month that was archived, dropped and converted. */
export interface ArchivedMonth {
  /** `2021-03` */
  readonly month: string;
  readonly manifestKey: string;
}

/** Archives months of the set `app.asked`, so many rows each, and makes their copies. */
export async function archiveMonths(
  environment: Environment,
  rowsOf: Readonly<Record<string, number>>,
): Promise<ArchivedMonth[]> {
  await makeSet(environment, ASKED, 1);
  const { sql, s3, stack, directory } = environment;
  const store = s3CopyStore(s3, BENCH.bucket, stack.s3.region, directory);
  const months: ArchivedMonth[] = [];
  for (const [month, rows] of Object.entries(rowsOf)) {
    const partition = await makeMonth(environment, month, rows);
    await archive(environment, ASKED, partition);
    const [{ key }] = await sql<[{ key: string }]>`
      select manifest_key as key from partition_archiver.partition where id = ${partition.id}`;
    await convert(
      await readManifest(store, key),
      { rebuild: false },
      {
        store,
        disk: copyDisk(directory, COPY_WRITER),
        clock: systemClock(),
        log: silentLog,
        unique: () => randomBytes(4).toString('hex'),
      },
    );
    months.push({ month, manifestKey: key });
  }
  return months;
}

/** A detached partition of a month, with an index as an old one has it. All its rows lie in the first 28 days. */
async function makeMonth({ sql }: Environment, month: string, rows: number): Promise<Detached> {
  const parent = `app.${ASKED.name}`;
  const table = `${ASKED.name}_p${month.replace('-', '_')}`;
  const values = ASKED.values.replace('2021-01-01', `${month}-01`).replace('2678400', '2419200');
  await sql.unsafe(`
    create table app.${table} (${ASKED.columns});
    alter table app.${table} owner to bench_owner;
    do $$ begin execute format('alter table ${parent} attach partition app.${table} for values from (%L) to (%L)',
      '${month}-01', date '${month}-01' + interval '1 month'); end $$`);
  await inventory(sql, parent);
  await sql.unsafe(`alter table ${parent} detach partition app.${table}`);
  await inventory(sql, parent);
  await sql.unsafe(`
    alter table app.${table} drop constraint ${table}_pkey;
    insert into app.${table} select ${values} from generate_series(1::bigint, ${rows}) g;
    alter table app.${table} add constraint ${table}_pkey primary key (${ASKED.primaryKey})`);
  await sql.unsafe(`vacuum (freeze, analyze) app.${table}`);
  const [row] = await sql<{ id: string }[]>`
    select max(id) as id from partition_archiver.partition where table_name = ${table} and state = 'detached'`;
  return { id: Number(row?.id), schema: 'app', table, rows };
}
