import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { TooManyParts } from '../../../core/archive/stream.ts';
import { s3ObjectStore } from '../../../adapters/s3/object-store.ts';
import { s3ObjectWriter } from '../../../adapters/s3/upload.ts';
import { makeBucket, makeS3Client } from '../../support/s3.ts';

let s3: S3Client;
let bucket = '';
beforeAll(async () => {
  s3 = makeS3Client();
  bucket = await makeBucket(s3, 'upload');
});
afterAll(() => {
  s3.destroy();
});

const PART = 5 * 1024 * 1024;

/** Pieces of one buffer, which is used again for each of them. */
async function* pieces(total: number, size: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.alloc(size);
  for (let left = total, n = 0; left > 0; n += 1) {
    buffer.fill(65 + (n % 26));
    yield buffer.subarray(0, Math.min(left, size));
    left -= size;
  }
}

const hashOf = async (bytes: AsyncIterable<Buffer>): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
};

const left = async (): Promise<number> =>
  (await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;
const versions = async (key: string): Promise<number> =>
  (await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key }))).Versions?.length ?? 0;

// Seen to fail (other bytes) where a part keeps the pieces of the stream instead of a copy, and (refused, as a part changes
// while it is sent) with one buffer for all parts.
test.each([
  ['less than a part', 1_000, 700],
  ['exactly one part', PART, 65_536],
  ['parts and a rest', 3 * PART + 12_345, 65_536],
  ['pieces larger than a part', 2 * PART + 1, PART + 7],
])('%s arrives as it was sent', async (name, total, size) => {
  const key = `data/${name.replaceAll(' ', '-')}`;
  expect(await s3ObjectWriter(s3, bucket, PART).upload(key, pieces(total, size), null)).toEqual({
    textBytes: total,
    storedBytes: total,
  });
  const store = s3ObjectStore(s3, bucket, 'us-east-1');
  const { versionId, bytes } = await store.current(key);
  expect(bytes).toBe(total);
  expect(await hashOf(store.read(key, versionId))).toBe(await hashOf(pieces(total, size)));
  expect(await left()).toBe(0);
});

test('nothing makes no object', async () => {
  expect(await s3ObjectWriter(s3, bucket).upload('data/nothing', pieces(0, 1), null)).toEqual({
    textBytes: 0,
    storedBytes: 0,
  });
  expect(await versions('data/nothing')).toBe(0);
});

// Seen to fail (an upload is left) without the abort.
test.each([
  ['at once', 0],
  ['in its first part', 100],
  ['in a later part', PART + 100],
])('of a stream that fails %s nothing is left', async (_, after) => {
  async function* failing(): AsyncGenerator<Buffer> {
    if (after > 0) yield Buffer.alloc(after);
    await Promise.resolve();
    throw new Error('the server is gone');
  }
  await expect(s3ObjectWriter(s3, bucket, PART).upload('data/failed', failing(), null)).rejects.toThrow(
    'the server is gone',
  );
  expect(await versions('data/failed')).toBe(0);
  expect(await left()).toBe(0);
});

// Seen to be uploaded without the look at the number of parts: S3 refuses part 10,001, and nothing tells that from a bad request.
test('what has more parts than S3 takes is no object', async () => {
  const writer = s3ObjectWriter(s3, bucket, PART, 2);
  expect(await writer.upload('data/two-parts', pieces(2 * PART, 65_536), null)).toMatchObject({
    storedBytes: 2 * PART,
  });
  await expect(writer.upload('data/three-parts', pieces(2 * PART + 1, 65_536), null)).rejects.toBeInstanceOf(
    TooManyParts,
  );
  expect(await versions('data/three-parts')).toBe(0);
  expect(await left()).toBe(0);
});

// Seen to fail (no header) without ChecksumSHA256; S3 refuses such a part where the bucket locks its objects by default.
test('each part and the whole upload name their SHA-256 to S3', async () => {
  const client = makeS3Client();
  const sent: Record<string, string | undefined>[] = [];
  client.middlewareStack.add(
    (next) => (args) => {
      sent.push((args.request as { headers: Record<string, string> }).headers);
      return next(args);
    },
    { step: 'finalizeRequest', name: 'looks at the headers' },
  );
  try {
    await s3ObjectWriter(client, bucket, PART).upload('data/hashed', pieces(PART + 1, 1_000), null);
  } finally {
    client.destroy();
  }
  const [begin = {}, first = {}, second = {}] = sent;
  expect(begin['x-amz-checksum-algorithm']).toBe('SHA256');
  for (const part of [first, second]) {
    const hash = part['x-amz-content-sha256'] ?? '';
    expect(part['x-amz-checksum-sha256']).toBe(Buffer.from(hash, 'hex').toString('base64'));
  }
});

// Seen to pass with an object of other bytes without x-amz-content-sha256, which the SDK takes of the changed bytes then.
test('a part that changes on its way is refused', async () => {
  const client = makeS3Client();
  client.middlewareStack.add(
    (next) => (args) => {
      const input = args.input as { Body?: Buffer };
      // After its sum was taken.
      if (Buffer.isBuffer(input.Body)) input.Body = Buffer.from(input.Body).fill(0x21, 0, 1);
      return next(args);
    },
    { step: 'initialize', name: 'changes a part' },
  );
  try {
    await expect(
      s3ObjectWriter(client, bucket, PART).upload('data/changed', pieces(1_000, 1_000), null),
    ).rejects.toMatchObject({ name: expect.stringMatching(/^ObjectStore/) });
    expect(await versions('data/changed')).toBe(0);
  } finally {
    client.destroy();
  }
});

// As after CompleteMultipartUpload whose response was lost and which the SDK sends again.
// Seen to fail (ObjectMissing, which blocks the partition) without isGone.
test('an upload that is gone is tried again', async () => {
  async function* aborted(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(PART + 1);
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    for (const { Key, UploadId } of Uploads ?? []) {
      await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
    }
  }
  await expect(s3ObjectWriter(s3, bucket, PART).upload('data/gone', aborted(), null)).rejects.toMatchObject({
    code: 'ObjectStoreUnavailable',
  });
});
