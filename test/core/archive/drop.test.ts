import { describe, expect, test } from '@jest/globals';
import type { Expiry } from '../../../core/config/runtime.ts';
import { drop, type DropDatabase, type DropEvidence } from '../../../core/archive/drop.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { serializeManifest, sha256Of, type Manifest } from '../../../core/manifest.ts';
import { fakeClock, fakeLog, fakePort, MemoryStore, NOW } from '../../support/fakes.ts';
import { makeManifest } from '../../support/manifests.ts';

const KEY = 'shop/app/event/202101/manifest/x.json';

/** An archive of a manifest and the objects that it names, and a ledger that says so. */
function setUp(changes: Partial<Manifest> = {}, says: Partial<DropEvidence> = {}, expiry?: Expiry) {
  const store = new MemoryStore();
  const plain = makeManifest(changes);
  const segments = plain.segments.map((segment) => ({
    ...segment,
    objects: segment.objects.map(({ key, bytes }) => store.put(key, 'd'.repeat(bytes))),
  }));
  const ddl = { ...plain.ddl, ...store.put(plain.ddl.key, 'x'.repeat(plain.ddl.bytes)) };
  const manifest = { ...plain, segments, ddl };
  const text = serializeManifest(manifest);
  const { versionId } = store.put(KEY, text);
  const evidence: DropEvidence = {
    archiveId: manifest.archiveId,
    manifestKey: KEY,
    manifestVersionId: versionId,
    manifestSha256: sha256Of(text),
    rows: manifest.contents.rows,
    ...says,
  };
  const dropped: unknown[] = [];
  const database = fakePort<DropDatabase>({
    isDropped: async () => false,
    evidence: async () => evidence,
    dropVerified: async (...parameters) => {
      dropped.push(parameters);
      return 'partition_archiver_quarantine.event_p1_16999';
    },
  });
  const clock = fakeClock();
  const log = fakeLog();
  const run = () => drop(7, expiry, { database, store, clock, log });
  return { store, manifest, database, dropped, clock, log, run, versionId };
}

test('a partition is dropped once every object of its archive was looked up', async () => {
  const { store, manifest, dropped, log, run, versionId } = setUp();
  const looked: string[] = [];
  const current = store.current.bind(store);
  store.current = (key) => {
    looked.push(key);
    return current(key);
  };
  expect(await run()).toEqual({ dropped: true });
  const objects = manifest.segments.flatMap((segment) => segment.objects);
  expect(looked).toEqual([KEY, ...objects.map(({ key }) => key), manifest.ddl.key]);
  expect(dropped).toEqual([[7, { manifestVersionId: versionId }]]);
  expect(log.lines).toMatchObject([{ event: 'drop', fields: { partitionId: 7, rows: 3, manifest: KEY } }]);
});

test('a drop whose answer was lost is not tried on another table', async () => {
  const database = fakePort<DropDatabase>({ isDropped: async () => true });
  const ports = { database, store: new MemoryStore(), clock: fakeClock(), log: fakeLog() };
  expect(await drop(7, undefined, ports)).toEqual({ dropped: true });
});

describe('an archive that is configured to expire', () => {
  const times = (daysAgo: number) => {
    const quarantinedAt = new Date(NOW.getTime() - daysAgo * 86_400_000).toISOString();
    return { times: { quarantinedAt, exportedAt: quarantinedAt, committedAt: NOW.toISOString() } };
  };

  // Seen to fail without refuseExpired: S3 still returns versions under a delete marker, but not for long.
  test.each([363, 365, 4000])('is none to drop a table for after %d of 365 days', async (daysAgo) => {
    const { dropped, run } = setUp(times(daysAgo), {}, { days: 365 });
    await expect(run()).rejects.toMatchObject({ code: 'ArchiveExpired', blocks: true });
    expect(dropped).toEqual([]);
  });

  test('is one before', async () => {
    const { dropped, run } = setUp(times(362), {}, { days: 365 });
    await run();
    expect(dropped).toHaveLength(1);
  });
});

test('a lock that is not to be had is waited for with pauses', async () => {
  const { database, clock, dropped, run } = setUp();
  const succeed = database.dropVerified;
  let tries = 0;
  database.dropVerified = (...parameters) => {
    tries += 1;
    return tries < 3 ? Promise.reject(new ArchiverError('LockNotAvailable', 'busy')) : succeed(...parameters);
  };
  await run();
  expect(dropped).toHaveLength(1);
  expect(clock.pauses).toHaveLength(2);
});

describe('nothing is dropped', () => {
  const refused = async (
    { run, dropped }: ReturnType<typeof setUp>,
    code: string,
    message = /./,
  ): Promise<void> => {
    await expect(run()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(dropped).toEqual([]);
  };

  test('that is not due', async () => {
    const archive = setUp();
    archive.database.evidence = () => Promise.reject(new ArchiverError('NotDue', 'partition 7 is not due'));
    await refused(archive, 'NotDue');
  });

  test('whose manifest is gone', async () => {
    const archive = setUp({}, { manifestVersionId: 'another' });
    await refused(archive, 'ObjectMissing');
  });

  test('whose manifest is not the one that was recorded, if only by a blank', async () => {
    const archive = setUp();
    const [stored] = archive.store.objects.get(KEY)!;
    stored!.body = Buffer.from(`${stored!.body.toString()} `);
    await refused(archive, 'ManifestConflict', /is not the manifest that was recorded/);
  });

  test('whose manifest, as recorded, is none', async () => {
    const archive = setUp({}, { manifestSha256: sha256Of('{}') });
    archive.store.objects.get(KEY)![0]!.body = Buffer.from('{}');
    await refused(archive, 'ManifestConflict', /expected/);
  });

  test('whose manifest is that of another archive, or of another number of rows', async () => {
    await refused(setUp({}, { archiveId: 'other' }), 'ManifestConflict', /belongs to another archive/);
    await refused(setUp({}, { rows: 4 }), 'ManifestConflict', /belongs to another archive/);
  });

  // Seen to fail where objects are looked up by their version: it is still there, until a lifecycle rule deletes it.
  test.each(['data', 'ddl', 'manifest'])(
    'one of whose objects was written over: a restore would read the new version (%s)',
    async (kind) => {
      const archive = setUp();
      const [key] = [...archive.store.objects.keys()].filter((each) => each.includes(`/${kind}/`));
      archive.store.put(key!, archive.store.objects.get(key!)![0]!.body);
      await refused(archive, 'ObjectMissing', /was written over: version v\d+ is not the current one$/);
    },
  );

  test.each(['data', 'ddl'])('one of whose objects is gone (%s)', async (kind) => {
    const archive = setUp();
    const [key] = [...archive.store.objects.keys()].filter((each) => each.includes(`/${kind}/`));
    archive.store.objects.delete(key!);
    await refused(archive, 'ObjectMissing');
  });

  test.each(['data', 'ddl'])(
    'one of whose objects was written over: its old version is gone (%s)',
    async (kind) => {
      const archive = setUp();
      const [key] = [...archive.store.objects.keys()].filter((each) => each.includes(`/${kind}/`));
      archive.store.objects.set(key!, [{ versionId: 'new', body: Buffer.from('d'.repeat(12)) }]);
      await refused(archive, 'ObjectMissing');
    },
  );

  test('one of whose objects has another length', async () => {
    const archive = setUp();
    const [key] = [...archive.store.objects.keys()].filter((each) => each.includes('/data/'));
    archive.store.objects.get(key!)![0]!.body = Buffer.from('d'.repeat(11));
    await refused(archive, 'ObjectMissing', /has 11 bytes, not 12$/);
  });

  test('while S3 does not answer, however many objects there are', async () => {
    const [segment] = makeManifest().segments;
    const objects = Array.from({ length: 50 }, (_, index) => ({
      key: `d/${index}`,
      versionId: 'v',
      bytes: 1,
    }));
    const archive = setUp({ segments: [{ ...segment!, objects }] });
    let asked = 0;
    archive.store.current = () => {
      asked += 1;
      return Promise.reject(new ArchiverError('ObjectStoreUnavailable', `no answer ${asked}`));
    };
    await refused(archive, 'ObjectStoreUnavailable');
    expect(asked).toBeLessThanOrEqual(16);
  });
});

test('of fifty objects each is looked up once, sixteen at the same time', async () => {
  const [segment] = makeManifest().segments;
  const objects = Array.from({ length: 50 }, (_, index) => ({ key: `d/${index}`, versionId: 'v', bytes: 1 }));
  const { store, run, dropped } = setUp({ segments: [{ ...segment!, objects }] });
  const current = store.current.bind(store);
  const seen = { at: 0, most: 0, keys: new Set<string>() };
  store.current = async (key) => {
    seen.at += 1;
    seen.most = Math.max(seen.most, seen.at);
    await new Promise((resolve) => setImmediate(resolve));
    seen.at -= 1;
    seen.keys.add(key);
    return current(key);
  };
  await run();
  expect(dropped).toHaveLength(1);
  expect(seen).toMatchObject({ at: 0, most: 16 });
  expect(seen.keys.size).toBe(52);
});
