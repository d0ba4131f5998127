import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ROLE_PASSWORD, useArchiver } from '../support/archiver.ts';
import { runCommand, type CommandResult } from '../support/command.ts';
import { createPartitionSet } from '../support/partition-sets.ts';
import { stack } from '../support/stack.ts';

const archiver = useArchiver();
let directory = '';

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'archive-command-'));
  await createPartitionSet(archiver().database.sql);
  const partitionSets = [{ schema: 'app', table: 'event', drop: true, graceDays: 0 }];
  writeFileSync(join(directory, 'sets.json'), JSON.stringify({ partitionSets }));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** Commands that read the partition sets. */
const CONFIGURED = [
  'run',
  'preflight',
  'maintain',
  'detect',
  'quarantine',
  'export',
  'verify',
  'commit',
  'drop',
];

function archive(args: readonly string[], environment: Record<string, string> = {}): Promise<CommandResult> {
  const { pooler, s3 } = stack();
  const config = CONFIGURED.includes(args[0] ?? '') ? ['--config', join(directory, 'sets.json')] : [];
  return runCommand(process.execPath, ['bin/archive.ts', ...args, ...config], {
    PGHOST: pooler.host,
    PGPORT: String(pooler.port),
    PGDATABASE: archiver().database.name,
    PGSSLROOTCERT: pooler.caFile,
    ARCHIVER_MAINTAIN_PASSWORD: ROLE_PASSWORD,
    ARCHIVER_READ_PASSWORD: ROLE_PASSWORD,
    ARCHIVER_DROP_PASSWORD: ROLE_PASSWORD,
    ARCHIVE_BUCKET: archiver().bucket,
    AWS_REGION: s3.region,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    ...environment,
  });
}

const states = async (): Promise<string[]> =>
  (
    await archiver().database.sql<{ state: string }[]>`
      select distinct state from partition_archiver.partition order by 1`
  ).map(({ state }) => state);

describe('the local command', () => {
  // Seen to fail: the legend named letters that only the bucket gives.
  test('the status is by the ledger alone, and says so', async () => {
    const { stdout } = await archive(['status']);
    expect(stdout).toContain(', p archived and proven, r restored,');
    expect(stdout).toMatch(/by the ledger alone; report also shows [^\n]*\n$/);
  });

  test('says how it is used, and refuses what it does not know', async () => {
    expect(await archive(['--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Exit codes'),
    });
    expect(await archive(['explode'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("'explode'"),
    });
    expect(await archive(['drop'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("missing required argument 'id'"),
    });
    expect(await archive(['drop', 'seven'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('"seven" must be a whole number'),
    });
    expect(await archive(['run', '--force'])).toMatchObject({ code: 2 });
  });

  test('names everything that its environment lacks, at once', async () => {
    const { code, stderr } = await archive(['run'], { PGHOST: '', PGPORT: 'x', ARCHIVE_BUCKET: '' });
    expect(code).toBe(3);
    expect(stderr).toContain('PGHOST is not set');
    expect(stderr).toContain('PGPORT: "x"');
    expect(stderr).toContain('ARCHIVE_BUCKET is not set');
  });

  // Seen to fail one after the other, and with stack traces for the endpoint and without credentials.
  test('names wrong options, a wrong file and a wrong environment at once', async () => {
    const { code, stderr } = await archive(['run', '--only', 'all', '--log', 'x'], {
      PGHOST: '',
      PGSSLROOTCERT: '/nowhere.pem',
      AWS_REGION: 'eu west',
      AWS_ENDPOINT_URL_S3: 'nowhere',
    });
    expect(code).toBe(3);
    for (const problem of [
      '--only: "all" must be one of inventory, drop',
      '--log: "x" must be one of lines, json, none',
      'PGHOST is not set',
      'AWS_REGION: "eu west" must be a region',
      'AWS_ENDPOINT_URL_S3: "nowhere" must be a URL',
      'PGSSLROOTCERT: cannot read /nowhere.pem',
    ])
      expect(stderr).toContain(problem);
    const credentials = {
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    expect(await archive(['find'], { ...credentials, HOME: directory })).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /^InvalidConfiguration: listing the bucket: no AWS credentials: .*\n.*\n$/,
      ),
    });
    expect(await archive(['find'], { ARCHIVE_BUCKET: 'nowhere' })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('there is no bucket "nowhere"'),
    });
  });

  // Seen to fail: the message did not say which server it could not reach.
  test('a server that cannot be reached is named', async () => {
    expect(await archive(['status'], { PGHOST: '127.0.0.1', PGPORT: '1' })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /\(ECONNREFUSED\)\n.*\nThe server is 127\.0\.0\.1:1 \(PGHOST, PGPORT\), /,
      ),
    });
  });

  // Seen to fail: /proc did not end, a file said ENOTDIR of another path, and an empty HOME was the current folder.
  test('a folder that cannot be made is named with its option; an empty HOME is none', async () => {
    const file = join(directory, 'sets.json');
    for (const [folder, reason] of [
      ['/proc/self/none', "ENOENT: no such file or directory, mkdir '/proc/self/none'"],
      [file, `EEXIST: file already exists, mkdir '${file}'`],
    ] as const) {
      const { code, stderr } = await archive(['query', 'select 1', '--directory', folder]);
      expect({ code, stderr }).toEqual({
        code: 3,
        stderr: expect.stringContaining(`InvalidInput: --directory: ${reason}\n`),
      });
    }
    expect(await archive(['query', 'select 1 as one', '--csv', '--log', 'none'], { HOME: '' })).toMatchObject(
      {
        code: 0,
        stdout: 'one\r\n1\r\n',
      },
    );
    expect(existsSync('.cache')).toBe(false);
  });

  test('names the file of authorities that is not there', async () => {
    const { code, stderr } = await archive(['status'], { PGSSLROOTCERT: '/nowhere.pem' });
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining('PGSSLROOTCERT: cannot read /nowhere.pem'),
    });
  });

  test('a dry run changes nothing and says what would happen', async () => {
    const { code, stdout } = await archive(['run', '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toContain('would archive 2 partitions; nothing was changed');
    // pg_partman 4 calls it event_p2026_08, and 5 event_p20260801.
    expect(stdout).toMatch(/app\.event_p(\d{4}_\d\d|\d{8}) .*about 1000 rows, \d+ bytes, 1 segment\b/);
    expect(await states()).toEqual([]);
  });

  test('refuses a set that is not configured, before anything is changed', async () => {
    const { code, stderr } = await archive(['run', '--set', 'app.other']);
    expect(code).toBe(3);
    expect(stderr).toContain('"app.other" is not configured; configured are app.event');
    expect(await states()).toEqual([]);
  });

  test('runs each step alone, one after the other', async () => {
    const maintained = await archive(['maintain']);
    expect(maintained.code).toBe(0);
    const detected = await archive(['detect']);
    const { partitions } = JSON.parse(detected.stdout) as { partitions: number[] };
    expect(partitions).toHaveLength(2);
    const id = String(partitions[0]);
    expect((await archive(['drop', id])).code).toBe(1);
    expect(JSON.parse((await archive(['quarantine', id])).stdout)).toEqual({ next: 'export', segments: [0] });
    expect(JSON.parse((await archive(['export', id, '0'])).stdout)).toEqual({ exported: true });
    expect(JSON.parse((await archive(['verify', id, '0'])).stdout)).toEqual({ verified: true });
    expect(JSON.parse((await archive(['commit', id])).stdout)).toEqual({ next: 'drop', segments: [] });
    expect(JSON.parse((await archive(['drop', id])).stdout)).toEqual({ dropped: true });
  });

  test('a run archives what is left, and the ledger shows it', async () => {
    const { code, stdout } = await archive(['run']);
    expect(stdout).toContain('1 archived and proven (1000 rows');
    expect(code).toBe(0);
    const { stdout: ledger } = await archive(['status']);
    expect(ledger.match(/ dropped /g)).toHaveLength(2);
    expect(ledger).toMatch(/\napp\.event\n {2}\d{6} ppa+ \d{6}\n/);
  });

  test('the page has what was archived, from the ledger and from the bucket', async () => {
    const file = join(directory, 'archive.html');
    expect(await archive(['report', '--html', file])).toMatchObject({ code: 0, stdout: `${file}\n` });
    const page = readFileSync(file, 'utf8');
    expect(page.match(/<dt>restore<dd><code>npm run archive -- restore /g)).toHaveLength(2);
    expect(page).toMatch(/<summary>DDL of the latest archive<\/summary><pre tabindex="0">.*create table/is);
    expect((await archive(['report'])).stdout).toMatch(/^app\.event\n {2}\d{6} ppa+ \d{6}\n/);
  });

  test('finds, audits and restores what was archived', async () => {
    const { stdout: found } = await archive(['find', '--set', 'app.event']);
    const keys = found
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '');
    expect(keys).toHaveLength(2);
    const key = keys[0] ?? '';
    expect(JSON.parse((await archive(['audit', key])).stdout)).toMatchObject({
      intact: true,
      checked: { rows: 1000 },
    });
    const restored = await archive(['restore', key, '--table', 'came_back'], {
      ARCHIVER_RESTORE_PASSWORD: ROLE_PASSWORD,
    });
    // Somebody waits for it, perhaps for hours.
    expect(restored).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(
        / import: restoreId 1, segmentNumber 0, rows 1000\n.* prove: restoreId 1, range 0, rows 1000/s,
      ),
    });
    // Seen to fail without known-sets.ts: both ended with 0, and did not say what the bucket has.
    const name = archiver().database.name;
    const nothing = `there is no archive of app.evnet; there are archives of app.event (database ${name})\n`;
    expect((await archive(['find', '--set', 'app.evnet'])).stdout).toBe(nothing);
    for (const command of ['audit-all', 'convert']) {
      const { code, stderr } = await archive([command, '--set', 'app.evnet']);
      expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining(nothing) });
    }
    // Seen to fail: a drill of a database that has no archive ended with 0.
    const drill = await archive(['drill', '--database', 'nowhere'], {
      ARCHIVER_RESTORE_PASSWORD: ROLE_PASSWORD,
    });
    expect(drill).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('of database nowhere; there are'),
    });
    // Seen to fail with the sets of the command line alone: exit status 0 for a database that there is not.
    const config = join(directory, 'queried.json');
    const partitionSets = [{ schema: 'app', table: 'event', query: true }];
    writeFileSync(config, JSON.stringify({ partitionSets }));
    const misspelt = await archive(['convert', '--config', config, '--database', 'nowhere']);
    expect(misspelt).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(
        'there is no archive of database nowhere; there are archives of app.event',
      ),
    });
    expect(await archiver().database.sql`select count(*)::integer as n from app.came_back`).toEqual([
      { n: 1000 },
    ]);
  });

  test('stops after a major upgrade, and continues once the ledger is upgraded as the error says', async () => {
    const { sql } = archiver().database;
    await sql`update partition_archiver.partition set system_identifier = system_identifier - 1`;
    const stopped = await archive(['run']);
    expect(stopped.code).toBe(3);
    const [, from = ''] = /npm run archive -- upgrade-ledger (\d+)/.exec(stopped.stderr) ?? [];
    const { code, stdout } = await archive(['upgrade-ledger', from]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining(`of the system ${from} upgraded`),
    });
    expect(stdout).toMatch(/ app\.came_back: restored; no run archives it, as before\n/);
    expect((await archive(['run', '--dry-run'])).code).toBe(0);
    expect((await archive(['upgrade-ledger', 'nowhere'])).code).toBe(3);
  });

  // Seen to fail before: the second run ended with 0, and only its text said that something is still blocked.
  test('a run while a partition is still blocked since earlier does not end with 0', async () => {
    const { sql } = archiver().database;
    const [{ id }] = await sql<[{ id: number }]>`
      select min(id)::integer as id from partition_archiver.partition where state = 'attached'`;
    await sql`update partition_archiver.partition set state = 'blocked', blocked_state = 'attached',
                blocked_code = 'PartitionRefused', blocked_reason = 'somebody says so' where id = ${id}`;
    const { code, stdout, stderr } = await archive(['run']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining('1 still blocked') });
    expect(stderr).toContain('PartitionsFailed: 1 still blocked');
    expect((await archive(['run', '--dry-run'])).code).toBe(0);
    await sql`update partition_archiver.partition set state = 'attached', blocked_state = null, blocked_code = null,
                blocked_reason = null where id = ${id}`;
  });

  // Seen to fail without absentDatabase(): DatabaseUnavailable (CONNECT_TIMEOUT) after 31 seconds.
  test('a wrong name of the database is told at once, with the names that there are', async () => {
    const { code, stderr } = await archive(['status'], { PGDATABASE: 'nowhere' });
    expect(stderr).toMatch(
      /^InvalidConfiguration: PGDATABASE: the server has no database "nowhere"; it has /,
    );
    expect(stderr).toContain(archiver().database.name);
    expect(code).toBe(3);
    // The pooler has failed to log in just now, and refuses the next client at once.
    const again = await archive(['status'], { PGDATABASE: 'nowhere' });
    expect(again.stderr).toMatch(/the server has no database "nowhere"/);
  });

  test('exits with 1 and the way out when the database is not reachable', async () => {
    const { code, stderr } = await archive(['run'], { PGPORT: '1' });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('DatabaseUnavailable') });
    expect(stderr).toContain('security groups');
  });
});
