/** Compressed archives: proven, read by everything that reads archives, and damaged in every way. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { s3ArchiveStore } from '../../../adapters/s3/archive-store.ts';
import { readManifest } from '../../../core/archive-store.ts';
import { rowsOf } from '../../support/archives.ts';
import { useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { commitStreamed, quarantined } from '../../support/streamed.ts';

const archiver = useArchiver();
const VALUES = `case g % 4 when 0 then null when 1 then E'a\\tb\\n\\\\' else repeat('ü', g % 900) end`;

/** Archives a set whose oldest partition is dropped; returns its manifest and its rows. */
async function archived(table: string, settings: object): Promise<{ key: string; rows: string[] }> {
  const { database, run, config: configure } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table, columns: 'payload text', values: VALUES, rowsPerMonth: 300 });
  const [{ name }] = await sql<[{ name: string }]>`
    select inhrelid::regclass::text as name from pg_inherits
     where inhparent = ${`app.${table}`}::regclass and inhrelid::regclass::text !~ 'default' order by 1 limit 1`;
  const rows = await rowsOf(sql, name);
  await run(configure([{ schema: 'app', table, drop: true, graceDays: 0, segmentSizeMiB: 1, ...settings }]));
  const [{ key }] = await sql<[{ key: string }]>`
    select manifest_key as key from partition_archiver.partition
     where parent_name = ${table} and state = 'dropped' order by lower_time limit 1`;
  return { key, rows };
}

describe.each(['gzip', 'zstd'] as const)('an archive in %s', (compression) => {
  const table = `in_${compression}`;

  test('is proven, dropped, audited and restored', async () => {
    const { key, rows } = await archived(table, { export: 'stream', compression });
    const { s3, bucket, operations, database } = archiver();
    const { manifest } = await readManifest(s3ArchiveStore(s3, bucket, 'us-east-1'), key);
    expect(manifest.format).toBe('partition-archive/2');
    for (const segment of manifest.segments) {
      expect(segment.compression).toBe(compression);
      expect(segment.objects).toMatchObject([{ key: expect.stringMatching(/\.tsv\.(gz|zst)$/) }]);
      expect(segment.objects[0]!.bytes).toBeLessThan(segment.bytes);
      const { ContentEncoding } = await s3.send(
        new GetObjectCommand({ Bucket: bucket, Key: segment.objects[0]!.key }),
      );
      expect(ContentEncoding).toBe(compression === 'gzip' ? 'gzip' : undefined);
    }
    expect(await operations().audit(key, 'all')).toMatchObject({ intact: true, problems: [] });
    // gzip by aws_s3, zstd by a stream. Seen to fail (aws_s3 reads it as text) without the look at the compression.
    await operations().restore({ manifestKey: key, schema: 'app', table: `${table}_back` });
    expect(await rowsOf(database.sql, `app.${table}_back`)).toEqual(rows);
  });

  // Seen to be verified without stored_bytes in verify.ts and record_match (something behind the end of gzip that decompresses
  // to nothing), and to fail with an error that is no verdict without unlessDamaged.
  test.each<[string, (stored: Buffer) => Buffer]>([
    ['is cut off', (stored) => stored.subarray(0, -1)],
    ['is empty text', () => (compression === 'gzip' ? gzipSync('') : zstdCompressSync(''))],
    ['is plain text', () => Buffer.from('1\trow\n')],
    ['has something behind it', (stored) => Buffer.concat([stored, gzipSync('')])],
    ['has a flipped bit', (stored) => Buffer.from(stored).fill(stored[40]! ^ 4, 40, 41)],
  ])('that %s in S3 is not proven', async (_, change) => {
    const segment = await quarantined(archiver(), { compression, proof: 'one-reading' });
    await segment.stream({ letter: 'a' });
    const { key } = await segment.segment();
    const { s3, bucket } = archiver();
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key! }));
    const stored = Buffer.from(await Body!.transformToByteArray());
    await segment.writer.upload(
      key!,
      (async function* () {
        yield change(stored);
      })(),
      null,
    );
    await expect(commitStreamed(archiver(), segment)).rejects.toMatchObject({
      code: 'ContentMismatch',
    });
    expect(await segment.segment()).toMatchObject({ state: 'planned', key: null });
  });
});

// Seen to fail where the rows of an archive depend on how it was written.
test('a set that aws_s3 archived is restored by a stream, and the other way round', async () => {
  const by = {
    aws_s3: await archived('by_aws_s3', {}),
    stream: await archived('by_stream', { export: 'stream' }),
  };
  const { database, operations } = archiver();
  const { sql } = database;
  const [there] = await sql`select from pg_extension where extname = 'aws_s3'`;
  expect(there).toBeDefined();
  await operations().restore({ manifestKey: by.stream.key, schema: 'app', table: 'stream_back' });
  expect(await rowsOf(sql, 'app.stream_back')).toEqual(by.stream.rows);
  await sql`drop extension aws_s3 cascade`;
  try {
    await operations().restore({ manifestKey: by.aws_s3.key, schema: 'app', table: 'aws_s3_back' });
    expect(await rowsOf(sql, 'app.aws_s3_back')).toEqual(by.aws_s3.rows);
  } finally {
    await sql`create extension aws_s3 cascade`;
  }
});
