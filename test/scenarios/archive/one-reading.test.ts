/** The proof by one reading: what stands against each of its holes. */
import { expect, test } from '@jest/globals';
import { verifyDatabase } from '../../../adapters/postgres/archive/verify.ts';
import { s3ObjectStore } from '../../../adapters/s3/object-store.ts';
import { verifySegment } from '../../../core/archive/verify.ts';
import { manifestProof, STREAM_VERSION } from '../../../core/manifest.ts';
import { readArchives } from '../../support/archives.ts';
import { hurriedClock, useArchiver } from '../../support/archiver.ts';
import { fakeLog } from '../../support/fakes.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import {
  changing,
  commitStreamed,
  faulty,
  filledAgain,
  quarantined,
  type Quarantined,
} from '../../support/streamed.ts';

const archiver = useArchiver();
const ONE = { proof: 'one-reading' } as const;
const PLANNED = { state: 'planned', key: null, sent: null, proof: 'two-readings' };

/** Verifies where the table cannot be read. */
async function verifyWithoutTable({ id }: Quarantined): Promise<{ verified: boolean }> {
  const { open, s3, bucket } = archiver();
  const connection = open('archiver_read');
  const nowhere = (): never => {
    throw new Error('the table was to be read');
  };
  try {
    return await verifySegment(id, 0, {
      database: verifyDatabase(connection, { open: nowhere, isVerifyEndpoint: false }),
      store: s3ObjectStore(s3, bucket, 'us-east-1'),
      clock: hurriedClock,
      log: fakeLog(),
    });
  } finally {
    await connection.end({ timeout: 1 });
  }
}

test('a segment is proven without the table, and its table dropped', async () => {
  const segment = await quarantined(archiver(), { ...ONE, drop: true });
  expect(await segment.stream({ letter: 'a' })).toEqual({ exported: true });
  expect(await segment.segment()).toMatchObject({ state: 'exported', proof: 'one-reading' });
  expect(await verifyWithoutTable(segment)).toEqual({ verified: true });
  expect(await commitStreamed(archiver(), segment)).toMatchObject({ next: { next: 'drop' } });
  const { s3, bucket, steps, database } = archiver();
  const [{ id: archiveId }] = await database.sql<[{ id: string }]>`
    select archive_id as id from partition_archiver.partition where id = ${segment.id}`;
  const manifest = (await readArchives(s3, bucket)).find(
    (each) => each.manifest.archiveId === archiveId,
  )!.manifest;
  expect(manifestProof(manifest)).toBe('oneReading');
  expect(manifest.ddl.template).toMatchObject({ readTwice: [] });
  await steps(segment.config).drop(segment.id);
  expect(await database.sql`select state from partition_archiver.partition where id = ${segment.id}`).toEqual(
    [{ state: 'dropped' }],
  );
});

// Seen to be exported without: the comparison of the digest with what reader and server said.
test.each<[string, (text: Buffer) => Buffer]>([
  ['loses a row', (text) => text.subarray(text.indexOf('\n') + 1)],
  ['loses the last row', (text) => text.subarray(0, text.lastIndexOf('\n', text.length - 2) + 1)],
  ['loses the end of the last row', (text) => text.subarray(0, -1)],
  ['loses a byte', (text) => Buffer.concat([text.subarray(0, 3), text.subarray(4)])],
  ['has a byte twice', (text) => Buffer.concat([text.subarray(0, 4), text.subarray(3)])],
  ['has a row twice', (text) => Buffer.concat([text, text.subarray(0, text.indexOf('\n') + 1)])],
  ['has all rows twice', (text) => Buffer.concat([text, text])],
  ['fills a buffer again before it was taken', filledAgain],
])('a chain from the reader to the hash that %s is no export', async (_, change) => {
  const segment = await quarantined(archiver(), ONE);
  const reader = faulty(change, 'what the server said');
  await expect(segment.stream({ letter: 'a', reader })).rejects.toMatchObject({
    code: 'DatabaseUnavailable',
  });
  expect(await segment.segment()).toEqual(PLANNED);
});

// Seen to be recorded without the comparison in record_stream.
test('the ledger records nothing that the server did not say', async () => {
  const segment = await quarantined(archiver(), ONE);
  const { open } = archiver();
  const connection = open('archiver_read');
  const [{ key }] = await archiver().database.sql<[{ key: string }]>`
    select format('x/data/%s-0.%s.tsv', archive_id, repeat('a', 16)) as key
      from partition_archiver.partition where id = ${segment.id}`;
  const sent = {
    key,
    rows: 2,
    files: 1,
    bytes: 4,
    sha256: '0'.repeat(64),
    said: 2,
    proof: 'one-reading',
    version: '0',
  };
  const record = (changes: object) =>
    connection`select partition_archiver.record_stream(${segment.id}, 0, ${connection.json({ ...sent, ...changes })}::jsonb)`;
  try {
    await expect(record({ said: 3 })).rejects.toMatchObject({ code: 'PA001' });
    await expect(record({ said: null })).rejects.toMatchObject({ code: 'PA001' });
    await expect(record({ sha256: null })).rejects.toMatchObject({ code: 'PA001' });
    expect(await segment.segment()).toEqual(PLANNED);
    await record({});
  } finally {
    await connection.end({ timeout: 1 });
  }
});

// Seen to fail without the comparison of SHA-256 (a digit, the order), and of rows, bytes and SHA-256 (a lost part). Of what
// has no end, each of these and the check of the end tell.
test.each<[string, (text: Buffer) => Buffer]>([
  ['a changed digit', (text) => Buffer.from(text.toString().replace('row 1', 'row 2'))],
  [
    'rows in another order',
    (text) => Buffer.from(`${text.toString().trimEnd().split('\n').reverse().join('\n')}\n`),
  ],
  ['a lost part', (text) => text.subarray(0, text.indexOf('\n', 100) + 1)],
  ['no end', (text) => text.subarray(0, -1)],
])('what S3 has with %s is not what was sent', async (_, change) => {
  const segment = await quarantined(archiver(), ONE);
  const pieces: Buffer[] = [];
  const keeping = changing(segment.writer, (chunk) => {
    pieces.push(Buffer.from(chunk));
    return [chunk];
  });
  await segment.stream({ letter: 'a', writer: keeping });
  const { key } = await segment.segment();
  await segment.writer.upload(
    key!,
    (async function* () {
      yield change(Buffer.concat(pieces));
    })(),
    null,
  );
  await expect(verifyWithoutTable(segment)).rejects.toMatchObject({ code: 'ContentMismatch' });
  expect(await segment.segment()).toEqual(PLANNED);
});

// Seen to fail without assert_sealed in record_match (the verdict), and in begin_segment and record_match (the verification).
test('a fence that was lifted after the export', async () => {
  const segment = await quarantined(archiver(), ONE);
  await segment.stream({ letter: 'a' });
  await archiver().database.sql.unsafe(
    (
      await archiver().database.sql<[{ statement: string }]>`
        select format('alter table %s disable trigger user; alter table %1$s enable always trigger partition_archiver_fence_row',
                 table_oid::regclass) as statement from partition_archiver.partition where id = ${segment.id}`
    )[0].statement,
  );
  await expect(verifyWithoutTable(segment)).rejects.toMatchObject({ code: 'SealBroken' });
  // Lifted while S3 was read.
  const verdict = archiver().database.sql`
    select partition_archiver.record_match(${segment.id}, 0, jsonb_build_array(jsonb_build_object('key', s.object_key)),
             s.exported_rows, s.exported_bytes, s.sent_sha256, repeat('0', 16), false, s.proof)
      from partition_archiver.segment s where s.object_key = ${(await segment.segment()).key}`;
  await expect(verdict).rejects.toMatchObject({ code: 'PA003' });
});

// Seen to be exported without the recorded bounds in the COPY.
test('a row out of the recorded bounds ends the export', async () => {
  const segment = await quarantined(archiver(), ONE);
  await archiver().database.sql`
    update partition_archiver.partition set upper_bound = lower_bound where id = ${segment.id}`;
  await expect(segment.stream({ letter: 'a' })).rejects.toMatchObject({ code: 'BoundsViolated' });
  expect(await segment.segment()).toEqual(PLANNED);
});

// Seen to be exported without the look at the connection.
test('one reading of another machine without TLS is refused, two are not', async () => {
  const [one, two] = [await quarantined(archiver(), ONE), await quarantined(archiver())];
  const isPrivate = (): boolean => false;
  await expect(one.stream({ letter: 'a', isPrivate })).rejects.toMatchObject({
    code: 'InvalidConfiguration',
  });
  expect(await one.segment()).toEqual(PLANNED);
  expect(await two.stream({ letter: 'a', isPrivate })).toEqual({ exported: true });
});

// Seen to be verified and dropped without is_proven in drop_verified, and the proof in record_match.
test('the ledger takes no other proof than it asks for, and drops nothing without it', async () => {
  const segment = await quarantined(archiver(), { ...ONE, drop: true });
  await segment.stream({ letter: 'a' });
  const { sql } = archiver().database;
  const match = (proof: string | null, orderDiffers = false) => sql`
    select partition_archiver.record_match(${segment.id}, 0, jsonb_build_array(jsonb_build_object('key', s.object_key)),
             s.exported_rows, s.exported_bytes, s.sent_sha256, repeat('0', 16), ${orderDiffers}, ${proof})
      from partition_archiver.segment s where s.object_key = ${before.key}`;
  const before = await segment.segment();
  await expect(match('two-readings')).rejects.toMatchObject({ code: 'PA001' });
  await expect(match(null)).rejects.toMatchObject({ code: 'PA001' });
  await expect(match('one-reading', true)).rejects.toMatchObject({ code: 'PA001' });
  await commitStreamed(archiver(), segment);
  const drop = () => archiver().steps(segment.config).drop(segment.id);
  const change = (column: string, value: string) =>
    sql.unsafe(
      `update partition_archiver.segment set ${column} = ${value} where object_key = '${before.key!}'`,
    );
  for (const [column, value, back] of [
    ['sent_sha256', `repeat('0', 64)`, 'sha256'],
    ['exported_rows', 'row_count + 1', 'row_count'],
    ['exported_bytes', 'byte_count + 1', 'byte_count'],
    ['order_differs', 'true', 'false'],
    ['order_differs', 'null', 'false'],
    ['state', `'exported'`, `'verified'`],
  ] as const) {
    await change(column, value);
    await expect(drop()).rejects.toMatchObject({ code: 'PlanIncomplete' });
    await change(column, back);
  }
  // What was not sent by this product has no such proof.
  await expect(change('sent_sha256', 'null')).rejects.toMatchObject({ code: '23514' });
  await drop();
});

// Seen to fail without the hash of the archive id, and without the look at runs, in proof_of_stream.
test('one segment in 16 is read twice, and all of them in the first run of a version', async () => {
  const { sql } = archiver().database;
  const count = async (version: string): Promise<number> => {
    const [{ one }] = await sql<[{ one: number }]>`
      select count(*) filter (where partition_archiver.proof_of_stream(md5(n::text)::uuid, 3, 'one-reading', ${version})
               = 'one-reading')::integer as one from generate_series(1, 1600) n`;
    return one;
  };
  expect(await count('of no run')).toBe(0);
  // Seen to be one reading without the look at read_twice.
  await sql`
    insert into partition_archiver.run (started_at, mode, dry_run, partition_sets, archived, dropped, failed, stream_version)
    values ('2021-02-01', 'archive', false, '{}', 0, 0, 0, 'that read nothing twice')`;
  expect(await count('that read nothing twice')).toBe(0);
  await quarantined(archiver(), ONE);
  expect(1600 - (await count(STREAM_VERSION))).toBeGreaterThan(60);
  expect(1600 - (await count(STREAM_VERSION))).toBeLessThan(140);
  const [{ two }] = await sql<[{ two: string }]>`
    select string_agg(distinct partition_archiver.proof_of_stream(md5(n::text)::uuid, 3, w, ${STREAM_VERSION}), ' ') as two
      from generate_series(1, 100) n, unnest(array['two-readings', 'none', null]) w`;
  expect(two).toBe('two-readings');
});

// Seen to fail (proven by one reading) without mismatched_at in proof_of_stream: the first reader changes a digit each time.
test('what two readings found different is not proven by one the next time, nor is any other segment', async () => {
  const segment = await quarantined(archiver(), ONE);
  const { sql } = archiver().database;
  const reader = faulty(
    (text) => Buffer.from(text.toString().replace('row 1', 'row 2')),
    'what it handed on',
  );
  await segment.stream({ letter: 'a', reader });
  const { key } = await segment.segment();
  await sql`update partition_archiver.segment set proof = 'two-readings' where object_key = ${key}`;
  await expect(commitStreamed(archiver(), segment)).rejects.toMatchObject({ code: 'ContentMismatch' });
  const proofOfOthers = async (): Promise<string> => {
    const [{ proofs }] = await sql<[{ proofs: string }]>`
      select string_agg(distinct partition_archiver.proof_of_stream(md5(n::text)::uuid, 3, 'one-reading', ${STREAM_VERSION}), ' ')
               as proofs from generate_series(1, 100) n`;
    return proofs;
  };
  await segment.stream({ letter: 'b', reader });
  expect(await segment.segment()).toMatchObject({ state: 'exported', proof: 'two-readings' });
  expect(await proofOfOthers()).toBe('two-readings');
  await expect(commitStreamed(archiver(), segment)).rejects.toMatchObject({ code: 'ContentMismatch' });
  await segment.stream({ letter: 'c' });
  expect(await commitStreamed(archiver(), segment)).toMatchObject({ verified: { verified: true } });
  expect(await proofOfOthers()).toBe('one-reading two-readings');
});

// Seen to fail: `one` is dropped without is_one_reading_in_doubt in drop_verified, and `two` is kept without the condition on proof.
test('while a second reading differs, nothing is dropped that one reading has proven', async () => {
  const one = await quarantined(archiver(), { ...ONE, drop: true });
  const two = await quarantined(archiver(), { drop: true });
  const wrong = await quarantined(archiver());
  for (const each of [one, two]) {
    await each.stream({ letter: 'a' });
    expect(await commitStreamed(archiver(), each)).toMatchObject({ next: { next: 'drop' } });
  }
  const drop = ({ id, config }: Quarantined) => archiver().steps(config).drop(id);
  const reader = faulty(
    (text) => Buffer.from(text.toString().replace('row 1', 'row 2')),
    'what it handed on',
  );
  await wrong.stream({ letter: 'a', reader });
  await expect(commitStreamed(archiver(), wrong)).rejects.toMatchObject({ code: 'ContentMismatch' });
  await expect(drop(one)).rejects.toMatchObject({ code: 'ProofInDoubt', retryable: false });
  const inDoubt = async (state: string): Promise<unknown> => {
    const [answer] = await archiver().database.sql.begin(async (tx) => {
      await tx.unsafe(`update partition_archiver.partition set ${state} where id = ${wrong.id}`);
      const rows = await tx`select partition_archiver.is_one_reading_in_doubt() as doubt`;
      await tx`rollback and chain`;
      return rows;
    });
    return answer?.['doubt'];
  };
  expect(
    await inDoubt(`state = 'blocked', blocked_state = state, blocked_code = 'x', blocked_reason = 'x'`),
  ).toBe(true);
  // A partition whose table is gone never gets a proof.
  expect(await inDoubt(`state = 'missing'`)).toBe(false);
  expect(await drop(two)).toEqual({ dropped: true });
  await wrong.stream({ letter: 'b' });
  // Other segments of its partition may still wait. Seen to be refused without mismatched_at in record_match.
  expect(await archiver().steps(wrong.config).verify(wrong.id, 0)).toEqual({ verified: true });
  expect(await drop(one)).toEqual({ dropped: true });
});

// Seen to be in doubt without the look at sent_sha256 in record_mismatch.
test('what aws_s3 exported and does not match says nothing of the reader', async () => {
  const segment = await quarantined(archiver());
  const { sql } = archiver().database;
  await segment.stream({ letter: 'a' });
  const { key } = await segment.segment();
  const doubts = async () => (await sql`select partition_archiver.is_one_reading_in_doubt() as doubt`)[0];
  const before = await doubts();
  await sql`update partition_archiver.segment set sent_sha256 = null where object_key = ${key}`;
  await sql`select partition_archiver.record_mismatch(${segment.id}, 0)`;
  expect([before, await doubts()]).toEqual([{ doubt: false }, { doubt: false }]);
});

// Seen to fail without mismatched_at in the insert of split_segment.
test('both halves of a segment that did not match are read twice', async () => {
  const segment = await quarantined(archiver(), { values: `repeat('x', 300)` });
  const { sql } = archiver().database;
  const ofArchive = sql`archive_id = (select archive_id from partition_archiver.partition where id = ${segment.id})`;
  await sql`update partition_archiver.segment set mismatched_at = now() where ${ofArchive}`;
  await sql`select partition_archiver.split_segment(${segment.id}, 0, 1)`;
  const [count] = await sql`
    select count(*)::integer as segments, count(mismatched_at)::integer as mismatched
      from partition_archiver.segment where ${ofArchive}`;
  expect(count).toEqual({ segments: 2, mismatched: 2 });
});

// Seen to fail without row_count in record_run (a partition without rows counts).
test('a run says how many segments with rows it read twice', async () => {
  const { database, config: configure, run } = archiver();
  const { sql } = database;
  await sql`delete from partition_archiver.run`;
  await sql`update partition_archiver.segment set mismatched_at = null`;
  await createPartitionSet(sql, { table: 'first', months: 6 });
  await sql`delete from app.first where ts < date_trunc('month', now(), 'UTC') - interval '5 months'`;
  await createPartitionSet(sql, { table: 'second', months: 6 });
  const stream = (table: string) => configure([{ schema: 'app', table, export: 'stream' }]);
  const proofs = (table: string) => sql<{ proof: string; chosen: boolean }[]>`
    select s.proof, hashtextextended(s.archive_id || '-' || s.number, 0) & 15 = 0 as chosen
      from partition_archiver.segment s join partition_archiver.partition l using (archive_id)
     where l.parent_name = ${table} and s.state = 'verified'`;
  await run(stream('first'));
  const first = await proofs('first');
  expect(first.length).toBeGreaterThan(1);
  expect(new Set(first.map(({ proof }) => proof))).toEqual(new Set(['two-readings']));
  expect(await sql`select read_twice::integer, stream_version from partition_archiver.run`).toEqual([
    { read_twice: first.length - 1, stream_version: STREAM_VERSION },
  ]);
  await run(stream('second'));
  const second = await proofs('second');
  expect(second.length).toBeGreaterThan(1);
  for (const { proof, chosen } of second) expect(proof).toBe(chosen ? 'two-readings' : 'one-reading');
});
