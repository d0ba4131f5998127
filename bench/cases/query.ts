import { execFile } from 'node:child_process';
import { createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { systemClock } from '../../adapters/clock.ts';
import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { s3ArchiveStore } from '../../adapters/s3/archive-store.ts';
import { readManifest, type ArchiveStore } from '../../core/archive-store.ts';
import { latestCopy } from '../../core/query/copy-manifest.ts';
import { literal } from '../../core/query/views.ts';
import { restore } from '../../core/restore/local.ts';
import { silentLog } from '../../core/ports.ts';
import { BENCH, type Environment } from '../lib/environment.ts';
import { Samples } from '../lib/measure.ts';
import { archiveMonths, type ArchivedMonth } from '../lib/months.ts';
import type { QueryTask } from '../lib/query-child.ts';
import { atMost, table, type Case } from '../lib/result.ts';
import { NARROW } from '../lib/tables.ts';

const execute = promisify(execFile);

const MONTHS = ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10'].map((month) => `2021-${month}`);
const ASKED_MONTH = '2021-06';
/** A day that small sizes have, too. */
const DAY = '2021-06-02';
const ROOT = join(import.meta.dirname, '../..');
const ROUNDS = 3;
/** Of all months. */
const QUESTIONS = {
  all: 'select avg(purchase_price) from t',
  days: 'select transaction_date_time::date, avg(purchase_price) from t group by 1 order by 1',
} as const;

/** A question to ten archived months, beside a restore of the one that it is about, and beside the same over their text. */
export const queryCase: Case = {
  names: ['query-vs-restore', 'query-vs-text'],
  withoutSets: true,
  run: async (environment) => {
    const { quick, s3, stack } = environment;
    const most = quick ? 200_000 : NARROW.rows;
    const rowsOf = Object.fromEntries(
      MONTHS.map((month) => [month, month === ASKED_MONTH ? most : Math.round(most / 10)]),
    );
    const months = await archiveMonths(environment, rowsOf);
    const store = s3ArchiveStore(s3, BENCH.bucket, stack.s3.region);
    const samples = new Samples();
    const rounds = quick ? 1 : ROUNDS;
    for (let round = 1; round <= rounds; round += 1) await askAndRestore(environment, months, store, samples);
    const files = await localFiles(environment, months, store);
    for (let round = 1; round <= rounds; round += 1) await askCopiesAndText(files, samples);
    return {
      rows: [
        atMost('query-vs-restore', samples.ratio('query', 'restore'), 0.1),
        atMost('query-vs-text', samples.ratio('all copies', 'all text'), 0.1),
      ],
      figures: figuresOf(samples, most, rounds),
    };
  },
};

/** One round: the question to the archive, and to the month restored. */
async function askAndRestore(
  environment: Environment,
  months: readonly ArchivedMonth[],
  store: ArchiveStore,
  samples: Samples,
): Promise<void> {
  const prices: string[] = [];
  await samples.time('query', async () => prices.push(await byQuery(environment)));
  await samples.time('restore', async () => prices.push(await byRestore(environment, months, store)));
  await environment.sql`drop table app.came_back`;
  if (Number(prices[0]) !== Number(prices[1])) throw new Error(`two averages: ${prices.join(' and ')}`);
}

/** One round: the questions over the copies, and over their text. */
async function askCopiesAndText(
  files: { readonly copies: string; readonly text: string },
  samples: Samples,
): Promise<void> {
  for (const [what, sql] of Object.entries(QUESTIONS)) {
    const [ours, theirs] = [await inDuckDb(files.copies, sql), await inDuckDb(files.text, sql)];
    if (ours.averages !== theirs.averages) throw new Error('copies and text have two results');
    samples.add(`${what} copies`, ours.cpu);
    samples.add(`${what} text`, theirs.cpu);
  }
}

function figuresOf(samples: Samples, most: number, rounds: number): string {
  return [
    `Ten archived months: ${most.toLocaleString('en')} narrow rows in the one that is asked about, a tenth of them in each other one. Medians (least to most) of ${String(rounds)} rounds.`,
    '',
    table(
      ['what', 'seconds'],
      [
        [
          'the average of a day by `npm run archive -- query`, its start included, with nothing fetched before',
          samples.show('query'),
        ],
        ['restore of that month, proven, and the same question to PostgreSQL', samples.show('restore')],
      ],
    ),
    '',
    table(
      ['DuckDB, one thread, files on the local disk; CPU seconds', 'over the copies', 'over the text'],
      [
        ['the average of all months', samples.show('all copies', 3), samples.show('all text', 3)],
        ['that of each day of them', samples.show('days copies', 3), samples.show('days text', 3)],
      ],
    ),
  ].join('\n');
}

const CONDITION = `transaction_date_time >= '${DAY}' and transaction_date_time < '2021-06-03'`;

async function byQuery({ directory, stack }: Environment): Promise<string> {
  const cache = join(directory, 'cache');
  rmSync(cache, { recursive: true, force: true });
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.s3;
  const sql = `select round(avg(purchase_price), 4) as price from app.asked where ${CONDITION}`;
  const flags = ['--max-semi-space-size=1', '--max-old-space-size=4096', 'bin/archive.ts'];
  const output = await run([...flags, 'query', sql, '--csv', '--directory', cache], {
    ARCHIVE_BUCKET: BENCH.bucket,
    AWS_REGION: region,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    // As the script `archive` of package.json has it.
    NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/node'),
  });
  return output.trim().split('\n').at(-1) ?? '';
}

async function byRestore(
  { open, sql }: Environment,
  months: readonly ArchivedMonth[],
  store: ArchiveStore,
): Promise<string> {
  const manifestKey = months.find(({ month }) => month === ASKED_MONTH)?.manifestKey ?? '';
  await restore(
    { manifestKey, schema: 'app', table: 'came_back' },
    {
      database: restoreDatabase({ open: () => open('archiver_restore'), timeoutMs: 14 * 60_000 }),
      store,
      clock: systemClock(),
      log: silentLog,
      segmentsAtOnce: 2,
    },
  );
  const [row] = await sql.unsafe<{ price: string }[]>(
    `select round(avg(purchase_price), 4)::text as price from app.came_back where ${CONDITION}`,
  );
  return row?.price ?? '';
}

/** The copies and the text of all months on the local disk, as DuckDB reads them. */
async function localFiles({ directory }: Environment, months: readonly ArchivedMonth[], store: ArchiveStore) {
  const [copies, text]: [string[], string[]] = [[], []];
  const fetched = async (key: string, versionId: string, into: string[]): Promise<void> => {
    const path = join(directory, `local-${String(copies.length + text.length)}`);
    await pipeline(Readable.from(store.read(key, versionId)), createWriteStream(path));
    into.push(literal(path));
  };
  for (const { manifestKey } of months) {
    const stored = await readManifest(store, manifestKey);
    const copy = await latestCopy(stored, store);
    for (const { key, versionId } of copy?.manifest.objects ?? []) await fetched(key, versionId, copies);
    for (const { objects } of stored.manifest.segments)
      for (const { key, versionId } of objects) await fetched(key, versionId, text);
  }
  const types = `{'sporting_event_ticket_id': 'BIGINT', 'purchased_by_id': 'INTEGER', 'transaction_date_time': 'TIMESTAMP',
    'transferred_from_id': 'INTEGER', 'purchase_price': 'DECIMAL(8,2)'}`;
  return {
    copies: `read_parquet([${copies.join(', ')}])`,
    text: `read_csv([${text.join(', ')}], delim = '\t', header = false, quote = '', escape = '', nullstr = '\\N',
      auto_detect = false, columns = ${types})`,
  };
}

async function inDuckDb(
  source: string,
  sql: string,
): Promise<{ readonly cpu: number; readonly averages: string }> {
  const task: QueryTask = { source, sql };
  const output = await run([join(ROOT, 'bench/lib/query-child.ts'), JSON.stringify(task)], {});
  const { cpu, rows } = JSON.parse(output) as { cpu: number; rows: unknown };
  return { cpu, averages: JSON.stringify(rows) };
}

async function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const own = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
  const { stdout } = await execute(process.execPath, args, { cwd: ROOT, env: { ...own, ...env } });
  return stdout;
}
