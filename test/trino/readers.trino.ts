/** Copies read by pandas and by Spark, as docs/query.md says: every value beside PostgreSQL's. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';
import type { CopyColumn } from '../../core/query/parquet-map.ts';
import { psql } from '../support/archives.ts';
import { copyText } from '../support/copy-text.ts';
import { useDatabase } from '../support/database.ts';
import { oddFixture } from '../support/odd-set.ts';
import { makeCopy, segmentOf, useDirectory } from '../support/parquet-copy.ts';
import { TYPED_COLUMNS, TYPED_EXTREMES, TYPED_NAMES, typedValues } from '../support/typed-rows.ts';
import { comparable, expectedOf } from './values.ts';

const PINNED = { pandas: '3.1.1', pyarrow: '26.0.1', pyspark: '4.3.0' };
const python = join(
  import.meta.dirname,
  '../../.local',
  `readers-${Object.values(PINNED).join('-')}`,
  'bin/python',
);
const database = useDatabase();
const directory = useDirectory();
const TABLES = ['public.typed', 'odd.part'];
const copies = new Map<string, { readonly columns: readonly CopyColumn[]; readonly path: string }>();

/** The packages, from PyPI as pip of this machine is set up (600 MB, once), below `.local`. */
function install(): void {
  if (existsSync(python)) return;
  const folder = join(python, '../..');
  const run = (command: string, args: readonly string[]): void => {
    execFileSync(command, args, { stdio: 'inherit' });
  };
  run('python3', ['-m', 'venv', folder]);
  const packages = Object.entries(PINNED).map(([name, version]) => `${name}==${version}`);
  run(python, ['-m', 'pip', 'install', '--quiet', ...packages]);
}

beforeAll(async () => {
  install();
  const { sql, url } = database();
  await sql.unsafe(`
    create table public.typed (id integer generated always as identity, ${TYPED_COLUMNS});
    insert into public.typed (${TYPED_NAMES})
      select ${typedValues('n')} from generate_series(1, 1000) n;
    insert into public.typed (a_boolean) values (null), (null);
    insert into public.typed (${TYPED_EXTREMES.columns}) values ${TYPED_EXTREMES.rows.map((row) => `(${row})`).join(', ')}`);
  await psql(url, oddFixture('awkward-types'));
  await sql.unsafe(
    `do $$ begin execute format('create table odd.part partition of odd.sample for values from (%L) to (%L)',
       date_trunc('month', now()) - interval '3 months', date_trunc('month', now()) - interval '2 months'); end $$`,
  );
  await psql(url, oddFixture('awkward-rows'));
  for (const table of TABLES) {
    const { text, source } = await copyText(database(), table);
    const { columns, paths } = await makeCopy(directory(), source, [segmentOf(text)]);
    copies.set(table, { columns, path: paths[0] ?? '' });
  }
}, 1_800_000);

test.each(
  ['read_pandas.py', 'read_spark.py'].flatMap((script) => TABLES.map((table) => [script, table] as const)),
)('%s reads every value of %s as PostgreSQL has it', async (script, table) => {
  const { columns, path } = copies.get(table) ?? { columns: [], path: '' };
  const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, script), path], {
    maxBuffer: 2 ** 28,
    env: { ...process.env, PYTHONIOENCODING: 'utf-8', LC_ALL: 'C.UTF-8' },
  });
  const rows = JSON.parse(stdout) as unknown[][];
  // In the order of the table, which is that of the file.
  const theirs = await expectedOf(database().sql, columns, table);
  columns.forEach((column, index) => {
    expect([column.name, rows.map((row) => comparable(column, row[index]))]).toEqual([
      column.name,
      theirs.map((row) => row[index]),
    ]);
  });
});
