import { createHmac, randomBytes } from 'node:crypto';
import { compareStreams, type Verdict } from './compare.ts';

const NEWLINE = 0x0a;

/** Reads the rows of a table as COPY text; each call reads them again. */
export type ReadRows = <T>(use: (rows: AsyncIterable<Buffer>) => Promise<T>) => Promise<T>;

/**
 * Compares what a table holds with what its archive holds. Where the bytes are the same, that is all. Where only the order
 * of the rows differs, both are read once more, and their lines are compared under a key that did not exist when the archive
 * was written: a line that has the same XXH64 as another one is made in no time, by anyone who may write to the bucket.
 */
export async function compareContents(
  readRows: ReadRows,
  readArchive: () => AsyncIterable<Buffer>,
): Promise<Verdict> {
  const verdict = await readRows((rows) => compareStreams(rows, readArchive()));
  if (verdict.kind === 'mismatch' || !verdict.orderDiffers) return verdict;
  const key = randomBytes(32);
  const inTable = await readRows((rows) => keyedSum(rows, key));
  if (inTable === (await keyedSum(readArchive(), key))) return verdict;
  return {
    kind: 'mismatch',
    differences: [
      'the rows lie in another order, and they are not the same rows though their line hashes say so',
    ],
  };
}

/** Sum modulo 2^256 of the HMAC-SHA256 of each line: the same of the same lines in any order, and of no others. */
async function keyedSum(chunks: AsyncIterable<Buffer>, key: Buffer): Promise<bigint> {
  const begin = (): ReturnType<typeof createHmac> => createHmac('sha256', key);
  let sum = 0n;
  let line = begin();
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      const hash = line.update(chunk.subarray(from, end)).digest('hex');
      sum = BigInt.asUintN(256, sum + BigInt(`0x${hash}`));
      line = begin();
      from = end + 1;
    }
    line.update(chunk.subarray(from));
  }
  return sum;
}
