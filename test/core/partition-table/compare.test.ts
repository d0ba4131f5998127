import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  addCheckedPartitions,
  comparePartitions,
  digestByPartition,
  type Sums,
} from '../../../core/partition-table/compare.ts';
import { LineDigester } from '../../../core/proof/line-digest.ts';
import { anyText } from '../../support/any-text.ts';

/** The digest of lines by themselves, each with its newline. */
function sumsOf(lines: readonly string[]): Sums {
  const digester = new LineDigester();
  for (const line of lines) digester.update(Buffer.from(`${line}\n`));
  const { rows, bytes, lineHashSum } = digester.digest();
  return { rows, bytes, lineHashSum };
}

async function* inChunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const size = sizes[n % sizes.length] ?? bytes.length;
    await Promise.resolve();
    // Reused by the reader, as a socket's buffer may be.
    const chunk = Buffer.from(bytes.subarray(at, at + size));
    yield chunk;
    chunk.fill(0);
    at += size;
  }
}

const line = fc.oneof(
  anyText({ maxLength: 40 }).map((text) => text.replaceAll('\n', '\\n')),
  fc.integer({ min: 0, max: 60_000 }).map((length) => 'x\ty'.repeat(length / 3)),
);

// Seen to fail without the last flush, and where a line longer than the staging buffer is put into it.
test('lines of many partitions, cut anywhere, add up to what each partition has by itself', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(-1, 1, 2, 12, 1000), line), { maxLength: 30 }),
      fc.array(fc.constantFrom(1, 2, 7, 100, 16_384, 70_000), { minLength: 1, maxLength: 5 }),
      async (rows, sizes) => {
        const text = Buffer.from(rows.map(([number, each]) => `${String(number)}\t${each}\n`).join(''));
        fc.pre(text.length < 20_000 || Math.min(...sizes) > 2);
        const found = await digestByPartition(inChunks(text, sizes));
        const numbers = new Set(rows.map(([number]) => number));
        expect([...found.keys()].sort()).toEqual([...numbers].sort());
        for (const number of numbers) {
          expect(found.get(number)).toEqual(
            sumsOf(rows.flatMap(([n, each]) => (n === number ? [each] : []))),
          );
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('ranges add up to the whole, and what belongs to no partition is a difference', () => {
  const half = (lines: string[]): ReadonlyMap<number, Sums> => new Map([[1, sumsOf(lines)]]);
  const [first, second] = [['a', 'b'], ['c']].map((lines) => {
    const verdict = comparePartitions(['p1', 'p2'], half(lines), half(lines));
    return verdict.kind === 'match' ? verdict.partitions : [];
  });
  expect(addCheckedPartitions(first ?? [], second ?? [])).toEqual([
    { partition: 'p1', ...sumsOf(['a', 'b', 'c']) },
    { partition: 'p2', ...sumsOf([]) },
  ]);
  expect(comparePartitions(['p1'], half(['a']), new Map([[3, sumsOf(['a'])]]))).toEqual({
    kind: 'mismatch',
    differences: [expect.stringContaining('p1: the table has 1 row '), '1 row outside of every partition'],
  });
  expect(comparePartitions(['p1'], half(['ab']), half(['ba']))).toMatchObject({ kind: 'mismatch' });
});
