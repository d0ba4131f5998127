/** What may happen between the server, this process and S3 while it streams a segment. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { verifyDatabase } from '../../../adapters/postgres/archive/verify.ts';
import { s3ObjectStore } from '../../../adapters/s3/object-store.ts';
import { s3ObjectWriter } from '../../../adapters/s3/upload.ts';
import { s3ArchiveStore } from '../../../adapters/s3/archive-store.ts';
import type { ObjectWriter } from '../../../core/archive/stream.ts';
import { verifySegment } from '../../../core/archive/verify.ts';
import { hurriedClock, useArchiver } from '../../support/archiver.ts';
import { fakeLog } from '../../support/fakes.ts';
import { changing, commitStreamed, faulty, filledAgain, quarantined } from '../../support/streamed.ts';

const archiver = useArchiver();

// Seen to fail (two objects for one segment) without the advisory lock of begin_segment.
test('of two at once one has the segment', async () => {
  const segment = await quarantined(archiver());
  const [began, ended] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const first = segment.stream({
    letter: 'a',
    writer: {
      upload: async (key, text, compression) => {
        began.resolve(undefined);
        await ended.promise;
        return segment.writer.upload(key, text, compression);
      },
    },
  });
  await began.promise;
  try {
    await expect(segment.stream({ letter: 'b' })).rejects.toMatchObject({ code: 'SegmentBusy' });
  } finally {
    ended.resolve(undefined);
  }
  expect(await first).toEqual({ exported: true });
  expect(await segment.segment()).toMatchObject({ state: 'exported', key: expect.stringMatching(/a{16}/) });
  expect(await segment.stream({ letter: 'c' })).toEqual({ exported: true });
  expect(await segment.segment()).toMatchObject({ key: expect.stringMatching(/a{16}/) });
});

// Seen to fail (AuditFailed: the manifest does not name it) without attempts in the audit.
test('an attempt that died after its upload, and one that completes its upload late, are never read', async () => {
  const segment = await quarantined(archiver());
  const dies: ObjectWriter = {
    upload: async (key, text, compression) => {
      await segment.writer.upload(key, text, compression);
      throw new Error('the process is gone');
    },
  };
  await expect(segment.stream({ letter: 'a', writer: dies })).rejects.toThrow('the process is gone');
  expect(await segment.segment()).toMatchObject({ state: 'planned', key: null });
  expect(await segment.stream({ letter: 'b' })).toEqual({ exported: true });
  expect(await commitStreamed(archiver(), segment)).toMatchObject({ verified: { verified: true } });

  const { s3, bucket, database, operations } = archiver();
  const [{ key }] = await database.sql<[{ key: string }]>`
    select manifest_key as key from partition_archiver.partition where id = ${segment.id}`;
  const late = (await segment.segment()).key!.replace('b'.repeat(16), 'c'.repeat(16));
  await segment.writer.upload(
    late,
    (async function* () {
      yield Buffer.from('not the rows\n');
    })(),
    null,
  );
  expect(await operations().audit(key, 'all')).toMatchObject({ problems: [] });
  const store = s3ArchiveStore(s3, bucket, 'us-east-1');
  expect((await store.list(late.slice(0, late.lastIndexOf('.c')))).length).toBe(3);
});

// Seen to be exported without: the comparison of the length that S3 got.
test.each<[string, (chunk: Buffer, n: number) => Buffer[]]>([
  ['lost', (chunk, n) => (n === 2 ? [] : [chunk])],
  ['doubled', (chunk, n) => (n === 2 ? [chunk, chunk] : [chunk])],
  ['cut', (chunk, n) => (n === 2 ? [chunk.subarray(1)] : [chunk])],
])('a chunk that is %s on its way to S3 is no export', async (_, change) => {
  const segment = await quarantined(archiver(), { values: `repeat('x', 300)` });
  await expect(
    segment.stream({ letter: 'a', writer: changing(segment.writer, change) }),
  ).rejects.toMatchObject({
    code: 'ObjectStoreUnavailable',
  });
  expect(await segment.segment()).toMatchObject({ state: 'planned', key: null, sent: null });
});

// Seen to be verified without the comparison with the table and the one with what was sent, in core/archive/verify.ts.
test('a byte that changes on its way to S3 is found by the proof', async () => {
  const segment = await quarantined(archiver());
  const flips = changing(segment.writer, (chunk, n) => {
    const copy = Buffer.from(chunk);
    if (n === 1) copy[2]! ^= 1;
    return [copy];
  });
  expect(await segment.stream({ letter: 'a', writer: flips })).toEqual({ exported: true });
  await expect(commitStreamed(archiver(), segment)).rejects.toMatchObject({ code: 'ContentMismatch' });
  expect(await segment.segment()).toMatchObject({ state: 'planned', key: null, sent: null });
});

// Seen to be verified where the verification has the same reader as the export.
test.each<[string, (text: Buffer) => Buffer]>([
  ['loses a row', (text) => text.subarray(text.indexOf('\n') + 1)],
  ['loses the last row', (text) => text.subarray(0, text.lastIndexOf('\n', text.length - 2) + 1)],
  ['has a row twice', (text) => Buffer.concat([text, text.subarray(0, text.indexOf('\n') + 1)])],
  ['fills a buffer again before it was taken', filledAgain],
  ['changes a digit', (text) => Buffer.from(text.toString().replace('row 1', 'row 2'))],
  [
    'has rows in another order',
    (text) => Buffer.from(`${text.toString().trimEnd().split('\n').reverse().join('\n')}\n`),
  ],
])('a reader that %s is found by the other one', async (name, change) => {
  const segment = await quarantined(archiver());
  const reader = faulty(change, 'what it handed on');
  await segment.stream({ letter: 'a', reader });
  const { open, s3, bucket } = archiver();
  const connection = open('archiver_read');
  try {
    const place = { open: () => open('archiver_read'), isVerifyEndpoint: false, copyOut: reader };
    const verifying = verifySegment(segment.id, 0, {
      database: verifyDatabase(connection, place),
      store: s3ObjectStore(s3, bucket, 'us-east-1'),
      clock: hurriedClock,
      log: fakeLog(),
    });
    // The same rows in another order are the table's rows.
    if (name.includes('order')) expect(await verifying).toEqual({ verified: true });
    else await expect(verifying).rejects.toMatchObject({ code: 'ContentMismatch' });
  } finally {
    await connection.end({ timeout: 1 });
  }
});

// Seen to be verified without sent_sha256 in record_match.
test('the ledger takes no verdict on other bytes than were sent', async () => {
  const segment = await quarantined(archiver());
  await segment.stream({ letter: 'a' });
  const { sql } = archiver().database;
  await sql`update partition_archiver.segment set sent_sha256 = repeat('0', 64)
             where object_key = ${(await segment.segment()).key}`;
  await expect(commitStreamed(archiver(), segment)).rejects.toMatchObject({ code: 'ContentMismatch' });
  await segment.stream({ letter: 'b' });
  const { key, sent } = await segment.segment();
  const match = (sha256: string) => sql`
    select partition_archiver.record_match(${segment.id}, 0, jsonb_build_array(jsonb_build_object('key', ${key}::text)),
             s.exported_rows, s.exported_bytes, ${sha256}, repeat('0', 16), false, 'two-readings')
      from partition_archiver.segment s where s.object_key = ${key}`;
  await expect(match('0'.repeat(64))).rejects.toMatchObject({ code: 'PA001' });
  await match(sent!);
  // Seen to be committed without sent_sha256 in is_proven.
  const commit = async () =>
    archiver()
      .steps(segment.config)
      .commit(segment.id, await archiver().steps(segment.config).preflight({}));
  await sql`update partition_archiver.segment set sent_sha256 = repeat('0', 64) where object_key = ${key}`;
  await expect(commit()).rejects.toMatchObject({ code: 'PlanIncomplete' });
  await sql`update partition_archiver.segment set sent_sha256 = sha256 where object_key = ${key}`;
  await commit();
});

// Seen to be verified without stored_bytes in record_match.
test('the ledger takes no verdict on an object that has another size than what was sent', async () => {
  const segment = await quarantined(archiver(), { compression: 'zstd', proof: 'one-reading' });
  await segment.stream({ letter: 'a' });
  const { key } = await segment.segment();
  const match = (more: number) => archiver().database.sql`
    select partition_archiver.record_match(${segment.id}, 0,
             jsonb_build_array(jsonb_build_object('key', s.object_key, 'bytes', s.stored_bytes + ${more}::integer)),
             s.exported_rows, s.exported_bytes, s.sent_sha256, repeat('0', 16), false, s.proof)
      from partition_archiver.segment s where s.object_key = ${key}`;
  await expect(match(1)).rejects.toMatchObject({ code: 'PA001' });
  await expect(match(-1)).rejects.toMatchObject({ code: 'PA001' });
  await match(0);
  expect(await segment.segment()).toMatchObject({ state: 'verified', key });
});

// Seen to fail with Interrupted without the look at how long it took.
test('a segment that S3 takes too slowly is split, and nothing of it counts', async () => {
  const segment = await quarantined(archiver(), { values: `repeat(md5(g::text), 2000)` });
  const slow: ObjectWriter = {
    upload: async (_key, bytes) => {
      let length = 0;
      for await (const chunk of bytes) {
        length += chunk.length;
        await sleep(10);
      }
      return { textBytes: length, storedBytes: length };
    },
  };
  expect(await segment.stream({ letter: 'a', writer: slow, timeoutMs: 500 })).toEqual({ exported: false });
  const { sql } = archiver().database;
  const states = await sql`
    select s.number, s.state from partition_archiver.segment s join partition_archiver.partition l using (archive_id)
     where l.id = ${segment.id} order by 1`;
  expect([...states]).toEqual([
    { number: 1, state: 'planned' },
    { number: 2, state: 'planned' },
  ]);
});

// Seen to fail (the run ends with TooManyParts) without its case in adapters/postgres/archive/stream.ts.
test('a segment that has more parts than S3 takes is split, and its halves are exported', async () => {
  const segment = await quarantined(archiver(), { values: `repeat('x', 300)` });
  const { s3, bucket, database } = archiver();
  const small = s3ObjectWriter(s3, bucket, 100_000, 2);
  expect(await segment.stream({ letter: 'a', writer: small })).toEqual({ exported: false });
  const plan = await database.sql`
    select s.number, s.state from partition_archiver.segment s join partition_archiver.partition l using (archive_id)
     where l.id = ${segment.id} order by 1`;
  expect([...plan]).toEqual([
    { number: 1, state: 'planned' },
    { number: 2, state: 'planned' },
  ]);
});

// Seen to fail (ExportTimedOut, in each run) where TooManyParts is reported as 'timed-out'.
test('a single block that has more parts than S3 takes is too large, though it is exported in time', async () => {
  const segment = await quarantined(archiver(), { values: `repeat('x', 600000)`, rowsPerMonth: 10 });
  const { s3, bucket, database } = archiver();
  const [{ blocks }] = await database.sql<[{ blocks: number }]>`
    select pg_relation_size(table_oid)::integer / 8192 as blocks from partition_archiver.partition where id = ${segment.id}`;
  expect(blocks).toBe(1);
  const small = s3ObjectWriter(s3, bucket, 100_000, 2);
  await expect(segment.stream({ letter: 'a', writer: small })).rejects.toMatchObject({
    code: 'BlockTooLarge',
    message: expect.stringMatching(
      / block 0 of partition \d+ alone is too large .* its rows have 60\d{5} bytes/,
    ),
  });
});

test('a segment that is split while it is streamed has no export', async () => {
  const segment = await quarantined(archiver(), { values: `repeat('x', 300)` });
  const { sql } = archiver().database;
  const splitting: ObjectWriter = {
    upload: async (key, text, compression) => {
      await sql`select partition_archiver.split_segment(${segment.id}, 0, 1)`;
      return segment.writer.upload(key, text, compression);
    },
  };
  await segment.stream({ letter: 'a', writer: splitting });
  const halves = await sql`
    select s.number, s.state, s.object_key as key from partition_archiver.segment s
      join partition_archiver.partition l using (archive_id) where l.id = ${segment.id} order by 1`;
  expect([...halves]).toEqual([
    { number: 1, state: 'planned', key: null },
    { number: 2, state: 'planned', key: null },
  ]);
  const { steps } = archiver();
  expect(await steps(segment.config).verify(segment.id, 0)).toEqual({ verified: false });
});

// Seen to be dropped without assertCurrent in core/archive/drop.ts. Attempts share a key only where their 64 random bits are the
// same, or where one is completed twice.
test('an upload that completes late under the key that was proven keeps the table', async () => {
  const segment = await quarantined(archiver(), { drop: true });
  await segment.stream({ letter: 'a' });
  expect(await commitStreamed(archiver(), segment)).toMatchObject({ next: { next: 'drop' } });
  const { key } = await segment.segment();
  async function* other(): AsyncGenerator<Buffer> {
    yield Buffer.from('not the rows\n');
  }
  await segment.writer.upload(key!, other(), null);
  await expect(archiver().steps(segment.config).drop(segment.id)).rejects.toMatchObject({
    code: 'ObjectMissing',
    message: expect.stringContaining('was written over'),
  });
});

// Seen to be verified, and to be dropped, without versionOf in adapters/s3/object-store.ts.
test('a bucket whose versioning was suspended meanwhile proves nothing, and nothing is dropped for it', async () => {
  const { s3, bucket } = archiver();
  const versioning = (Status: 'Enabled' | 'Suspended') =>
    s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status } }));
  const [before, during] = [
    await quarantined(archiver(), { drop: true }),
    await quarantined(archiver(), { drop: true }),
  ];
  await before.stream({ letter: 'a' });
  await commitStreamed(archiver(), before);
  await versioning('Suspended');
  try {
    await during.stream({ letter: 'a' });
    const { steps } = archiver();
    await expect(steps(during.config).verify(during.id, 0)).rejects.toMatchObject({
      code: 'ObjectStoreDenied',
      message: expect.stringContaining('keeps no versions'),
    });
    const { key } = await before.segment();
    async function* other(): AsyncGenerator<Buffer> {
      yield Buffer.from('not the rows\n');
    }
    await before.writer.upload(key!, other(), null);
    await expect(steps(before.config).drop(before.id)).rejects.toMatchObject({ code: 'ObjectStoreDenied' });
  } finally {
    await versioning('Enabled');
  }
});
