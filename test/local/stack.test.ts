import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import postgres from 'postgres';
import { makeS3Client } from '../../adapters/s3/client.ts';
import { startLocalStack } from '../../local/stack.ts';
import type { LocalStack, StackCoordinates } from '../../local/stack.ts';
import { leanEnvironment } from '../support/command.ts';
import { COORDINATES_FILE } from '../support/stack.ts';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'partition-archiver-stack-test-'));
  chmodSync(directory, 0o755);
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** The processes that have to do with the directory, by what their command lines say. */
const pids = (): number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => commandOf(pid).includes(directory));
const processes = (): string[] => pids().map(commandOf);

/** Another process that has a stack in the directory. */
const hold = (): ChildProcess =>
  spawn(process.execPath, [join(import.meta.dirname, '../support/stack-process.ts'), directory], {
    stdio: 'ignore',
    env: leanEnvironment(),
  });

async function query<Row extends object>(stack: StackCoordinates, statement: string): Promise<Row[]> {
  const { host, port, superuser } = stack.postgres;
  const sql = postgres({
    host,
    port,
    username: superuser.user,
    password: superuser.password,
    database: 'postgres',
    max: 1,
    onnotice: () => undefined,
  });
  try {
    return await sql.unsafe<Row[]>(statement);
  } finally {
    await sql.end();
  }
}

const client = ({ s3 }: StackCoordinates): S3Client =>
  makeS3Client({ region: s3.region, endpoint: s3.endpoint, credentials: s3 });

function start(objectStore: 'memory' | 'disk', log: string[] = []): Promise<LocalStack> {
  return startLocalStack({ directory, objectStore, log: (line) => log.push(line) });
}

describe('a local stack', () => {
  test('on disk keeps rows and objects over a crash of the server and over stop and start', async () => {
    const first = await start('disk');
    await query(first, 'create table kept as select 1 as n');
    let s3 = client(first);
    await s3.send(new CreateBucketCommand({ Bucket: 'kept' }));
    await s3.send(new PutObjectCommand({ Bucket: 'kept', Key: 'object', Body: 'content' }));
    s3.destroy();

    await first.killPostgres();
    await expect(query(first, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await first.startPostgres();
    expect(await query(first, 'table kept')).toEqual([{ n: 1 }]);
    // As on a busy machine: it is dead, and nobody has reaped it yet. Seen to fail (lock file "postmaster.pid" already exists)
    // without isReaped.
    const killing = first.killPostgres();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    await killing;
    await first.startPostgres();
    await first.restartPooler();

    await first.stop();
    expect(processes()).toEqual([]);

    const second = await start('disk');
    expect(await query(second, 'table kept')).toEqual([{ n: 1 }]);
    s3 = client(second);
    const object = await s3.send(new GetObjectCommand({ Bucket: 'kept', Key: 'object' }));
    expect(await object.Body?.transformToString()).toBe('content');
    s3.destroy();
    await second.stop();
    expect(processes()).toEqual([]);
  });

  test('ends with its holder, even by SIGKILL, and starts again on what is left', async () => {
    const holder = hold();
    while (!readdirSync(directory).includes(COORDINATES_FILE)) await sleep(20);
    await expect(start('memory')).rejects.toThrow(/in use by process \d+/);

    const coordinates = JSON.parse(
      readFileSync(join(directory, COORDINATES_FILE), 'utf8'),
    ) as StackCoordinates;
    await query(coordinates, 'create table left_over as select 1 as n');
    expect(processes().length).toBeGreaterThanOrEqual(6);
    holder.kill('SIGKILL');

    const next = await start('memory');
    expect(await query(next, 'table left_over')).toEqual([{ n: 1 }]);
    await next.stop();
    expect(processes()).toEqual([]);
  });

  // Seen to fail (the command stays) without ENDS_WITH_PARENT in `run`.
  test.each([
    ['waits for its monitor', ' osd create '],
    ['makes the user of its object store', 'radosgw-admin '],
  ])('that is killed while it %s leaves nothing running', async (_, words) => {
    const holder = hold();
    while (!processes().some((command) => command.includes(words))) await sleep(5);
    holder.kill('SIGKILL');
    for (let tries = 0; processes().length > 0 && tries < 200; tries += 1) await sleep(50);
    const left = processes();
    for (const pid of pids()) process.kill(pid, 'SIGKILL');
    expect(left).toEqual([]);
  });

  test('that cannot start says why, and leaves nothing running', async () => {
    const first = await start('memory');
    await first.stop();
    rmSync(join(directory, 'services', 'postgres', 'data', 'global'), { recursive: true });
    await expect(start('memory')).rejects.toThrow(/postgres ended while starting/);
    expect(processes()).toEqual([]);
  });
});
