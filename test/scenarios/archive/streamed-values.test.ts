/** Rows, sets and servers of every kind, streamed with one reading: nothing but the server's text says what was in the table. */
import { beforeAll, expect, test } from '@jest/globals';
import postgres from 'postgres';
import { s3ArchiveStore } from '../../../adapters/s3/archive-store.ts';
import { readManifest } from '../../../core/archive-store.ts';
import type { Manifest } from '../../../core/manifest.ts';
import { useArchiver, type Archiver } from '../../support/archiver.ts';
import { rowsOf } from '../../support/archives.ts';
import { chooseNoSegment, trustOneReading } from '../../support/export-options.ts';
import { nth, readLedger } from '../../support/ledger.ts';
import { createOddSet } from '../../support/odd-set.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';

const archiver = useArchiver();
const odd = useArchiver();
const encoded = useArchiver();
const STREAMED = { schema: 'app', export: 'stream', drop: true, graceDays: 0 };

beforeAll(async () => {
  for (const { database } of [archiver(), odd(), encoded()]) {
    await trustOneReading(database.sql);
    await chooseNoSegment(database.sql);
  }
});

/** The one partition of a set that was dropped: its manifest, and how its segments were proven. */
async function dropped(
  { database: { sql }, s3, bucket }: Archiver,
  table: string,
): Promise<{ key: string; manifest: Manifest; proofs: string[] }> {
  const { id } = nth(
    (await readLedger(sql, table)).filter(({ state }) => state === 'dropped'),
    0,
  );
  const [{ key }] = await sql<[{ key: string }]>`
    select manifest_key as key from partition_archiver.partition where id = ${id}`;
  const segments = await sql<{ proof: string }[]>`
    select s.proof from partition_archiver.segment s join partition_archiver.partition l using (archive_id)
     where l.id = ${id} order by s.first_block`;
  const { manifest } = await readManifest(s3ArchiveStore(s3, bucket, 'us-east-1'), key);
  return { key, manifest, proofs: segments.map(({ proof }) => proof) };
}

// Seen to fail (floats cut to six digits) without extra_float_digits in core/pins.ts.
test('values that are hard to write down come back by COPY FROM STDIN, whatever settings the sessions have', async () => {
  const { database, run, config, operations } = odd();
  const { sql, name } = database;
  await createOddSet(database);
  const before = await rowsOf(sql, 'odd.sample');
  for (const role of ['archiver_read', 'archiver_restore']) {
    for (const setting of [
      `DateStyle = 'SQL, DMY'`,
      `IntervalStyle = 'sql_standard'`,
      `TimeZone = 'Australia/Lord_Howe'`,
      'extra_float_digits = -9',
      `bytea_output = 'escape'`,
      `xmloption = 'document'`,
      'array_nulls = off',
      'quote_all_identifiers = on',
    ])
      await sql.unsafe(`alter role ${role} in database "${name}" set ${setting}`);
  }
  const set = { ...STREAMED, schema: 'odd', table: 'sample', compression: 'zstd', segmentSizeMiB: 1 };
  expect(await run(config([set]))).toMatchObject({ archived: 1, dropped: 1, rows: before.length });
  const { key, proofs } = await dropped(odd(), 'sample');
  expect(new Set(proofs)).toEqual(new Set(['one-reading']));
  await operations().restore({ manifestKey: key, schema: 'odd', table: 'back' });
  expect(await rowsOf(sql, 'odd.back')).toEqual(before);
});

test('each segment by the settings of its own attempt: an archive of four kinds', async () => {
  const { database, steps, config, operations } = archiver();
  const { sql } = database;
  const set = { schema: 'app', table: 'mixed', drop: true, graceDays: 0, segmentSizeMiB: 1 };
  await createPartitionSet(sql, {
    table: 'mixed',
    values: `repeat(md5(g::text), 30)`,
    rowsPerMonth: 5_000,
    months: 3,
  });
  const ways = [
    { export: 'stream', compression: 'zstd' },
    {},
    { export: 'stream', compression: 'gzip', proof: 'two-readings' },
    { export: 'stream' },
  ].map((more) => steps(config([{ ...set, ...more }])));
  const by = (n: number) => ways[n % ways.length]!;
  const request = await by(0).preflight({});
  await by(1).maintain(request);
  const id = nth((await by(2).detect(request)).partitions, 0);
  await by(3).quarantine(id, request);
  const { quarantineName } = nth(await readLedger(sql, 'mixed'), 0);
  const before = await rowsOf(sql, `partition_archiver_quarantine."${String(quarantineName)}"`);
  const plan = await sql<{ number: number }[]>`
    select number from partition_archiver.segment join partition_archiver.partition using (archive_id)
     where id = ${id} order by number`;
  expect(plan.length).toBeGreaterThanOrEqual(4);
  for (const { number } of plan) {
    await by(number).export(id, number);
    // The verification has other settings.
    expect(await by(number + 1).verify(id, number)).toEqual({ verified: true });
  }
  expect(await by(1).commit(id, request)).toMatchObject({ next: 'drop' });
  await by(1).drop(id);
  const { key, manifest, proofs } = await dropped(archiver(), 'mixed');
  expect(manifest.segments.slice(0, 4).map(({ compression }) => compression)).toEqual([
    'zstd',
    undefined,
    'gzip',
    undefined,
  ]);
  expect(proofs.slice(0, 4)).toEqual(['one-reading', 'two-readings', 'two-readings', 'one-reading']);
  await operations().restore({ manifestKey: key, schema: 'app', table: 'mixed_back' });
  expect(await rowsOf(sql, 'app.mixed_back')).toEqual(before);
});

test('a partition without rows is proven by what the server says, and comes back', async () => {
  const { database, run, config, operations } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { table: 'hollow', months: 3 });
  await sql`delete from app.hollow where ts < date_trunc('month', now() at time zone 'UTC') - interval '2 months'`;
  const set = config([{ ...STREAMED, table: 'hollow', compression: 'zstd' }]);
  expect(await run(set)).toMatchObject({ archived: 1, dropped: 1, rows: 0 });
  const { key, manifest, proofs } = await dropped(archiver(), 'hollow');
  expect(proofs).toEqual(['one-reading']);
  expect(manifest.segments).toMatchObject([{ rows: 0, bytes: 0, objects: [] }]);
  await operations().restore({ manifestKey: key, schema: 'app', table: 'hollow_back' });
  expect(await rowsOf(sql, 'app.hollow_back')).toEqual([]);
});

/** The database says that it has another encoding, to new connections: what is there before is ASCII. */
async function relabel(encoding: string): Promise<void> {
  const { sql, name } = encoded().database;
  await sql`update pg_database set encoding = pg_char_to_encoding(${encoding}) where datname = ${name}`;
  await sql`
    select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = ${name} and pid <> pg_backend_pid()`;
}

test('what a database in LATIN1 holds is UTF-8 in the archive, and comes back', async () => {
  const { database, run, config, operations } = encoded();
  await relabel('LATIN1');
  const there = postgres(database.url, { max: 1, onnotice: () => undefined });
  try {
    const values = `(select string_agg(chr(c), '') from generate_series(160, 255) c where c > g)`;
    await createPartitionSet(there, { table: 'latin', months: 3, rowsPerMonth: 200, values });
    const [{ name }] = await there<[{ name: string }]>`
      select inhrelid::regclass::text as name from pg_inherits
       where inhparent = 'app.latin'::regclass and inhrelid::regclass::text !~ 'default' order by 1 limit 1`;
    const before = await rowsOf(there, name);
    expect(before.join('')).toContain('é');
    const set = config([{ ...STREAMED, table: 'latin', compression: 'gzip' }]);
    expect(await run(set)).toMatchObject({ archived: 1, dropped: 1, rows: before.length });
    const { key, manifest, proofs } = await dropped(encoded(), 'latin');
    expect(proofs).toEqual(['one-reading']);
    // Two bytes for each of these characters.
    expect(manifest.contents.bytes).toBeGreaterThan(Buffer.byteLength(before.join('')) * 0.9);
    await operations().restore({ manifestKey: key, schema: 'app', table: 'latin_back' });
    expect(await rowsOf(there, 'app.latin_back')).toEqual(before);
  } finally {
    await there.end();
    await relabel('UTF8');
  }
});

test('bytes that are no UTF-8, in a database without an encoding, end the export', async () => {
  const { database, run, config } = encoded();
  await relabel('SQL_ASCII');
  const there = postgres(database.url, { max: 1, onnotice: () => undefined });
  try {
    await createPartitionSet(there, { table: 'bytes', months: 3, rowsPerMonth: 10, values: `E'it\\x92s'` });
    const failed = run(config([{ ...STREAMED, table: 'bytes' }]));
    await expect(failed).rejects.toMatchObject({
      code: 'PartitionsFailed',
      message: expect.stringContaining('22021'),
    });
    expect(nth(await readLedger(there, 'bytes'), 0)).toMatchObject({ state: 'quarantined' });
  } finally {
    await there.end();
    await relabel('UTF8');
  }
});
