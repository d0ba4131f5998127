import { describe, expect, test } from '@jest/globals';
import { leastTierDays, lateCopyDays } from '../../../core/config/copy-days.ts';
import { parseRuntimeConfig } from '../../../core/config/runtime.ts';
import { DAY_MS } from '../../../core/expiry.ts';
import { copyManifestKey, manifestKey, segmentKey } from '../../../core/keys.ts';
import { lateCopies } from '../../../core/query/late-copies.ts';
import { fakeLog } from '../../support/fakes.ts';
import { memoryStore, PUT_AT, type MemoryStore } from '../../support/memory-store.ts';

const SETS = [
  { schema: 'app', table: 'event', query: true },
  { schema: 'app', table: 'other' },
];

/** An archive of this table; its text, which was put on the first of the month, has a key that is returned. */
function put(
  store: MemoryStore,
  table: string,
  digit: string,
  { copied = false, database = 'shop' } = {},
): string {
  const archiveId = `${digit.repeat(8)}-89ab-4def-8123-456789abcdef`;
  const at = { database, parentSchema: 'app', parentName: table, period: '202601', archiveId };
  const text = segmentKey(at, 0);
  store.put(text, 'row\n');
  store.put(manifestKey(at), '{}');
  if (copied) store.put(copyManifestKey(at, '20261101T000000000Z-1a2b3c4d'), '{}');
  return text;
}

/** Looks, so many days after everything was put. */
async function look(store: MemoryStore, days: number, expiry?: { readonly days: number }) {
  const parsed = parseRuntimeConfig({ partitionSets: SETS, ...(expiry && { expiry }) });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const published: number[] = [];
  const late = await lateCopies(parsed.config, {
    store,
    databases: ['shop', 'old'],
    metrics: { withoutCopy: (each) => void published.push(each) },
    clock: { now: () => new Date(PUT_AT.getTime() + days * DAY_MS), sleep: () => Promise.resolve() },
    log: fakeLog(),
  });
  expect(published).toEqual([late.days]);
  return late;
}

describe('an archive without a copy', () => {
  // Seen to fail with the archives of all sets, and with those that have a copy.
  test('is late by the days since its export, if its set has "query"', async () => {
    const store = memoryStore();
    put(store, 'event', '1', { copied: true });
    put(store, 'other', '2');
    expect(await look(store, 20)).toEqual({ archives: 0, days: 0 });
    put(store, 'event', '3');
    expect(await look(store, 20)).toEqual({ archives: 1, days: 20 });
    // Seen to fail with the name of today alone.
    put(store, 'event', '4', { database: 'old' });
    put(store, 'event', '5', { database: 'other' });
    expect(await look(store, 20)).toEqual({ archives: 2, days: 20 });
  });

  // Seen to fail without the condition on the storage class.
  test('is not late any more once its text lies in Glacier: Convert fails then', async () => {
    const store = memoryStore();
    const text = put(store, 'event', '1');
    store.move(text, { storageClass: 'GLACIER_IR', state: 'readable' });
    expect(await look(store, 20)).toMatchObject({ archives: 1 });
    store.move(text, { storageClass: 'DEEP_ARCHIVE', state: 'archived' });
    expect(await look(store, 20)).toEqual({ archives: 0, days: 0 });
  });

  // Seen to fail without the condition on the expiry.
  test('is not late where it expires so soon that no copy is made, or has expired', async () => {
    const store = memoryStore();
    const text = put(store, 'event', '1');
    expect(await look(store, 69, { days: 100 })).toEqual({ archives: 1, days: 69 });
    expect(await look(store, 71, { days: 100 })).toEqual({ archives: 0, days: 0 });
    store.put(text, null);
    expect(await look(store, 69, { days: 100 })).toEqual({ archives: 0, days: 0 });
  });
});

// Each is reported after the last start, and two weeks before the tier.
test.each([
  ['cron(0 6 * * ? *)', 16, 31],
  ['cron(0 6 ? * MON *)', 22, 37],
  ['cron(0 6 1 * ? *)', 46, 61],
  ['rate(12 hours)', 16, 31],
  ['rate(3 days)', 18, 33],
])(
  'with the schedule %s a copy is late after %i days, and its text may move to Glacier after %i at the earliest',
  (schedule, late, tier) => {
    expect([lateCopyDays(schedule), leastTierDays(schedule)]).toEqual([late, tier]);
  },
);
