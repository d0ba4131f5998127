import { describe, expect, test } from '@jest/globals';
import { readManifest } from '../../../core/archive-store.ts';
import { parseBound } from '../../../core/bounds.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { find, type FoundArchive } from '../../../core/audit/find.ts';
import { manifestOf, memoryStore, type MemoryStore } from '../../support/memory-store.ts';

const monthly = (lower: string, upper: string, period: string) => ({
  lowerBound: lower,
  upperBound: upper,
  period,
});

async function threeMonths() {
  const store = memoryStore();
  for (const [lower, upper, period] of [
    ['2021-01-01 00:00:00+00', '2021-02-01 00:00:00+00', '202101'],
    ['2021-02-01 00:00:00+00', '2021-03-01 00:00:00+00', '202102'],
    ['2021-03-01 00:00:00+00', '2021-04-01 00:00:00+00', '202103'],
  ] as const) {
    await store.putManifest(manifestOf({ partition: monthly(lower, upper, period) }));
  }
  // Another table, whose name begins the same, and another schema.
  await store.putManifest(
    manifestOf({
      partition: { ...monthly('2021-02-01', '2021-03-01', '202102'), parentName: 'flights_old' },
    }),
  );
  await store.putManifest(
    manifestOf({ partition: { ...monthly('2021-02-01', '2021-03-01', '202102'), parentSchema: 'other/"x' } }),
  );
  return store;
}

describe('find', () => {
  test.each([
    [{}, 5],
    [{ table: 'flights' }, 4],
    [{ schema: 'public', table: 'flights' }, 3],
    [{ schema: 'other/"x' }, 1],
    [{ database: 'elsewhere' }, 0],
    [{ schema: 'public', table: 'flights', from: '2021-02-01', to: '2021-03-01' }, 1],
    // An upper bound is not within, nor is an end.
    [{ schema: 'public', table: 'flights', from: '2021-02-01' }, 2],
    [{ schema: 'public', table: 'flights', to: '2021-02-01' }, 1],
    [{ schema: 'public', table: 'flights', from: '202103' }, 1],
    [{ schema: 'public', table: 'flights', from: '2021-01-31T23:30-02:00', to: '2021-02-01T02:00Z' }, 1],
    [{ schema: 'public', table: 'flights', from: '2022' }, 0],
  ])('%j: %i', async (query, count) => {
    const store = await threeMonths();
    const { archives, unreadable } = await find(query, { store });
    expect(archives).toHaveLength(count);
    expect(unreadable).toEqual([]);
  });

  // Seen to fail: "there is no archive", although the range is what is wrong.
  test.each([
    [{ from: '2021-02', to: '2021-01' }, 'from: "2021-02" must not be after to: "2021-01"'],
    [{ from: '202102', to: '2021-01-31T23:59Z' }, 'must not be after'],
    [{ from: '8', to: '7' }, 'must not be after'],
    [{ from: '2021-02-30', to: 'soon' }, 'from: "2021-02-30" must be a date'],
  ])('%j is no range', async (query, problem) => {
    await expect(find(query, { store: memoryStore() })).rejects.toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining(problem),
    });
  });

  // As numbers it is empty, and as times it is not.
  test('a range that is one for times or for numbers is a range', async () => {
    expect(await find({ from: '202101', to: '2022' }, { store: await threeMonths() })).toMatchObject({
      archives: { length: 5 },
    });
  });

  test('oldest first, and of one period the later archive last', async () => {
    const store = await threeMonths();
    const times = { quarantinedAt: '', exportedAt: '', committedAt: '2030-01-01T00:00:00Z' };
    await store.putManifest(
      manifestOf({ times, partition: monthly('2021-01-01 00:00:00+00', '2021-02-01 00:00:00+00', '202101') }),
    );
    const { archives } = await find({ schema: 'public', table: 'flights' }, { store });
    expect(archives.map(({ period }) => period)).toEqual(['202101', '202101', '202102', '202103']);
    expect(archives[1]?.archivedAt).toBe('2030-01-01T00:00:00Z');
  });

  const duplicate = { times: { quarantinedAt: '', exportedAt: '', committedAt: '2030-01-01T00:00:00Z' } };
  const elsewhere = { source: { ...manifestOf({}).source, systemIdentifier: '9' } };
  // Seen to fail without the comparison of bounds in core/audit/overlaps.ts.
  test.each([
    ['the same partition', monthly('2021-01-01 00:00:00+00', '2021-02-01 00:00:00+00', '202101'), duplicate],
    ['of another server', monthly('2021-01-01', '2021-02-01', '202101'), elsewhere],
    ['under another name', { ...monthly('2021-01-01', '2021-02-01', '202101'), name: 'january' }, {}],
    ['part of it', monthly('2021-01-15', '2021-01-16', '20210115'), {}],
  ])('says which archives may have the same rows: %s', async (_, partition, more) => {
    const store = await threeMonths();
    const key = await store.putManifest(manifestOf({ partition, ...more }));
    const { overlapping } = await find({ schema: 'public', table: 'flights' }, { store });
    expect(overlapping).toHaveLength(1);
    const keys = overlapping[0]?.map(({ manifestKey }) => manifestKey);
    expect(keys).toHaveLength(2);
    expect(keys).toContain(key);
  });

  test('partitions that touch, other tables, and bounds that cannot be compared do not overlap', async () => {
    const store = await threeMonths();
    for (const year of ['0044', '0043']) {
      await store.putManifest(
        manifestOf({
          partition: monthly(`${year}-01-01 BC`, `${year}-02-01 BC`, 'old'),
          ...(year === '0043' && duplicate),
        }),
      );
    }
    const { overlapping } = await find({}, { store });
    expect(overlapping).toEqual([]);
    await store.putManifest(manifestOf({ partition: monthly('0044-01-01 BC', '0044-02-01 BC', 'old') }));
    expect((await find({}, { store })).overlapping).toMatchObject([
      [{ lowerBound: '0044-01-01 BC' }, { lowerBound: '0044-01-01 BC' }],
    ]);
  });

  // Seen to fail with ids as numbers of 53 bits: both were left out, and did not overlap.
  test('ids of more than 53 bits are compared with every digit', async () => {
    const store = memoryStore();
    for (const [lowerBound, upperBound] of [
      ['1234567890123456700', '1234567890123456768'],
      ['1234567890123456767', '1234567890123456790'],
    ] as const) {
      const partition = { controlKind: 'id', lowerBound, upperBound, period: lowerBound } as const;
      await store.putManifest(manifestOf({ partition }));
    }
    const lowerBounds = async (range: object): Promise<string[]> =>
      (await find(range, { store })).archives.map(({ lowerBound }) => lowerBound);
    expect(await lowerBounds({ from: '1234567890123456767', to: '1234567890123456767' })).toEqual([
      '1234567890123456700',
    ]);
    expect(await lowerBounds({ from: '1234567890123456768', to: '1234567890123456768' })).toEqual([
      '1234567890123456767',
    ]);
    expect((await find({}, { store })).overlapping).toHaveLength(1);
  });

  // A role that may write data could have written it. Seen to fail without: isFolder in core/archive-store.ts (it was found).
  test.each([
    ['schema', { parentSchema: 'data' }],
    ['table', { parentName: 'data' }],
    ['period', { period: 'data' }],
  ])('takes no manifest for one whose %s is called like a folder', async (_, forged) => {
    const store = await threeMonths();
    const partition = { ...monthly('2021-05-01', '2021-06-01', '202105'), ...forged };
    const manifestKey = await store.putManifest(manifestOf({ partition }));
    const { archives, unreadable } = await find({}, { store });
    expect(archives.map((each) => each.manifestKey)).not.toContain(manifestKey);
    expect(unreadable).toEqual([
      { manifestKey, problem: expect.stringContaining('is not the key of a manifest') },
    ]);
  });

  test('lists what cannot be read, and finds the others', async () => {
    const store = await threeMonths();
    store.put('db/public/flights/202101/manifest/aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa.json', 'no json');
    const { archives, unreadable } = await find({ schema: 'public', table: 'flights' }, { store });
    expect(archives).toHaveLength(3);
    expect(unreadable).toEqual([
      { manifestKey: expect.stringContaining('aaaaaaaa'), problem: expect.stringContaining('no JSON') },
    ]);
  });

  // Seen to fail with ObjectStoreDenied alone: it listed every manifest as one that cannot be read.
  test.each(['ObjectStoreDenied', 'InvalidConfiguration'] as const)(
    'does not take %s for a fault of a manifest',
    async (code) => {
      const refused = new ArchiverError(code, 'reading');
      const whole = await threeMonths();
      const versions = (prefix: string) =>
        prefix.endsWith('.json') ? Promise.reject(refused) : whole.versions(prefix);
      await expect(find({ table: 'flights' }, { store: { ...whole, versions } })).rejects.toBe(refused);
    },
  );

  // Somebody with other rights, by a plain deletion: the archive is still there.
  // Seen to fail without: the delete markers among the keys (store.list for store.versions in core/audit/manifest-keys.ts).
  test('lists a manifest that was deleted, also where everything of its table was, with the remedy', async () => {
    const store = await threeMonths();
    const { archives: before } = await find({ schema: 'public', table: 'flights' }, { store });
    const [{ manifestKey, versionId }] = before as [FoundArchive, ...FoundArchive[]];
    const marker = store.put(manifestKey, null);
    const other = (await find({ schema: 'other/"x' }, { store })).archives[0]!;
    store.put(other.manifestKey, null);
    const { archives, unreadable } = await find({}, { store });
    expect(archives).toHaveLength(3);
    expect(unreadable).toEqual(
      [
        {
          manifestKey,
          problem: `${manifestKey} was deleted: version ${versionId} lies behind the delete marker ${marker}`,
        },
        { manifestKey: other.manifestKey, problem: expect.stringContaining('was deleted') },
      ].sort((a, b) => (a.manifestKey < b.manifestKey ? -1 : 1)),
    );
    store.destroy(manifestKey, marker);
    expect((await find({ schema: 'public', table: 'flights' }, { store })).archives).toEqual(before);
  });

  test.each([
    ['its version too', (store, key, id) => store.destroy(key, id), /deleted for good: nothing but/],
    [
      'and written again',
      (store, key) => store.put(key, '{}'),
      /written over .* 2 versions, the latest first: v\d+, v\d+/,
    ],
    [
      'its version too, and written again',
      (store, key, id) => {
        store.destroy(key, id);
        store.put(key, '{}');
      },
      /was deleted and written again/,
    ],
  ] satisfies [string, (store: MemoryStore, key: string, id: string) => unknown, RegExp][])(
    'says what there is of a manifest that was deleted, %s',
    async (_, then, problem) => {
      const store = await threeMonths();
      const [found] = (await find({ schema: 'other/"x' }, { store })).archives;
      store.put(found!.manifestKey, null);
      then(store, found!.manifestKey, found!.versionId);
      const { unreadable } = await find({ schema: 'other/"x' }, { store });
      expect(unreadable).toMatchObject([{ problem: expect.stringMatching(problem) }]);
    },
  );

  test('a version of a manifest that is not there', async () => {
    const store = await threeMonths();
    const [found] = (await find({ schema: 'other/"x' }, { store })).archives;
    await expect(readManifest(store, found!.manifestKey, 'nonsense')).rejects.toMatchObject({
      code: 'ManifestInvalid',
      message: `there is no version nonsense of manifest ${found!.manifestKey}`,
    });
  });

  test('a range that is none', async () => {
    await expect(find({ from: 'yesterday' }, { store: memoryStore() })).rejects.toMatchObject({
      code: 'InvalidInput',
    });
  });
});

describe('parseBound', () => {
  test.each([
    ['time', '2021-01-31', Date.UTC(2021, 0, 31)],
    ['time', '2021-01-31 00:00:00', Date.UTC(2021, 0, 31)],
    ['time', '2021-01-31 05:30:00+05:30', Date.UTC(2021, 0, 31)],
    ['time', '2021-01-31 00:00:00.25+00', Date.UTC(2021, 0, 31) + 250],
    ['time', '1612051200', Date.UTC(2021, 0, 31)],
    ['time', '1612051200000', Date.UTC(2021, 0, 31)],
    ['time', '1612051200000000', Date.UTC(2021, 0, 31)],
    ['time', '1612051200000000000', Date.UTC(2021, 0, 31)],
    ['time', 'infinity', null],
    ['id', '-5', -5n],
    ['id', '1234567890123456767', 1234567890123456767n],
    ['id', '-0.5', -0.5],
    ['id', '2021-01-31', null],
  ] as const)('%s %s', (kind, text, value) => {
    expect(parseBound(kind, text)).toBe(value);
  });
});
