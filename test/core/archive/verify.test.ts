import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { ArchiverError } from '../../../core/errors.ts';
import { segmentKey } from '../../../core/keys.ts';
import type { Segment } from '../../../core/partition.ts';
import { verifySegment, type VerifyDatabase } from '../../../core/archive/verify.ts';
import { fakeClock, fakeLog, fakePort, MemoryStore } from '../../support/fakes.ts';

const location = {
  database: 'shop',
  parentSchema: 'app',
  parentName: 'event',
  period: '202101',
  archiveId: '01234567-89ab-4def-8123-456789abcdef',
};
const KEY = segmentKey(location, 3);
const ROWS = '1\ta\n2\tb\n3\t\\N\n';
const SHA256 = createHash('sha256').update(ROWS).digest('hex');

const exported = (changes: Partial<NonNullable<Segment['exported']>> = {}): Segment['exported'] => ({
  key: KEY,
  rows: 3,
  files: 1,
  bytes: ROWS.length,
  sentSha256: null,
  proof: 'two-readings',
  compression: null,
  storedBytes: null,
  ...changes,
});
const segment = (changes: Partial<Segment> = {}): Segment => ({
  number: 3,
  firstBlock: 0,
  nextBlock: null,
  state: 'exported',
  location,
  exported: exported(),
  ...changes,
});

interface Recorded {
  readonly matches: unknown[];
  readonly mismatches: unknown[];
}

/** A database whose table has these rows; it remembers the verdicts. */
function databaseWith(
  rows: string | Readable,
  changes: Partial<Segment> = {},
  outOfBounds = 0,
): [VerifyDatabase, Recorded] {
  const recorded: Recorded = { matches: [], mismatches: [] };
  const database = fakePort<VerifyDatabase>({
    segment: async () => segment(changes),
    readSegment: (_partition, _segment, read) =>
      read(typeof rows === 'string' ? Readable.from([Buffer.from(rows)]) : rows),
    recordMatch: async (...parameters) => void recorded.matches.push(parameters),
    recordMismatch: async (...parameters) => void recorded.mismatches.push(parameters),
    countOutOfBounds: async () => outOfBounds,
  });
  return [database, recorded];
}

function bucketWith(objects: Record<string, string>): MemoryStore {
  const store = new MemoryStore();
  for (const [key, body] of Object.entries(objects)) store.put(key, body);
  return store;
}

const verify = (database: VerifyDatabase, store: MemoryStore) =>
  verifySegment(7, 3, { database, store, clock: fakeClock(), log: fakeLog() });

describe('a segment that is what the table holds', () => {
  test('is recorded with the versions of its objects that were read, and its digest', async () => {
    const [database, recorded] = databaseWith(ROWS);
    expect(await verify(database, bucketWith({ [KEY]: ROWS }))).toEqual({ verified: true });
    expect(recorded.matches).toEqual([
      [
        7,
        3,
        {
          objects: [{ key: KEY, versionId: 'v1', bytes: ROWS.length }],
          digest: expect.objectContaining({ rows: 3, bytes: ROWS.length, complete: true }),
          orderDiffers: false,
          proof: 'two-readings',
        },
      ],
    ]);
    expect(recorded.mismatches).toEqual([]);
  });

  test('in several files is read in the order of their numbers, not of their names', async () => {
    const files = Array.from({ length: 11 }, (_, index) => `${index}\n`);
    const keys = files.map((_, index) => (index === 0 ? KEY : `${KEY}_part${index + 1}`));
    const store = new MemoryStore();
    for (const index of [10, 1, 0, 9, 2, 3, 8, 4, 5, 7, 6]) store.put(keys[index]!, files[index]!);
    const all = files.join('');
    const [database, recorded] = databaseWith(all, {
      exported: exported({ rows: 11, files: 11, bytes: all.length }),
    });
    expect(await verify(database, store)).toEqual({ verified: true });
    expect(recorded.matches).toMatchObject([[7, 3, { orderDiffers: false }]]);
    const [[, , { objects }]] = recorded.matches as [[number, number, { objects: { key: string }[] }]];
    expect(objects.map(({ key }) => key)).toEqual(keys);
  });

  test('with rows in another order is recorded as that', async () => {
    const [database, recorded] = databaseWith('1\ta\n2\tb\n3\t\\N\n');
    expect(await verify(database, bucketWith({ [KEY]: '2\tb\n1\ta\n3\t\\N\n' }))).toEqual({ verified: true });
    expect(recorded.matches).toMatchObject([[7, 3, { orderDiffers: true }]]);
  });

  test('without rows has no object at all', async () => {
    const [database, recorded] = databaseWith('', { exported: exported({ rows: 0, files: 0, bytes: 0 }) });
    expect(await verify(database, new MemoryStore())).toEqual({ verified: true });
    expect(recorded.matches).toMatchObject([[7, 3, { objects: [], digest: { rows: 0 } }]]);
  });
});

describe('a segment that is not', () => {
  test.each([
    ['a changed row', ROWS, ROWS.replace('b', 'c'), {}, 'first difference in line 2, at byte 6'],
    ['a lost row', ROWS, '1\ta\n3\t\\N\n', {}, 'the archive has 2 rows'],
    ['another count than the export had', ROWS, ROWS, { rows: 4 }, 'the export had 4 rows, there are 3'],
    [
      'other bytes than were sent',
      ROWS,
      ROWS,
      { sentSha256: '0'.repeat(64) },
      'the bytes in S3 are not those that were sent',
    ],
    ['other bytes than the export had', ROWS, ROWS, { bytes: 14 }, 'the export had 14 bytes, there are 13'],
    ['an empty object', ROWS, '', {}, 'the archive has 0 rows'],
    ['a table that is empty', '', ROWS, {}, 'the table has 0 rows'],
  ])('%s', async (_, table, archive, said, difference) => {
    const [database, recorded] = databaseWith(table, { exported: exported(said) });
    await expect(verify(database, bucketWith({ [KEY]: archive }))).rejects.toMatchObject({
      code: 'ContentMismatch',
      message: expect.stringMatching(new RegExp(`^${KEY} does not match the table: .*${difference}`)),
    });
    expect(recorded).toEqual({ matches: [], mismatches: [[7, 3]] });
  });

  test('because of rows out of bounds says so', async () => {
    const [database, recorded] = databaseWith(ROWS, {}, 1);
    await expect(verify(database, bucketWith({ [KEY]: '1\ta\n' }))).rejects.toMatchObject({
      code: 'BoundsViolated',
      blocks: true,
      message:
        'segment 3 of partition 7 has rows out of the recorded bounds, or without a value of the control column: 1',
    });
    expect(recorded).toEqual({ matches: [], mismatches: [[7, 3]] });
  });

  test('no object, though the table has rows', async () => {
    const said = exported({ rows: 0, files: 0, bytes: 0 });
    const [database, recorded] = databaseWith(ROWS, { exported: said });
    await expect(verify(database, new MemoryStore())).rejects.toMatchObject({
      code: 'ContentMismatch',
      message: expect.stringContaining(`${KEY} does not match the table`),
    });
    expect(recorded.mismatches).toEqual([[7, 3]]);
  });

  test.each([
    ['an object that is gone', {}, {}, 'ObjectMissing', `${KEY} is not in bucket archive`],
    ['a second file that is gone', { [KEY]: ROWS }, { files: 2 }, 'ObjectMissing', `${KEY}_part2 is not in`],
    [
      'a second file that nobody exported',
      { [KEY]: ROWS, [`${KEY}_part2`]: 'x\n' },
      {},
      'UnexpectedObject',
      `no export wrote ${KEY}_part2`,
    ],
    [
      'an object for a segment without rows',
      { [KEY]: '' },
      { rows: 0, files: 0, bytes: 0 },
      'UnexpectedObject',
      KEY,
    ],
  ])('%s is no verdict on the contents', async (_, objects, said, code, message) => {
    const [database, recorded] = databaseWith(ROWS, { exported: exported(said) });
    await expect(verify(database, bucketWith(objects))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect(recorded).toEqual({ matches: [], mismatches: [] });
  });
});

describe('a segment of one reading', () => {
  const one = (changes: Partial<NonNullable<Segment['exported']>> = {}) => ({
    exported: exported({ proof: 'one-reading', sentSha256: SHA256, ...changes }),
  });
  /** Its table cannot be read. */
  const NEVER = new Readable({
    read: () => {
      throw new Error('the table is read');
    },
  });

  test('is recorded as that, without its table', async () => {
    const [database, recorded] = databaseWith(NEVER, one());
    expect(await verify(database, bucketWith({ [KEY]: ROWS }))).toEqual({ verified: true });
    expect(recorded.matches).toMatchObject([
      [7, 3, { orderDiffers: false, proof: 'one-reading', digest: { rows: 3, sha256: SHA256 } }],
    ]);
  });

  // Seen to be recorded without the comparison of each of them.
  test.each<[string, string, object]>([
    ['other contents of the same length', ROWS.replace('b', 'c'), {}],
    ['rows in another order', '2\tb\n1\ta\n3\t\\N\n', {}],
    ['a lost row', '1\ta\n3\t\\N\n', {}],
    ['a row too many', `${ROWS}4\td\n`, {}],
    ['no end', ROWS.slice(0, -1), {}],
    ['no byte', '', {}],
    ['other rows than were sent', ROWS, { rows: 4 }],
    ['other bytes than were sent', ROWS, { bytes: 14 }],
    ['nothing that was sent', ROWS, { sentSha256: null }],
  ])('with %s is not recorded', async (_, archive, said) => {
    const [database, recorded] = databaseWith(NEVER, one(said));
    await expect(verify(database, bucketWith({ [KEY]: archive }))).rejects.toMatchObject({
      code: 'ContentMismatch',
    });
    expect(recorded).toEqual({ matches: [], mismatches: [[7, 3]] });
  });
});

// Seen to be an error that records nothing without unlessDamaged, and to be verified without the bytes that S3 got.
test('compressed text is proven by its text, and what cannot be decompressed is no match', async () => {
  const storedBytes = gzipSync(ROWS).length;
  const said = exported({ proof: 'one-reading', sentSha256: SHA256, compression: 'gzip', storedBytes });
  for (const [stored, verified] of [
    [gzipSync(ROWS), true],
    [gzipSync(ROWS).subarray(0, -1), false],
    // Another member, without text.
    [Buffer.concat([gzipSync(ROWS), gzipSync('')]), false],
    [gzipSync(`${ROWS}4\td\n`), false],
    [Buffer.from(ROWS), false],
  ] as const) {
    const [database, recorded] = databaseWith('', { exported: said });
    const store = new MemoryStore();
    store.put(KEY, stored);
    if (verified) {
      expect(await verify(database, store)).toEqual({ verified });
      expect(recorded.matches).toMatchObject([[7, 3, { objects: [{ bytes: stored.length }] }]]);
    } else {
      await expect(verify(database, store)).rejects.toMatchObject({ code: 'ContentMismatch' });
      expect(recorded).toEqual({ matches: [], mismatches: [[7, 3]] });
    }
  }
});

test('other bytes in S3 than it took are no match', async () => {
  const said = exported({ proof: 'one-reading', sentSha256: SHA256, storedBytes: ROWS.length + 1 });
  const [database] = databaseWith('', { exported: said });
  await expect(verify(database, bucketWith({ [KEY]: ROWS }))).rejects.toMatchObject({
    code: 'ContentMismatch',
    message: `${KEY} does not match the table: S3 got 14 bytes, and has 13`,
  });
});

// Seen to fail with the same reader for both.
test.each([
  ['aws_s3 exported', 'first', null],
  ['the first reader sent', 'second', SHA256],
])('a table that %s is read by the %s reader', async (_, reader, sentSha256) => {
  const readers: unknown[] = [];
  const [database] = databaseWith(ROWS, { exported: exported({ sentSha256 }) });
  const observed: VerifyDatabase = {
    ...database,
    readSegment: (partition, number, read, by) => {
      readers.push(by);
      return database.readSegment(partition, number, read, by);
    },
  };
  expect(await verify(observed, bucketWith({ [KEY]: ROWS }))).toEqual({ verified: true });
  expect(readers).toEqual([reader]);
});

test('rows out of bounds of what was streamed are not looked for: its export refused them', async () => {
  const [database] = databaseWith(ROWS, { exported: exported({ sentSha256: '0'.repeat(64) }) }, 1);
  await expect(verify(database, bucketWith({ [KEY]: ROWS }))).rejects.toMatchObject({
    code: 'ContentMismatch',
  });
});

describe('where there is nothing to compare', () => {
  test.each<[string, Partial<Segment>, boolean]>([
    ['verified by an earlier run', { state: 'verified' }, true],
    ['split, and others in its place', { state: 'split', exported: null }, false],
    ['split by an earlier version, and planned again', { state: 'planned', exported: null }, false],
    ['planned, with what an earlier export said', { state: 'planned' }, false],
    ['exported, but nobody knows where', { exported: null }, false],
  ])('%s', async (_, changes, verified) => {
    const [database, recorded] = databaseWith(ROWS, changes);
    expect(await verify(database, new MemoryStore())).toEqual({ verified });
    expect(recorded).toEqual({ matches: [], mismatches: [] });
  });
});

describe('a stream that fails in the middle reaches no verdict', () => {
  // Seen to fail without: close() of both sources in compareStreams.
  test('S3: the COPY is ended', async () => {
    const rows = new Readable({ read: () => setImmediate(() => rows.push(ROWS)) });
    const [database, recorded] = databaseWith(rows);
    const store = bucketWith({ [KEY]: ROWS });
    const unavailable = new ArchiverError('ObjectStoreUnavailable', `reading ${KEY}: ECONNRESET`);
    store.read = async function* () {
      yield Buffer.from(ROWS.slice(0, 5));
      await turn();
      throw unavailable;
    };
    await expect(verify(database, store)).rejects.toBe(unavailable);
    for (let turns = 0; turns < 10 && !rows.destroyed; turns += 1) await turn();
    expect(rows.destroyed).toBe(true);
    expect(recorded).toEqual({ matches: [], mismatches: [] });
  });

  test('the database: reading S3 is ended', async () => {
    const lost = new ArchiverError('DatabaseUnavailable', 'no connection to the database');
    const rows = Readable.from(
      (async function* () {
        yield Buffer.from(ROWS.slice(0, 5));
        await turn();
        throw lost;
      })(),
    );
    const [database, recorded] = databaseWith(rows);
    const store = bucketWith({ [KEY]: ROWS });
    const reading = { closed: false };
    store.read = async function* () {
      try {
        for (let more = 0; more < 1e6; more += 1) {
          await turn();
          yield Buffer.from(ROWS);
        }
      } finally {
        reading.closed = true;
      }
    };
    await expect(verify(database, store)).rejects.toBe(lost);
    for (let turns = 0; turns < 10 && !reading.closed; turns += 1) await turn();
    expect(reading.closed).toBe(true);
    expect(recorded).toEqual({ matches: [], mismatches: [] });
  });

  test('a version that is gone since it was listed', async () => {
    const [database, recorded] = databaseWith(ROWS);
    const store = bucketWith({ [KEY]: ROWS });
    store.list = async () => [{ key: KEY, versionId: 'gone', bytes: 13 }];
    await expect(verify(database, store)).rejects.toMatchObject({ code: 'ObjectMissing' });
    expect(recorded).toEqual({ matches: [], mismatches: [] });
  });
});
