import type { CopyColumn, ValueKind } from './parquet-map.ts';

/**
 * The values of one column of one row group, as Parquet's PLAIN encoding has them (little endian, dense: NULLs have no
 * value). The arrays grow and are used again for the next row group, so that memory is bound by one of them.
 */
export class ColumnValues {
  readonly kind: ValueKind;
  /** Words of 32 bits that a value of fixed width takes; 0 for bytes, whose `words` are where each value begins. */
  readonly width: number;
  /** One byte a row: 1 where there is a value, 0 for NULL. */
  present: Uint8Array = new Uint8Array(1024);
  /** Values of fixed width, or the offset in `bytes` at which each value ends. */
  words: Int32Array = new Int32Array(1024);
  /** Values of variable width, each behind its length in 4 bytes. */
  bytes: Uint8Array = new Uint8Array(0);
  rows = 0;
  /** Values that are there. */
  values = 0;
  /** Bytes of `bytes` that are in use. */
  used = 0;
  #single: Float32Array;
  #double: Float64Array;

  constructor({ kind }: Pick<CopyColumn, 'kind'>) {
    this.kind = kind;
    this.width = WIDTHS[kind];
    this.#single = new Float32Array(this.words.buffer);
    this.#double = new Float64Array(this.words.buffer);
  }

  /** Begins the next row group. */
  clear(): void {
    this.rows = 0;
    this.values = 0;
    this.used = 0;
    // What one giant row took is not kept for ever.
    if (this.bytes.length > LARGEST_KEPT_BYTES) this.bytes = new Uint8Array(0);
  }

  addNull(): void {
    if (this.rows === this.present.length) this.#growRows();
    this.present[this.rows++] = 0;
  }

  /** Adds a value of 32 bits. */
  add32(value: number): void {
    if (this.rows === this.present.length) this.#growRows();
    this.present[this.rows++] = 1;
    if (this.values === this.words.length) this.#growWords();
    this.words[this.values++] = value;
  }

  /** Adds a value of 64 bits. */
  add64(low: number, high: number): void {
    if (this.rows === this.present.length) this.#growRows();
    this.present[this.rows++] = 1;
    const at = this.values * 2;
    if (at + 2 > this.words.length) this.#growWords();
    this.words[at] = low;
    this.words[at + 1] = high;
    this.values += 1;
  }

  /** Adds a whole number of at most 53 bits as one of 64. */
  addSafe64(value: number): void {
    const high = Math.floor(value / 4294967296);
    this.add64(value - high * 4294967296, high);
  }

  addBigInt64(value: bigint): void {
    this.add64(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }

  /** Adds a value of 128 bits, as DECIMAL wants it: the most significant byte first. */
  add128(value: bigint): void {
    if (this.rows === this.present.length) this.#growRows();
    this.present[this.rows++] = 1;
    const at = this.values * 4;
    if (at + 4 > this.words.length) this.#growWords();
    for (let word = 0; word < 4; word += 1) {
      const big = Number(BigInt.asIntN(32, value >> BigInt(96 - 32 * word)));
      this.words[at + word] =
        ((big & 0xff) << 24) | ((big & 0xff00) << 8) | ((big >>> 8) & 0xff00) | (big >>> 24);
    }
    this.values += 1;
  }

  addFloat(value: number): void {
    this.add32(0);
    this.#single[this.values - 1] = value;
  }

  addDouble(value: number): void {
    this.add64(0, 0);
    this.#double[this.values - 1] = value;
  }

  /** Makes room for a value of up to `length` bytes and returns where it may be written. */
  reserve(length: number): number {
    const needed = this.used + 4 + length;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2, 4096));
      grown.set(this.bytes.subarray(0, this.used));
      this.bytes = grown;
    }
    return this.used + 4;
  }

  /** Adds the value that was written from where `reserve` said up to `end`. */
  addReserved(end: number): void {
    if (this.rows === this.present.length) this.#growRows();
    this.present[this.rows++] = 1;
    if (this.values === this.words.length) this.#growWords();
    const length = end - this.used - 4;
    const { bytes, used } = this;
    bytes[used] = length & 0xff;
    bytes[used + 1] = (length >>> 8) & 0xff;
    bytes[used + 2] = (length >>> 16) & 0xff;
    bytes[used + 3] = length >>> 24;
    this.used = end;
    this.words[this.values++] = end;
  }

  #growRows(): void {
    const grown = new Uint8Array(this.present.length * 2);
    grown.set(this.present);
    this.present = grown;
  }

  #growWords(): void {
    const grown = new Int32Array(this.words.length * 2);
    grown.set(this.words);
    this.words = grown;
    this.#single = new Float32Array(grown.buffer);
    this.#double = new Float64Array(grown.buffer);
  }
}

/** Above this, the room of a column is given back after its row group. */
const LARGEST_KEPT_BYTES = 32 * 1024 * 1024;

const WIDTHS: Readonly<Record<ValueKind, number>> = {
  boolean: 1,
  int16: 1,
  int32: 1,
  date: 1,
  float: 1,
  decimal32: 1,
  int64: 2,
  double: 2,
  decimal64: 2,
  timestamp: 2,
  timestamptz: 2,
  decimal128: 4,
  bytea: 0,
  text: 0,
};
