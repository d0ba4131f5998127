import { expect, test } from '@jest/globals';
import { ArchiverError } from '../../../core/errors.ts';
import { convertNext, convertReport, type ConvertNext } from '../../../core/query/convert-next.ts';
import { parseRuntimeConfig } from '../../../core/config/runtime.ts';
import { silentLog as log } from '../../../core/ports.ts';
import { manifestOf, memoryStore } from '../../support/memory-store.ts';

const parsed = parseRuntimeConfig({
  partitionSets: [
    { schema: 'public', table: 'a', query: true },
    { schema: 'public', table: 'b' },
    { schema: 'public', table: 'c', query: true },
  ],
});
if (!parsed.ok) throw new Error('the configuration is wrong');
const { partitionSets } = parsed.config;

const SOURCE = manifestOf({}).source;

async function bucketOf(...tables: readonly string[]) {
  const store = memoryStore();
  const keys: string[] = [];
  for (const [index, parentName] of tables.entries()) {
    const period = `2021${String((index % 12) + 1).padStart(2, '0')}`;
    keys.push(await store.putManifest(manifestOf({ partition: { parentName, period } })));
  }
  return { store, keys };
}

test('archives of all sets with "query" come page by page, each once, and those with a copy do not', async () => {
  const { store, keys } = await bucketOf(...Array.from({ length: 230 }, () => 'a'), 'b', 'c', 'c');
  const [copied] = keys;
  store.put(copied!.replace('/manifest/', '/query-manifest/').replace('.json', '.g.json'), '{}');
  const ports = { store, databases: ['db'], partitionSets };
  const seen: string[] = [];
  let turn: ConvertNext = await convertNext({ input: {} }, ports);
  while (turn.next === 'archives') {
    seen.push(...turn.archives);
    const results = turn.archives.map((manifestKey) => ({ manifestKey, result: 'converted' as const }));
    turn = await convertNext({ input: {}, progress: turn.progress, results }, ports);
  }
  expect(seen.sort()).toEqual(keys.filter((key) => key !== copied && !key.includes('/b/')).sort());
  expect(turn.progress).toMatchObject({ converted: 231, failed: 0 });
});

test('the input narrows, and names only sets with "query"', async () => {
  const { store } = await bucketOf('a', 'c');
  const ports = { store, databases: ['db'], partitionSets };
  const turn = await convertNext({ input: { partitionSet: 'public.c' } }, ports);
  expect(turn).toMatchObject({ next: 'archives', archives: [expect.stringContaining('/c/')] });
  await expect(convertNext({ input: { partitionSet: 'public.b' } }, ports)).rejects.toMatchObject({
    code: 'InvalidInput',
  });
});

// Seen to fail with the name of today alone.
test('archives below former names of the database are converted, too, unless the input names one', async () => {
  const { store, keys } = await bucketOf('a', 'c');
  for (const database of ['old', 'other']) {
    keys.push(
      await store.putManifest(
        manifestOf({ source: { ...SOURCE, database }, partition: { parentName: 'c' } }),
      ),
    );
  }
  const ports = { store, databases: ['db', 'old'], partitionSets };
  const seen: string[] = [];
  let turn: ConvertNext = await convertNext({ input: {} }, ports);
  while (turn.next === 'archives') {
    seen.push(...turn.archives);
    turn = await convertNext({ input: {}, progress: turn.progress, results: [] }, ports);
  }
  expect(seen).toEqual(keys.slice(0, 3));
  expect(await convertNext({ input: { database: 'old' } }, ports)).toMatchObject({ archives: [keys[2]] });
});

// Seen to fail without: archives were converted first, for hours.
test('an input that withdraws converts nothing', async () => {
  const { store } = await bucketOf('a', 'c');
  const input = { withdraw: ['01234567-89ab-4def-8123-456789abcdef'] };
  expect(await convertNext({ input }, { store, databases: ['db'], partitionSets })).toMatchObject({
    next: 'done',
  });
});

test('archives that were not converted are named at the end', () => {
  const progress = { converted: 1, failed: 1, problems: ['k: ArchiveCold'], set: 3, after: null };
  const report = () => convertReport({ progress }, { log });
  expect(report).toThrow(ArchiverError);
  expect(report).toThrow('1 archive converted, 1 not; 0 listed, 0 withdrawn, 0 not listed\nk: ArchiveCold');
  expect(convertReport({ progress: { ...progress, failed: 0 } }, { log })).toMatchObject({ converted: 1 });
});
