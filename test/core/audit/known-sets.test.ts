import { expect, test } from '@jest/globals';
import { noArchiveOf } from '../../../core/audit/known-sets.ts';
import { ArchiverError, type ErrorCode } from '../../../core/errors.ts';
import { manifestOf, memoryStore } from '../../support/memory-store.ts';

async function twoSets() {
  const store = memoryStore();
  await store.putManifest(manifestOf({}));
  const { partition } = manifestOf({});
  await store.putManifest(manifestOf({ partition: { ...partition, parentSchema: 'Größe "x"' } }));
  return store;
}

// Seen to fail before: a name with a mistake had the message of a range without an archive.
test.each([
  [{ schema: 'public', table: 'flihgts' }, ' of public.flihgts; there are archives of '],
  [{ database: 'nowhere' }, ' of database nowhere; there are archives of '],
  [{ schema: 'public', table: 'flights', from: '2999' }, ' of public.flights from 2999 to the end$'],
  [{ schema: 'public', table: 'flights', to: '1999' }, ' of public.flights from the beginning to 1999$'],
])('nothing found by %j', async (query, text) => {
  const message = await noArchiveOf(query, await twoSets());
  expect(message).toMatch(new RegExp(`^there is no archive${text}`));
  expect(message.includes('"Größe ""x""".flights (database ')).toBe(text.endsWith('of '));
});

test('an empty bucket has no archive of any set', async () => {
  expect(await noArchiveOf({}, memoryStore())).toBe('there is no archive; the bucket has no archive');
});

test('a role that may not list the bucket says only what it did not find', async () => {
  const store = (code: ErrorCode) => ({
    folders: () => Promise.reject(new ArchiverError(code, 'listing')),
  });
  expect(await noArchiveOf({}, store('ObjectStoreDenied'))).toBe('there is no archive');
  await expect(noArchiveOf({}, store('ObjectStoreUnavailable'))).rejects.toThrow('listing');
});
