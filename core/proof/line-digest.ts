import { createHash, type Hash } from 'node:crypto';
import { LineHasher } from './line-hash.ts';

/** What a stream of COPY text lines adds up to. */
export interface LineDigest {
  readonly rows: number;
  readonly bytes: number;
  /** SHA-256 of the bytes, in hexadecimal. */
  readonly sha256: string;
  /**
   * Sum modulo 2^64 of the XXH64 hash (seed 0) of each line without its newline, as 16 hexadecimal digits. It depends
   * on no order and adds up over segments; a sum and not an exclusive or, in which two equal rows would cancel.
   */
  readonly lineHashSum: string;
  /** Whether the last byte is a newline, as it is in whole COPY text. True of an empty stream. */
  readonly complete: boolean;
}

/**
 * Digests COPY text as it streams by, in constant memory. COPY text has exactly one line a row: a newline within a value
 * is written as `\n`.
 */
export class LineDigester {
  #bytes = 0;
  readonly #lines: LineHasher;
  readonly #sha256: Hash;

  constructor(sha256: Hash = createHash('sha256'), lines: LineHasher = LineHasher.begin()) {
    this.#sha256 = sha256;
    this.#lines = lines;
  }

  /** Takes the next bytes; they may end within a line. The buffer may be reused afterwards. */
  update(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#sha256.update(chunk);
    this.#lines.update(chunk);
    this.#bytes += chunk.length;
  }

  /** Lines and bytes so far. */
  get position(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#lines.lines, bytes: this.#bytes };
  }

  /** An independent digester that continues from here. */
  fork(): LineDigester {
    const fork = new LineDigester(this.#sha256.copy(), this.#lines.fork());
    fork.#bytes = this.#bytes;
    return fork;
  }

  /** The digest of all that was taken. */
  digest(): LineDigest {
    return {
      rows: this.#lines.lines,
      bytes: this.#bytes,
      sha256: this.#sha256.copy().digest('hex'),
      lineHashSum: formatLineHashSum(this.#lines.sum),
      complete: !this.#lines.withinLine,
    };
  }
}

/** Counts and hashes what goes by. */
export async function* digested(rows: AsyncIterable<Buffer>, digester: LineDigester): AsyncGenerator<Buffer> {
  for await (const chunk of rows) {
    digester.update(chunk);
    yield chunk;
  }
}

/** As the manifest has it: 16 hexadecimal digits. */
export const formatLineHashSum = (sum: bigint): string =>
  BigInt.asUintN(64, sum).toString(16).padStart(16, '0');

/** The line-hash sum of a whole, from those of its segments. */
export function addLineHashSums(sums: readonly string[]): string {
  return formatLineHashSum(sums.reduce((total, sum) => total + BigInt(`0x${sum}`), 0n));
}
