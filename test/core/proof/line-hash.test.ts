import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import loadWabt from 'wabt';
import xxhash from 'xxhash-wasm';
import { LineHasher } from '../../../core/proof/line-hash.ts';

const { h64Raw } = await xxhash();
const FOLDER = join(import.meta.dirname, '../../../core/proof');

test('the module is what its source says', async () => {
  const wabt = await loadWabt();
  const source = readFileSync(join(FOLDER, 'line-hash.wat'), 'utf8');
  const module = wabt.parseWat('line-hash.wat', source, { simd: true, bulk_memory: true });
  const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64');
  const file = join(FOLDER, 'line-hash.wasm.ts');
  // After a change of line-hash.wat: delete the file, and this test writes it again.
  const text = `/** What wabt makes of \`line-hash.wat\`, which a test compares. */\nexport const LINE_HASH_WASM =\n  '${base64}';\n`;
  if (!existsSync(file)) writeFileSync(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
});

const LF = 0x0a;

/** A line of these bytes, none of them a newline. */
const lineOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.filter((byte) => byte !== LF));

/** Every length up to a few stripes, and lines that take many chunks. */
const line = fc.oneof(
  { weight: 20, arbitrary: fc.uint8Array({ maxLength: 110 }).map(lineOf) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 60 }).map(lineOf), fc.integer({ min: 1, max: 8000 }))
      .map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes))),
  },
);

test('another implementation of XXH64 has the same sum, wherever the stream is cut', () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 300_000 })), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), sizes, (lines, chunkSizes) => {
      const bytes = Buffer.concat(lines.flatMap((each) => [each, Buffer.of(LF)]));
      const [one, other] = [LineHasher.begin(), LineHasher.begin()];
      for (let at = 0, chunk = 0; at < bytes.length; chunk += 1) {
        const size = chunkSizes[chunk % chunkSizes.length]!;
        one.update(bytes.subarray(at, at + size));
        // Two streams by turns share one module.
        other.update(Buffer.from('x\ny'));
        at += size;
      }
      expect(one.sum).toBe(lines.reduce((sum, each) => BigInt.asUintN(64, sum + h64Raw(each)), 0n));
      expect(one.lines).toBe(lines.length);
      expect(one.withinLine).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test('bytes of an earlier stream behind the end of this one are not seen', () => {
  const earlier = LineHasher.begin();
  earlier.update(Buffer.alloc(4096, LF));
  const hasher = LineHasher.begin();
  const text = Buffer.alloc(61, 'x');
  hasher.update(text);
  // Seen to fail without the mask of the last 16 bytes.
  expect([hasher.lines, hasher.withinLine]).toEqual([0, true]);
  hasher.update(Buffer.of(LF));
  expect([hasher.lines, hasher.sum]).toEqual([1, h64Raw(text)]);
});

test('a line that has begun and not ended is known, however long it is', () => {
  for (const length of [1, 31, 32, 64, 200_000]) {
    const hasher = LineHasher.begin();
    hasher.update(Buffer.alloc(length, 'x'));
    expect([length, hasher.lines, hasher.withinLine]).toEqual([length, 0, true]);
  }
});

test('a chunk fills the memory to its end, whatever is left over before it', () => {
  const chunk = Buffer.alloc(200_000, 'x');
  for (let length = 0; length < 32; length += 1) {
    const rest = Buffer.alloc(length, 'y');
    const hasher = LineHasher.begin();
    hasher.update(rest);
    // Seen to fail with a READ_BEYOND of 14: of these lengths one makes the last search begin one byte before the end.
    hasher.update(chunk);
    hasher.update(Buffer.of(LF));
    expect([length, hasher.sum]).toEqual([length, h64Raw(Buffer.concat([rest, chunk]))]);
  }
});
