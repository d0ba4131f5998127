/** The store of a step that makes copies: what it passes on, and that it stops with the step. */
import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { endedBy } from '../../../lambdas/runtime/copies.ts';
import { withFiles } from '../../support/copies.ts';
import { memoryStore } from '../../support/memory-store.ts';

const memory = memoryStore();
const TEXT = '1\ta row\n';
const versionId = memory.put('segment', gzipSync(TEXT));
const store = withFiles(memory, tmpdir());

const read = async (signal: AbortSignal): Promise<string> => {
  const text = { compression: 'gzip', bytes: TEXT.length } as const;
  return Buffer.concat(
    await Array.fromAsync(endedBy(signal, store).read('segment', versionId, text)),
  ).toString();
};

// Seen to fail with read(key, versionId) in endedBy(): the compressed bytes, and no compressed set got a copy.
test('a compressed segment is read as its text', async () => {
  expect(await read(new AbortController().signal)).toBe(TEXT);
});

test('nothing more is read or written once the step has ended', async () => {
  const ended = AbortSignal.abort(new Error('out of time'));
  await expect(read(ended)).rejects.toThrow('out of time');
  expect(() => endedBy(ended, store).create('other', 'body', 'text/plain')).toThrow('out of time');
  expect(await store.list('other')).toEqual([]);
});
