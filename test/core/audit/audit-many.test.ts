import { describe, expect, test } from '@jest/globals';
import { auditAll } from '../../../core/audit/all.ts';
import { nextArchives } from '../../../core/audit/archives.ts';
import { auditNext, type AuditNext } from '../../../core/audit/next.ts';
import { auditRange, beginAudit } from '../../../core/audit/parts.ts';
import { addVerdicts, failedVerdict, verdictOf, type ArchiveVerdict } from '../../../core/audit/report.ts';
import { ARCHIVES_AT_ONCE, parseAuditRequest } from '../../../core/audit/request.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { silentLog as log } from '../../../core/ports.ts';
import { manifestOf, memoryStore, putArchive, type MemoryStore } from '../../support/memory-store.ts';

const ALL = parseAuditRequest({}, 'db');
const clock = { now: () => new Date('2026-05-01T00:00:00Z'), sleep: () => Promise.resolve() };
const all = { expired: false, problems: [] };
const begin = (
  store: MemoryStore,
  manifestKey: string,
  segments: number | null = null,
  random = Math.random,
) => beginAudit({ manifestKey, segments }, undefined, { store, log, random, clock });

/** One manifest a day, of archives without rows. */
async function manyArchives(count: number): Promise<MemoryStore> {
  const store = memoryStore();
  for (let day = 0; day < count; day += 1) {
    const lower = new Date(Date.UTC(2021, 0, 1 + day)).toISOString().slice(0, 10);
    const upper = new Date(Date.UTC(2021, 0, 2 + day)).toISOString().slice(0, 10);
    const partition = { lowerBound: lower, upperBound: upper, period: lower.replaceAll('-', '') };
    await store.putManifest(manifestOf({ partition }));
  }
  return store;
}

const ports = (store: MemoryStore, published: unknown[] = []) => ({
  store,
  database: 'db',
  random: Math.random,
  clock,
  log,
  metrics: { audit: (totals: unknown) => void published.push(totals) },
});

describe('an audit of many archives', () => {
  // Seen to fail (archives twice, or never) without: the comparison with `after` in core/audit/manifest-keys.ts.
  test('comes to each of them once, whatever their number', async () => {
    const store = await manyArchives(2 * ARCHIVES_AT_ONCE + 7);
    const seen: string[] = [];
    const published: unknown[] = [];
    let turn: AuditNext = await auditNext({ input: {} }, ports(store));
    while (turn.next === 'archives') {
      seen.push(...turn.archives);
      expect(turn.archives.length).toBeLessThanOrEqual(ARCHIVES_AT_ONCE);
      const verdicts = turn.archives.map((manifestKey) => verdictOf({ manifestKey, ...all }, []));
      // As Step Functions hands it on.
      const { progress } = JSON.parse(JSON.stringify(turn)) as typeof turn;
      turn = await auditNext({ input: {}, progress, verdicts }, ports(store, published));
    }
    expect(new Set(seen).size).toBe(2 * ARCHIVES_AT_ONCE + 7);
    expect(seen).toHaveLength(2 * ARCHIVES_AT_ONCE + 7);
    expect(turn.report).toMatchObject({ archives: 207, intact: 207, problems: [] });
    expect(published).toEqual([expect.objectContaining({ archives: 207, damaged: 0 })]);
  });

  // Seen to fail without: the delete markers among the keys (store.list for store.versions in core/audit/manifest-keys.ts).
  test('comes to one whose manifest was deleted, and calls it damaged', async () => {
    const store = await manyArchives(2);
    const [key] = (await nextArchives(ALL, null, { store, random: Math.random })).archives;
    store.put(key!, null);
    const turn = await auditNext({ input: {} }, ports(store));
    expect(turn).toMatchObject({ next: 'archives', archives: expect.arrayContaining([key]) });
    await expect(begin(store, key!)).rejects.toMatchObject({
      code: 'ManifestInvalid',
      message: expect.stringMatching(/was deleted: version v\d+ lies behind the delete marker v\d+/),
    });
    expect(failedVerdict(key!, { Error: 'ManifestInvalid' })).toMatchObject({ verdict: 'damaged' });
  });

  test('of a range comes to those only, and to what cannot be read', async () => {
    const store = await manyArchives(130);
    store.put('db/public/flights/20210101/manifest/aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa.json', 'no json');
    const request = parseAuditRequest({ from: '2021-05-01', to: '2021-05-03' }, 'db');
    const first = await nextArchives(request, null, { store, random: Math.random });
    expect(first.archives).toEqual([expect.stringContaining('aaaaaaaa')]);
    const second = await nextArchives(request, first.after, { store, random: Math.random });
    expect(second.archives.map((key) => key.split('/')[3])).toEqual(['20210501', '20210502']);
    expect(second.after).toBeNull();
  });

  test('of a sample comes to so many, others another time', async () => {
    const store = await manyArchives(30);
    const request = parseAuditRequest({ sample: { archives: 3 } }, 'db');
    const randoms = [0, 0.5, 0.99];
    const page = await nextArchives(request, null, { store, random: () => randoms.shift() ?? 0 });
    expect(page.archives.map((key) => key.split('/')[3])).toEqual(['20210101', '20210116', '20210130']);
  });

  test('one that is damaged and one that could not be read fail it, by name', async () => {
    const damaged = verdictOf({ manifestKey: 'one', ...all }, [
      { read: 1, cold: 0, bytes: 5, problems: 2, first: 'data/x-0.tsv: rows 1, not 2' },
      { failed: 'ObjectStoreUnavailable' },
    ]);
    const unknown = verdictOf({ manifestKey: 'two', ...all }, [
      { read: 1, cold: 3, bytes: 5, problems: 0 },
      { failed: 'ObjectStoreDenied' },
    ]);
    const lost = failedVerdict('three', { Error: 'ManifestInvalid', Cause: '{"errorMessage":"no JSON"}' });
    const published: unknown[] = [];
    const end = auditNext(
      {
        input: {},
        progress: { totals: (await firstTotals()).totals, after: null },
        verdicts: [damaged, unknown, lost],
      },
      ports(memoryStore(), published),
    );
    await expect(end).rejects.toMatchObject({
      code: 'AuditFailed',
      message: [
        '3 archives: 0 intact, 2 damaged, 1 without a verdict; 2 segments read back (10 bytes); 3 in a Glacier tier, of which only the length was looked at',
        'one is damaged: ObjectStoreUnavailable in 1 of 2 parts; data/x-0.tsv: rows 1, not 2',
        'two is unknown: ObjectStoreDenied in 1 of 2 parts',
        'three is damaged: ManifestInvalid: no JSON',
      ].join('\n'),
    });
    expect(published).toEqual([expect.objectContaining({ damaged: 2, unknown: 1 })]);
  });

  test('however many are damaged, what is said of them fits', async () => {
    let totals = (await firstTotals()).totals;
    const verdicts = Array.from({ length: ARCHIVES_AT_ONCE }, (_, index) =>
      failedVerdict(`db/s/t/${String(index)}`.repeat(10), { Error: 'X', Cause: 'y'.repeat(5000) }),
    );
    for (let turn = 0; turn < 20; turn += 1) {
      totals = addVerdicts(totals, verdicts);
    }
    expect(Buffer.byteLength(JSON.stringify(totals))).toBeLessThan(32 * 1024);
    expect(totals.unknown).toBe(20 * ARCHIVES_AT_ONCE);
  });

  async function firstTotals() {
    const store = await manyArchives(1);
    const turn = await auditNext({ input: {} }, ports(store));
    if (turn.next !== 'archives') throw new Error('there is one');
    return turn.progress;
  }
});

describe('one archive in parts', () => {
  const TEXTS = ['1\tone\n', '2\ttwo\n', '', '3\tthree\n'];

  async function inParts(store: MemoryStore, key: string): Promise<ArchiveVerdict> {
    const begun = await begin(store, key);
    const ranges = [];
    for (const range of begun.ranges) ranges.push(await auditRange({ ...begun, range }, { store, log }));
    return verdictOf(begun, ranges);
  }

  test('the same verdict as in one go', async () => {
    const store = memoryStore();
    const { key, manifest } = await putArchive(store, TEXTS);
    const lines: string[] = [];
    const report = await auditAll(ALL, { ...ports(store), say: (line) => lines.push(line) });
    expect(await inParts(store, key)).toEqual({
      manifestKey: key,
      verdict: 'intact',
      read: 4,
      cold: 0,
      problems: [],
      bytes: manifest.contents.bytes,
    });
    expect(report).toMatchObject({ archives: 1, intact: 1, segmentsRead: 4 });
    expect(lines).toEqual([`${key}  intact`]);

    const { key: object, versionId } = manifest.segments[1]!.objects[0]!;
    store.destroy(object, versionId);
    const verdict = await inParts(store, key);
    expect(verdict).toMatchObject({ verdict: 'damaged', read: 4 });
    expect(verdict.problems).toEqual([
      expect.stringMatching(/no current version/),
      expect.stringMatching(/version v\d+ is gone/),
    ]);
    await expect(auditAll(ALL, { ...ports(store), say: () => undefined })).rejects.toMatchObject({
      code: 'AuditFailed',
    });
  });

  test('neighbours are read together, but no more than a call has time for', async () => {
    const store = memoryStore();
    const { manifest } = await putArchive(store, TEXTS);
    const large = manifest.segments.map((segment) => ({ ...segment, bytes: 3e9 }));
    const key = await store.putManifest({ ...manifest, segments: large, archiveId: crypto.randomUUID() });
    const begun = await begin(store, key);
    expect(begun.ranges).toEqual([
      { from: 0, to: 2 },
      { from: 2, to: 4 },
    ]);
    const sample = await begin(store, key, 2, () => 0.5);
    expect(sample.ranges).toEqual([{ from: 1, to: 3 }]);
    expect(sample.segments).toBe(4);
  });

  // Seen to fail (295,158 bytes) without LONGEST_OF_RANGE in core/audit/parts.ts.
  test('what is said of 10 TB that are all damaged fits into a state machine', async () => {
    const store = memoryStore();
    const { key, manifest } = await putArchive(store, TEXTS);
    for (const { objects } of manifest.segments)
      for (const { key: of, versionId } of objects) store.destroy(of, versionId);
    const begun = await begin(store, key);
    const [range] = begun.ranges;
    if (range === undefined) throw new Error('there is one');
    const checked = { ...(await auditRange({ ...begun, range }, { store, log })), read: 500, bytes: 8e9 };
    const ranges = Array.from({ length: 10e12 / 8e9 }, (_, n) => ({ from: n * 7, to: n * 7 + 7 }));
    const state = { begun: { Payload: { ...begun, ranges } }, ranges: ranges.map(() => checked) };
    expect(checked.first).toMatch(/^data\/.*: /);
    expect(Buffer.byteLength(JSON.stringify(state))).toBeLessThan(256 * 1024 - 16_000);
  });

  // Seen to fail (called damaged) without: the look at the expiry in beginAudit of core/audit/parts.ts.
  test('one past the configured expiry is neither read nor missed; before that, and unconfigured, it is', async () => {
    const store = memoryStore();
    const { key, manifest } = await putArchive(store, TEXTS);
    const times = { ...manifest.times, quarantinedAt: '2026-04-01T00:00:00Z' };
    const expired = await store.putManifest({ ...manifest, times, archiveId: crypto.randomUUID() });
    for (const { objects } of manifest.segments) for (const { key: of } of objects) store.put(of, null);
    const after = (days: number) =>
      beginAudit(
        { manifestKey: expired, segments: null },
        { days, deleteVersionsAfterDays: 1 },
        { store, log, clock, random: Math.random },
      );
    const begun = await after(30);
    expect(begun).toMatchObject({ expired: true, ranges: [], problems: [] });
    expect(verdictOf(begun, [])).toMatchObject({ verdict: 'expired' });
    expect((await after(31)).problems).not.toEqual([]);
    const say = () => undefined;
    const inOneGo = (days: number) => auditAll(ALL, { ...ports(store), expiry: { days }, say });
    await expect(inOneGo(30)).rejects.toThrow(/0 intact, 1 damaged.*; 1 have expired/);
    await expect(inOneGo(31)).rejects.toThrow(/0 intact, 2 damaged/);
    expect((await begin(store, key)).problems).not.toEqual([]);
  });

  // Seen to fail (called damaged) without: the look at InvalidObjectState in core/audit/check.ts.
  test('what lies in a Glacier tier is not damaged, but only its length is known', async () => {
    const store = memoryStore();
    const { key, manifest } = await putArchive(store, TEXTS);
    const { key: cold } = manifest.segments[0]!.objects[0]!;
    const { read } = store;
    store.read = (of, version) => {
      if (of !== cold) return read(of, version);
      throw new ArchiverError('ObjectMissing', `reading ${of}: S3 returned InvalidObjectState (403)`);
    };
    expect(await inParts(store, key)).toMatchObject({ verdict: 'intact', read: 3, cold: 1 });
    store.head = (of, versionId) => Promise.resolve({ key: of, versionId, bytes: 3 });
    expect(await inParts(store, key)).toMatchObject({
      verdict: 'damaged',
      problems: [expect.stringMatching(/it has 3 bytes, not 6/)],
    });
  });
});

test.each([
  [{ sample: { archives: 0 } }, 'sample.archives: 0 is not allowed'],
  [{ sample: { archives: 101 } }, 'sample.archives: 101 is not allowed'],
  [{ sample: { segments: 'all' } }, 'sample.segments: "all" is not allowed'],
  [{ sample: 3 }, 'sample: 3 is not allowed'],
  [{ bucket: 'other' }, 'bucket: "other" is not allowed: there is no such setting'],
  [{ partitionSet: 'orders' }, 'is no name of the form schema.table'],
  ['everything', 'the input: "everything" is not allowed'],
])('an input that means nothing: %j', (input, message) => {
  expect(() => parseAuditRequest(input, 'db')).toThrow(message);
});
