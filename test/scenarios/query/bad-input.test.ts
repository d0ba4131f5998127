/** What conversions and queries cannot do, on a real bucket: each is told by its code, and nothing half done is left. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { s3ArchiveStore } from '../../../adapters/s3/archive-store.ts';
import { readManifest } from '../../../core/archive-store.ts';
import { latestCopy } from '../../../core/query/copy-manifest.ts';
import { useArchiver } from '../../support/archiver.ts';
import { runCommand, type CommandResult } from '../../support/command.ts';
import { useDirectory } from '../../support/parquet-copy.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { stack } from '../../support/stack.ts';

const archiver = useArchiver();
const directory = useDirectory();
const ROOT = join(import.meta.dirname, '../../..');
const SET = { schema: 'app', table: 'event', drop: true, graceDays: 0, query: true };
/** What does not compress well: 1 MB a month. */
const VALUES = `(select string_agg(md5((random() * k)::text), '') from generate_series(1, 30) k where g > 0)`;

const store = () => s3ArchiveStore(archiver().s3, archiver().bucket, stack().s3.region);
const copies = async (): Promise<string[]> =>
  (await store().list('')).map(({ key }) => key).filter((key) => /\/query(-manifest)?\//.test(key));
const manifests = async (): Promise<string[]> =>
  (await store().list('')).map(({ key }) => key).filter((key) => key.includes('/manifest/'));

function command(
  args: readonly string[],
  { root = ROOT, endpoint = stack().s3.endpoint } = {},
): Promise<CommandResult> {
  const { region, accessKeyId, secretAccessKey } = stack().s3;
  return runCommand(process.execPath, [join(root, 'bin/archive.ts'), ...args], {
    ARCHIVE_BUCKET: archiver().bucket,
    AWS_REGION: region,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  });
}
const convert = ['convert', '--set', 'app.event'];
const count = ['query', 'select count(*) from event', '--csv'];

const small = mkdtempSync(join(tmpdir(), 'small-'));
/** A file system of 512 KiB, less than a copy has. Only root may mount one, and not in every container. */
function mountSmall(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', small], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const mounted = mountSmall();
afterAll(() => {
  if (mounted) execFileSync('umount', [small]);
  rmSync(small, { recursive: true });
});

beforeAll(async () => {
  const { database, run, config } = archiver();
  await createPartitionSet(database.sql, { values: VALUES, rowsPerMonth: 2000 });
  expect(await run(config([SET]))).toMatchObject({ dropped: 2, failed: 0 });
});

test('text in a Glacier tier is not converted, and nothing is uploaded', async () => {
  // The gateway has one storage class. This says of the text what S3 would, and passes everything on.
  const proxy = createServer((from: IncomingMessage, to: ServerResponse) => {
    const { method = '', url = '', headers } = from;
    const onward = send(`${stack().s3.endpoint}${url}`, { method, headers }, (answer) => {
      const cold = method === 'HEAD' && url.includes('/data/') ? { 'x-amz-storage-class': 'GLACIER' } : {};
      to.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...cold });
      answer.pipe(to);
    });
    from.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  try {
    const endpoint = `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`;
    const { code, stdout } = await command(convert, { endpoint });
    expect([code, stdout]).toEqual([1, expect.stringMatching(/ArchiveCold: .* lies in GLACIER/)]);
    expect(await copies()).toEqual([]);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});

(mounted ? test : test.skip)(
  'a local disk that is full stops conversion and query, and leaves nothing behind',
  async () => {
    const converted = await command([...convert, '--directory', small]);
    expect([converted.code, converted.stdout]).toEqual([1, expect.stringContaining('LocalDiskFull: ENOSPC')]);
    expect(await copies()).toEqual([]);
    expect(readdirSync(join(small, 'temporary'))).toEqual([]);

    expect(await command(convert)).toMatchObject({ code: 0 });
    const asked = await command([...count, '--directory', small]);
    expect([asked.code, asked.stderr]).toEqual([1, expect.stringContaining('ENOSPC')]);
    expect(readdirSync(join(small, 'copies'))).toEqual([]);
  },
);

test('killed between its objects and its manifest, a copy is none; the one before stays, and the next one names it', async () => {
  const [key = ''] = (await manifests()).sort();
  expect(await command(convert)).toMatchObject({ code: 0 });
  const before = await copies();
  const { endpoint, region, accessKeyId, secretAccessKey } = stack().s3;
  const program = join(ROOT, 'test/support/faults/convert-killed.ts');
  const killed = await runCommand(process.execPath, [program, archiver().bucket, key, directory()], {
    AWS_REGION: region,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  });
  // No code: a signal ended it.
  expect([killed.code, killed.stderr]).toEqual([null, '']);
  const left = (await copies()).filter((each) => !before.includes(each));
  expect(left).toEqual([expect.stringMatching(/\/query\/[^/]+\/[^/]+-killed\/0\.parquet$/)]);
  const stored = await readManifest(store(), key);
  expect((await latestCopy(stored, store()))?.manifest.generation).not.toContain('killed');

  expect(await command(['convert', key, '--rebuild'])).toMatchObject({ code: 0 });
  expect((await latestCopy(stored, store()))?.manifest.givenUp).toEqual([expect.stringMatching(/-killed$/)]);
});

test('without the engine, a query says what to install', async () => {
  const root = join(directory(), 'installed');
  for (const folder of ['bin', 'core', 'adapters', 'package.json'])
    cpSync(join(ROOT, folder), join(root, folder), { recursive: true });
  mkdirSync(join(root, 'node_modules'));
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter((each) => each !== '@duckdb'))
    symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
  const { code, stderr } = await command([...count, '--directory', join(directory(), 'cache')], { root });
  expect([code, stderr]).toEqual([1, expect.stringContaining('npm install --no-save @duckdb/node-api')]);
  rmSync(root, { recursive: true });
});

test('two archives of a period are refused, until the latest is asked for', async () => {
  const { database, operations, run, config } = archiver();
  await database.sql`update partman.part_config set retention = '100 years' where parent_table = 'app.event'`;
  const [first = ''] = (await manifests()).sort();
  expect(await operations().restore({ manifestKey: first, attach: 'parent' })).toMatchObject({
    attachedTo: 'app.event',
  });
  await database.sql`update partman.part_config set retention = '2 months' where parent_table = 'app.event'`;
  const [row] = await database.sql<{ id: string }[]>`
    select id from partition_archiver.partition where state = 'restored'`;
  await operations().resume(Number(row?.id));
  expect(await run(config([SET]))).toMatchObject({ dropped: 1, failed: 0 });
  expect(await manifests()).toHaveLength(3);

  expect(await command(convert)).toMatchObject({ code: 0 });
  const cache = ['--directory', join(directory(), 'cache')];
  const refused = await command([...count, ...cache]);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/more than one archive of a period/),
  ]);
  expect(await command([...count, ...cache, '--latest'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/\n4000\r?\n/),
  });
});

test('a manifest of another version is refused by both, and nothing is made of it', async () => {
  const { s3, bucket } = archiver();
  const before = await copies();
  const [key = ''] = (await manifests()).sort();
  const text = Buffer.concat(
    await Array.fromAsync(store().read(key, (await store().current(key)).versionId)),
  ).toString();
  const other = text.replace('"partition-archive/1"', '"partition-archive/2"');
  expect(other).not.toBe(text);
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: other }));
  for (const args of [[...convert, '--rebuild'], count]) {
    const { code, stdout, stderr } = await command(args);
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining(key)]);
  }
  expect(await copies()).toEqual(before);
});
