/** Local files of the commands that convert and query: files that exist, folders that cannot be, commands that end early. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { runCommand, type CommandResult } from '../../support/command.ts';
import { useDirectory } from '../../support/parquet-copy.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { stack } from '../../support/stack.ts';
import { testIf } from '../../support/test-if.ts';

const archiver = useArchiver();
const directory = useDirectory();
const SET = { schema: 'app', table: 'event', drop: true, graceDays: 0, query: true };
const CONVERT = ['convert', '--set', 'app.event'];

const environment = (): Record<string, string> => ({
  ARCHIVE_BUCKET: archiver().bucket,
  AWS_REGION: stack().s3.region,
  AWS_ENDPOINT_URL_S3: stack().s3.endpoint,
  AWS_ACCESS_KEY_ID: stack().s3.accessKeyId,
  AWS_SECRET_ACCESS_KEY: stack().s3.secretAccessKey,
});
const cache = (): string => join(directory(), 'cache');
const command = (...args: string[]): Promise<CommandResult> =>
  runCommand(process.execPath, ['bin/archive.ts', ...args, '--log', 'none'], environment());
const query = (sql: string, ...args: string[]): Promise<CommandResult> =>
  command('query', sql, '--directory', cache(), ...args);

beforeAll(async () => {
  const { database, run, config } = archiver();
  await createPartitionSet(database.sql, { rowsPerMonth: 5000 });
  expect(await run(config([SET]))).toMatchObject({ dropped: 2, failed: 0 });
  expect(await command(...CONVERT, '--directory', cache())).toMatchObject({ code: 0 });
});

// Seen to fail without the second allowed path in adapters/duckdb/engine.ts: QueryRefused.
test('a Parquet file that exists is replaced', async () => {
  const file = join(directory(), 'result.parquet');
  for (const rows of ['5', '7']) {
    const { code, stdout, stderr } = await query(`from event limit ${rows}`, '--parquet', file);
    expect([code, stdout, stderr]).toEqual([0, `${rows} rows, ${file}\n`, '']);
  }
  expect(readdirSync(directory()).filter((name) => name.includes('parquet'))).toEqual(['result.parquet']);
});

// Seen to fail without diskError in named() and in bin/archive.ts: a stack trace. The engine said only that it failed with IO.
test('a file or folder that cannot be made is named, without a stack trace', async () => {
  const file = join(directory(), 'a-file');
  writeFileSync(file, '');
  const below = join(file, 'below');
  const failed = (stderr: string): void => {
    expect(stderr).toMatch(/^InvalidInput: .*a-file.*\nCorrect the input[^\n]*\n$/);
  };
  for (const args of [
    ['query', 'from event limit 1', '--directory', below],
    ['query', 'from event limit 1', '--directory', cache(), '--parquet', below],
    [...CONVERT, '--directory', below],
  ]) {
    const { code, stderr } = await command(...args);
    failed(stderr);
    expect(code).toBe(3);
  }
});

const inSysfs = testIf(existsSync('/sys/kernel'), 'a /sys, in which nobody, not even root, makes a file');
// Seen to fail without diskError in named(): no option was named; and with the engine's own words left out: no file was.
inSysfs('a target that is read-only is named, and nothing is left behind', async () => {
  const none = '(Permission denied|Read-only file system)';
  const folder = join('/sys', 'archive');
  const refused = `--directory: (EPERM: operation not permitted|EROFS: read-only file system), mkdir '${folder}'`;
  const cases: [string[], string][] = [
    [
      ['query', 'from event', '--directory', cache(), '--parquet', '/sys/result.parquet'],
      `Cannot open file "/sys/result.parquet": ${none}`,
    ],
    [['query', 'from event', '--directory', folder], refused],
    [[...CONVERT, '--rebuild', '--directory', folder], refused],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await command(...args);
    expect(stderr).toMatch(new RegExp(`^InvalidInput: ${message}\nCorrect the input[^\n]*\n$`, 'i'));
    expect([code, stdout]).toEqual([3, '']);
  }
  expect(readdirSync(join(cache(), 'temporary'))).toEqual([]);
});

// Seen to fail with convert in a folder of a random name: it stayed.
test('temporary files of a convert or query that was killed are removed by the next command', async () => {
  for (const next of [
    [...CONVERT, '--dry-run', '--directory', cache()],
    ['query', 'select 1 from event limit 1', '--directory', cache()],
  ]) {
    const left = join(cache(), 'temporary', `${hostname()}.999999999.killed`);
    mkdirSync(left, { recursive: true });
    expect(await command(...next)).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(left)).toBe(false);
  }
});

// Seen to fail when the listener in bin/archive.ts ended the process: the temporary folder stayed.
test('a query whose reader stops early ends quietly and leaves nothing behind', async () => {
  const piped = `set -o pipefail; '${process.execPath}' bin/archive.ts "$@" 2>&1 | head -c 1`;
  const args = ['query', 'from event', '--csv', '--directory', cache()];
  const { code, stderr } = await runCommand('bash', ['-c', piped, 'bash', ...args], environment());
  expect([code, stderr]).toEqual([0, '']);
  expect(readdirSync(join(cache(), 'temporary'))).toEqual([]);
});
