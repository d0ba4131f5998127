/** A server that has no aws_s3, from inspect to restore, by the command alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { S3Client } from '@aws-sdk/client-s3';
import { s3ArchiveStore } from '../../../adapters/s3/archive-store.ts';
import { readManifest } from '../../../core/archive-store.ts';
import { ROLE_PASSWORD, setRolePasswords } from '../../support/archiver.ts';
import { runCommand, type CommandResult } from '../../support/command.ts';
import { stack, useDatabase } from '../../support/database.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { makeBucket, makeS3Client } from '../../support/s3.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'without-aws-s3-'));
const sets = join(folder, 'sets.json');
let s3: S3Client;
let bucket = '';

beforeAll(async () => {
  s3 = makeS3Client();
  bucket = await makeBucket(s3, 'no-aws-s3');
  const { sql } = database();
  await sql`create schema partman`;
  await sql`create extension pg_partman schema partman`;
  await createPartitionSet(sql, {
    registered: false,
    columns: 'payload text, bytes bytea, twice text generated always as (payload || payload) stored',
    values: `case g % 4 when 0 then null when 1 then E'a\\tb\\n\\\\' else repeat('ü', g % 900) end, decode(md5(g::text), 'hex')`,
  });
  const set = {
    schema: 'app',
    table: 'event',
    export: 'stream',
    drop: true,
    graceDays: 0,
    segmentSizeMiB: 1,
  };
  writeFileSync(sets, JSON.stringify({ partitionSets: [set] }));
});
afterAll(() => {
  s3.destroy();
  rmSync(folder, { recursive: true });
});

const PASSWORDS = Object.fromEntries(
  ['MAINTAIN', 'READ', 'DROP', 'RESTORE'].map((role) => [`ARCHIVER_${role}_PASSWORD`, ROLE_PASSWORD]),
);

/** `prepare` gives roles the passwords that it finds; those of this server are other test files', too. */
async function archive(...args: string[]): Promise<CommandResult> {
  const { postgres, s3: store } = stack();
  const result = await runCommand(process.execPath, ['bin/archive.ts', ...args], {
    PGHOST: postgres.host,
    PGPORT: String(postgres.port),
    PGDATABASE: database().name,
    PGSSLMODE: 'disable',
    PGUSER: postgres.superuser.user,
    ARCHIVER_ADMIN_PASSWORD: postgres.superuser.password,
    ...(args[0] === 'prepare' ? {} : PASSWORDS),
    ARCHIVE_BUCKET: bucket,
    AWS_REGION: store.region,
    AWS_ENDPOINT_URL_S3: store.endpoint,
    AWS_ACCESS_KEY_ID: store.accessKeyId,
    AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
  });
  // Roles belong to the whole server: other test files may be at them just now.
  if (/tuple concurrently|SQLSTATE 23505|SQLSTATE 42710/.test(result.stderr)) return archive(...args);
  return result;
}

const contents = async (table: string): Promise<{ rows: number; sum: string }[]> =>
  await database().sql.unsafe<{ rows: number; sum: string }[]>(`
    select count(*)::integer as rows, sum(hashtextextended(t::text, 0))::text as sum from ${table} t`);

test('partitions are archived, proven, dropped, audited and restored', async () => {
  const { sql } = database();
  expect(await archive('inspect', 'app.event')).toMatchObject({ code: 0 });
  expect(await archive('prepare', '--config', sets)).toMatchObject({ code: 0, stderr: '' });
  await setRolePasswords(sql);
  const [oldest] = await sql<[{ name: string }]>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'app.event'::regclass and inhrelid::regclass::text !~ 'default' order by 1 limit 1`;
  const before = await contents(oldest.name);

  expect(await archive('run', '--config', sets)).toMatchObject({ code: 0 });
  expect(await sql`select to_regclass(${oldest.name}) is null as dropped`).toEqual([{ dropped: true }]);
  expect(await sql`select from pg_extension where extname = 'aws_s3'`).toEqual([]);
  const rows = await sql<{ state: string; key: string; segments: number }[]>`
    select state, manifest_key as key, (select count(*)::integer from partition_archiver.segment s
             where s.archive_id = p.archive_id) as segments
      from partition_archiver.partition p where archive_id is not null order by lower_time`;
  expect(rows).toMatchObject([{ state: 'dropped' }, { state: 'dropped' }]);
  const key = rows[0]!.key;
  const { manifest } = await readManifest(s3ArchiveStore(s3, bucket, 'us-east-1'), key);
  expect(manifest.contents.rows).toBe(before[0]?.rows);
  for (const { objects } of manifest.segments) {
    expect(objects).toMatchObject([{ key: expect.stringMatching(/-\d+\.[0-9a-f]{16}\.tsv$/) }]);
  }

  expect(await archive('audit', key)).toMatchObject({ code: 0 });
  expect(await archive('restore', key, '--schema', 'app', '--table', 'back')).toMatchObject({ code: 0 });
  expect(await contents('app.back')).toEqual(before);
});

test('a set that is exported by aws_s3 is refused there', async () => {
  const other = join(folder, 'other.json');
  writeFileSync(other, JSON.stringify({ partitionSets: [{ schema: 'app', table: 'event' }] }));
  const { code, stderr } = await archive('run', '--config', other);
  expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('extension aws_s3') });
});
