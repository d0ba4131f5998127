import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { digestArchive } from '../../../core/proof/archive.ts';
import { chunksOf } from '../../support/fakes.ts';

// Seen to fail without any of the three checks of digestArchive.
test('text of an archive is digested as a whole', async () => {
  const text = '1\tü\n2\tb\n';
  const [first, second] = [Buffer.from(text).subarray(0, 3), Buffer.from(text).subarray(3)];
  expect(await digestArchive(chunksOf(first, second))).toMatchObject({
    kind: 'match',
    orderDiffers: false,
    digest: { rows: 2, bytes: 9, sha256: createHash('sha256').update(text).digest('hex') },
  });
  expect(await digestArchive(chunksOf())).toMatchObject({ kind: 'match', digest: { rows: 0, bytes: 0 } });
});

test.each<[string, Buffer]>([
  ['has no end', Buffer.from('1\ta\n2')],
  ['is not UTF-8', Buffer.from([0x31, 0xff, 0x0a])],
])('text that %s', async (problem, text) => {
  const verdict = await digestArchive(chunksOf(text));
  expect(verdict).toEqual({ kind: 'mismatch', differences: [expect.stringContaining(problem)] });
});

test('where it cannot be read, there is no verdict', async () => {
  const broken = (async function* () {
    yield Buffer.from('1\n');
    throw new Error('S3 is silent');
  })();
  await expect(digestArchive(broken)).rejects.toThrow('S3 is silent');
});
