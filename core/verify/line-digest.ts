import { createHash, type Hash } from 'node:crypto';
import xxhash from 'xxhash-wasm';

const NEWLINE = 0x0a;
const hasher = await xxhash();

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
 * Digests COPY text as it streams by, in constant memory but for its longest line. COPY text has exactly one line a
 * row: a newline within a value is written as `\n`.
 */
export class LineDigester {
  #rows = 0;
  #bytes = 0;
  #sum = 0n;
  #sha256: Hash;
  #tail: Buffer[] = [];

  constructor(sha256: Hash = createHash('sha256')) {
    this.#sha256 = sha256;
  }

  /** Takes the next bytes; they may end within a line. The buffer may be reused afterwards. */
  update(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#sha256.update(chunk);
    this.#bytes += chunk.length;
    let start = 0;
    let sum = this.#sum;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      sum += hasher.h64Raw(this.#line(chunk.subarray(start, end)));
      this.#rows += 1;
      start = end + 1;
    }
    this.#sum = BigInt.asUintN(64, sum);
    if (start < chunk.length) this.#tail.push(Buffer.from(chunk.subarray(start)));
  }

  #line(end: Buffer): Buffer {
    if (this.#tail.length === 0) return end;
    const line = Buffer.concat([...this.#tail, end]);
    this.#tail = [];
    return line;
  }

  /** Lines and bytes so far. */
  get position(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#rows, bytes: this.#bytes };
  }

  /** A digester that goes on from here by itself. */
  fork(): LineDigester {
    const fork = new LineDigester(this.#sha256.copy());
    fork.#rows = this.#rows;
    fork.#bytes = this.#bytes;
    fork.#sum = this.#sum;
    fork.#tail = [...this.#tail];
    return fork;
  }

  /** The digest of all that was taken. */
  digest(): LineDigest {
    return {
      rows: this.#rows,
      bytes: this.#bytes,
      sha256: this.#sha256.copy().digest('hex'),
      lineHashSum: formatLineHashSum(this.#sum),
      complete: this.#tail.length === 0,
    };
  }
}

const formatLineHashSum = (sum: bigint): string => BigInt.asUintN(64, sum).toString(16).padStart(16, '0');

/** The line-hash sum of a whole, from those of its segments. */
export function addLineHashSums(sums: readonly string[]): string {
  return formatLineHashSum(sums.reduce((total, sum) => total + BigInt(`0x${sum}`), 0n));
}
