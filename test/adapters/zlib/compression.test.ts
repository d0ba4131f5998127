import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { compress, decompress } from '../../../adapters/zlib/compression.ts';
import type { Compression } from '../../../core/config/partition-set.ts';

const ROWS = Array.from({ length: 30_000 }, (_, n) => `${n}\trow ${n}\t${Math.sin(n)}\n`).join('');
const TEXT = Buffer.from(ROWS);
/** As what is archived; the contents have a SHA-256 besides. */
const CHECKED = { [constants.ZSTD_c_checksumFlag]: 1 };
const WAYS = [
  ['gzip', (text) => gzipSync(text), gunzipSync],
  ['zstd', (text) => zstdCompressSync(text, { params: CHECKED }), zstdDecompressSync],
] as const satisfies [Compression, (text: Buffer) => Buffer, (stored: Buffer) => Buffer][];

/** Pieces of a stream whose buffer is used again for the next one, as that of the frames of a COPY is. */
async function* pieces(bytes: Buffer, size = 10_007): AsyncGenerator<Buffer> {
  const buffer = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) {
    const length = bytes.copy(buffer, 0, at, at + size);
    yield buffer.subarray(0, length);
    buffer.fill(0xff);
  }
}

const whole = async (stream: AsyncIterable<Buffer>): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(stream, (chunk) => Buffer.from(chunk)));

// Seen to be read without the limit.
test('a frame of zstd that asks for more memory than those of an archive is damaged', async () => {
  const params = { [constants.ZSTD_c_windowLog]: 25, [constants.ZSTD_c_contentSizeFlag]: 0 };
  const text = Buffer.alloc(40_000_000, 'a');
  const wide = zstdCompressSync(text, { params });
  const reading = decompress(pieces(wide), { compression: 'zstd', bytes: text.length }, 'it');
  await expect(whole(reading)).rejects.toMatchObject({
    code: 'ArchiveDamaged',
    message: expect.stringContaining('frameParameter_windowTooLarge'),
  });
});

describe.each(WAYS)('%s', (compression, compressSync, decompressSync) => {
  const stored = compressSync(TEXT);
  const read = (bytes: Buffer, length = TEXT.length, size?: number): Promise<Buffer> =>
    whole(decompress(pieces(bytes, size), { compression, bytes: length }, 'reading it'));

  // Seen to fail (other bytes) where the next piece is asked for before the last one was taken.
  test('text comes back as it was, and other programs read it', async () => {
    const made = await whole(compress(pieces(TEXT), compression));
    expect(decompressSync(made).equals(TEXT)).toBe(true);
    expect(made.length).toBeLessThan(TEXT.length / 2);
    expect((await read(made)).equals(TEXT)).toBe(true);
    expect((await read(stored, TEXT.length, 7)).equals(TEXT)).toBe(true);
  });

  test('no text makes nothing', async () => {
    expect((await whole(compress(pieces(Buffer.alloc(0)), compression))).length).toBe(0);
  });

  // Seen to be read, or to end the process, without each of the comparisons and the listener: Node.js 24 takes what follows.
  test.each<[string, Buffer, number]>([
    ['nothing', Buffer.alloc(0), TEXT.length],
    ['its first byte', stored.subarray(0, 1), TEXT.length],
    ['half of it', stored.subarray(0, stored.length >> 1), TEXT.length],
    ['all but its last byte', stored.subarray(0, -1), TEXT.length],
    ['plain text', TEXT, TEXT.length],
    ['a flipped bit', Buffer.from(stored).fill((stored[5_000] ?? 0) ^ 1, 5_000, 5_001), TEXT.length],
    ['zeros behind it', Buffer.concat([stored, Buffer.alloc(70_000)]), TEXT.length],
    ['a zero behind it', Buffer.concat([stored, Buffer.alloc(1)]), TEXT.length],
    ['text behind it', Buffer.concat([stored, Buffer.from('1\n')]), TEXT.length],
    ['itself once more', Buffer.concat([stored, stored]), TEXT.length],
    ['less text than there should be', stored, TEXT.length + 1],
    ['more text than there should be', stored, TEXT.length - 1],
  ])('%s is damaged', async (_, bytes, length) => {
    for (const size of [1_000, 1_000_000]) {
      await expect(read(bytes, length, size)).rejects.toMatchObject({
        code: 'ArchiveDamaged',
        message: expect.stringMatching(/^reading it: /),
      });
    }
  });

  // Seen to take all of it without the comparison with the length.
  test('a bomb is given up at the length that it should have', async () => {
    const bomb = compressSync(Buffer.alloc(200_000_000));
    let taken = 0;
    const reading = async (): Promise<void> => {
      for await (const chunk of decompress(pieces(bomb), { compression, bytes: 1_000_000 }, 'it')) {
        taken += chunk.length;
      }
    };
    await expect(reading()).rejects.toMatchObject({ code: 'ArchiveDamaged' });
    expect(taken).toBeLessThanOrEqual(1_000_000);
  });

  test('a stream that fails fails with its own error', async () => {
    const failing = async function* (bytes: Buffer): AsyncGenerator<Buffer> {
      yield bytes;
      await Promise.resolve();
      throw new Error('the server is gone');
    };
    await expect(whole(compress(failing(TEXT), compression))).rejects.toThrow('the server is gone');
    const half = failing(stored.subarray(0, 20_000));
    const text = { compression, bytes: TEXT.length };
    await expect(whole(decompress(half, text, 'it'))).rejects.toThrow('the server is gone');
  });

  test('a reader that stops early holds nothing up', async () => {
    for await (const chunk of decompress(pieces(stored), { compression, bytes: TEXT.length }, 'it')) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    for await (const chunk of compress(pieces(TEXT), compression)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });
});
