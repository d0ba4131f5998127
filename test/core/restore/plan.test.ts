import { expect, test } from '@jest/globals';
import { PAYLOAD_BUDGET } from '../../../core/limits.ts';
import { planRestore } from '../../../core/restore/plan.ts';
import { silentLog as log } from '../../../core/ports.ts';
import { manifestOf, memoryStore, type MemoryStore } from '../../support/memory-store.ts';

/** An archive of a month of public.flights. */
async function put(store: MemoryStore, month: number, name = `flights_p${month}`): Promise<string> {
  const at = (count: number): string => new Date(Date.UTC(2000, count, 1)).toISOString().slice(0, 10);
  return store.putManifest(
    manifestOf({
      partition: { name, lowerBound: at(month), upperBound: at(month + 1), period: at(month).slice(0, 7) },
    }),
  );
}

const plan = (store: MemoryStore, input: unknown) => planRestore(input, { store, database: 'db', log });
const RANGE = { partitionSet: 'public.flights' };

test('a range is the archives with a part in it, oldest first, each by its version', async () => {
  const store = memoryStore();
  const keys = [];
  for (let month = 0; month < 4; month += 1) keys.push(await put(store, month));
  const { archives } = await plan(store, { ...RANGE, from: '2000-02', to: '2000-04' });
  expect(archives).toEqual([
    { manifestKey: keys[1], manifestVersionId: 'v2' },
    { manifestKey: keys[2], manifestVersionId: 'v3' },
  ]);
  // The names of two tables cannot be one.
  await expect(plan(store, { ...RANGE, table: 'one' })).rejects.toThrow(/4 archives/);
  expect((await plan(store, { ...RANGE, table: 'one', to: '2000-02' })).archives).toHaveLength(1);
  await expect(plan(store, { ...RANGE, from: '2001' })).rejects.toThrow(/no archive of public.flights/);
  await expect(plan(store, { ...RANGE, database: 'other' })).rejects.toThrow(/of database other/);
});

// Seen to fail without: refuseOverlaps in core/restore/plan.ts (both are loaded).
test.each([
  ['the partition archived again', {}],
  ['one of another name', { name: 'january' }],
  ['a part of it', { lowerBound: '2000-01-10', upperBound: '2000-01-11' }],
])('two archives of one period are never both loaded: %s', async (_, change) => {
  const store = memoryStore();
  const first = await put(store, 0);
  const bounds = { lowerBound: '2000-01-01', upperBound: '2000-02-01', period: '2000-01' };
  const second = await store.putManifest(
    manifestOf({
      source: { ...manifestOf({}).source, systemIdentifier: '9' },
      partition: { name: 'flights_p0', ...bounds, ...change },
    }),
  );
  await put(store, 1);
  const failure: unknown = await plan(store, RANGE).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'InvalidInput',
    message: expect.stringContaining('restore each that you want by its'),
  });
  const { message } = failure as Error;
  for (const said of [first, second, 'on the system 9']) expect(message).toContain(said);
  for (const manifestKey of [first, second]) {
    expect((await plan(store, { manifestKey })).archives).toHaveLength(1);
  }
  expect((await plan(store, { ...RANGE, from: '2000-02' })).archives).toHaveLength(1);
});

test('a manifest that cannot be read stands for an archive that might be in the range', async () => {
  const store = memoryStore();
  await put(store, 0);
  store.put(await put(store, 1), '{}');
  await expect(plan(store, RANGE)).rejects.toMatchObject({ code: 'ManifestInvalid' });
});

test('more archives than one execution carries are refused with the number that fits', async () => {
  const store = memoryStore();
  for (let month = 0; month < 1200; month += 1) await put(store, month);
  await expect(plan(store, RANGE)).rejects.toMatchObject({
    code: 'InvalidInput',
    message: expect.stringMatching(/there are 1200 archives .* and \d+ fit/),
  });
  const { archives } = await plan(store, { ...RANGE, to: '2030' });
  expect(Buffer.byteLength(JSON.stringify(archives))).toBeLessThan(PAYLOAD_BUDGET.archives);
  expect(archives).toHaveLength(360);
});

test.each([
  [
    { manifestKey: 'k', partitionSet: 'a.b', from: '2021' },
    /manifestKey: .* so that partitionSet, from cannot be/,
  ],
  [{ partitionSet: 'a.b', manifestVersionId: 'v' }, /manifestVersionId: .* belongs to manifestKey/],
  [{ from: '2021', schema: '' }, /schema: "" .*manifestKey: is missing: or partitionSet/s],
  [null, /manifestKey: is missing/],
  ['k', /the input: "k" is not allowed/],
])('%j names neither one archive nor a range', async (input, message) => {
  await expect(plan(memoryStore(), input)).rejects.toMatchObject({
    code: 'InvalidInput',
    message: expect.stringMatching(message),
  });
});

test('every mistake of a range at once', async () => {
  const input = {
    manifestKey: 'k',
    partitionSet: 'flights',
    from: 'soon',
    retrieval: { tier: 'Fast', days: 0 },
  };
  await expect(plan(memoryStore(), input)).rejects.toMatchObject({
    code: 'InvalidInput',
    message: expect.stringMatching(
      /partitionSet: "flights" is not allowed: must be a name of.*from: "soon".*retrieval.tier.*retrieval.days/s,
    ),
  });
});
