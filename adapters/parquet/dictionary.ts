import type { ColumnValues } from '../../core/query/column-values.ts';

/** The distinct values of a column of a row group, and which of them each value is. */
export interface Dictionary {
  /** Positions, among the values, of the first occurrence of each distinct value. */
  readonly first: Int32Array;
  readonly count: number;
  readonly indexes: Int32Array;
}

/** So many values spread over the row group tell whether a dictionary is worth trying. */
const SAMPLE = 1024;
const MOST_DISTINCT_IN_SAMPLE = 0.9;
/** Indexes of up to 20 bits: the bit packer's word has room for them. */
const MOST_ENTRIES = 1 << 20;
/** Bytes of a long value that its hash takes, at its beginning and at its end. */
const HASHED = 24;

/** Room that is used again for each column. */
let table = new Int32Array(1 << 12);
let indexes = new Int32Array(1 << 12);
let first = new Int32Array(1 << 12);

/** A dictionary, where it at least halves the bytes of the column; `null` otherwise. Valid until the next call. */
export function dictionaryOf(column: ColumnValues): Dictionary | null {
  const { values } = column;
  if (column.kind === 'boolean' || values < 2) return null;
  const hash = column.width === 0 ? hashBytes : column.width === 1 ? hash32 : hashWords;
  const equal = column.width === 0 ? equalBytes : equalWords;
  const plain = column.width === 0 ? column.used : values * column.width * 4;
  if (values > SAMPLE * 2) {
    const step = values / SAMPLE;
    const sampled = build(column, SAMPLE, (index) => Math.floor(index * step), hash, equal, plain);
    if (sampled === null || sampled.count > SAMPLE * MOST_DISTINCT_IN_SAMPLE) return null;
  }
  const found = build(column, values, undefined, hash, equal, plain);
  if (found === null) return null;
  const indexBytes = (values * bitWidth(found.count)) / 8;
  return 2 * (found.bytes + indexBytes) > plain ? null : found;
}

/** Bits that an index into so many entries takes. */
export const bitWidth = (count: number): number => 32 - Math.clz32(count - 1);

function build(
  column: ColumnValues,
  count: number,
  positionOf: ((index: number) => number) | undefined,
  hash: (column: ColumnValues, position: number) => number,
  equal: (column: ColumnValues, a: number, b: number) => boolean,
  plain: number,
): (Dictionary & { readonly bytes: number }) | null {
  const size = 1 << Math.max(12, 33 - Math.clz32(Math.min(count, MOST_ENTRIES)));
  if (table.length < size) table = new Int32Array(size);
  table.fill(0, 0, size);
  if (indexes.length < count) indexes = new Int32Array(count);
  const mask = size - 1;
  const most = positionOf === undefined ? plain / 2 : Number.POSITIVE_INFINITY;
  let entries = 0;
  let bytes = 0;
  for (let index = 0; index < count; index += 1) {
    const position = positionOf === undefined ? index : positionOf(index);
    let slot = hash(column, position) & mask;
    for (;;) {
      const entry = (table[slot] ?? 0) - 1;
      if (entry === -1) {
        bytes += column.width === 0 ? sizeOf(column, position) : column.width * 4;
        if (bytes > most || entries === MOST_ENTRIES) return null;
        if (entries === first.length) {
          const grown = new Int32Array(first.length * 2);
          grown.set(first);
          first = grown;
        }
        first[entries] = position;
        indexes[index] = entries;
        entries += 1;
        table[slot] = entries;
        break;
      }
      if (equal(column, first[entry] ?? 0, position)) {
        indexes[index] = entry;
        break;
      }
      slot = (slot + 1) & mask;
    }
  }
  return { first, count: entries, indexes, bytes };
}

const beginOf = ({ words }: ColumnValues, position: number): number =>
  position === 0 ? 0 : (words[position - 1] ?? 0);

const sizeOf = (column: ColumnValues, position: number): number =>
  (column.words[position] ?? 0) - beginOf(column, position);

function mix(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return mixed ^ (mixed >>> 15);
}

const hash32 = ({ words }: ColumnValues, position: number): number => mix(words[position] ?? 0);

function hashWords({ words, width }: ColumnValues, position: number): number {
  let hash = 0;
  for (let word = position * width; word < (position + 1) * width; word += 1) {
    hash = Math.imul(hash ^ (words[word] ?? 0), 0x01000193);
    hash ^= hash >>> 15;
  }
  return mix(hash);
}

function equalWords({ words, width }: ColumnValues, a: number, b: number): boolean {
  for (let word = 0; word < width; word += 1) {
    if (words[a * width + word] !== words[b * width + word]) return false;
  }
  return true;
}

/** The length in front of the value is hashed and compared with it. */
function hashBytes(column: ColumnValues, position: number): number {
  const { bytes } = column;
  const begin = beginOf(column, position);
  const end = column.words[position] ?? 0;
  const head = Math.min(end, begin + 4 + HASHED);
  let hash = 0x811c9dc5;
  for (let at = begin; at < head; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  for (let at = Math.max(head, end - HASHED); at < end; at += 1) {
    hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  }
  return mix(hash);
}

function equalBytes(column: ColumnValues, a: number, b: number): boolean {
  const { bytes } = column;
  const [atA, atB] = [beginOf(column, a), beginOf(column, b)];
  const size = sizeOf(column, a);
  if (size !== sizeOf(column, b)) return false;
  for (let offset = 4; offset < size; offset += 1) {
    if (bytes[atA + offset] !== bytes[atB + offset]) return false;
  }
  return true;
}
