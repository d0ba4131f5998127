import type { ColumnValues } from '../../core/query/column-values.ts';
import type { Dictionary } from './dictionary.ts';

/** Least and greatest value of a column of a row group, as hyparquet-writer takes them. */
export interface Extremes {
  readonly min_value?: number | bigint | Uint8Array;
  readonly max_value?: number | bigint | Uint8Array;
  readonly null_count: bigint;
}

/**
 * What readers skip row groups by. None for floating-point numbers: a NaN lies outside of any least and greatest value,
 * and DuckDB 1.5 loses its rows by them. None where only whole numbers of 128 bits or booleans are to be compared.
 */
export function statisticsOf(column: ColumnValues, dictionary: Dictionary | null): Extremes {
  const nulls = { null_count: BigInt(column.rows - column.values) };
  if (column.values === 0) return nulls;
  const count = dictionary?.count ?? column.values;
  const position = (index: number): number => (dictionary === null ? index : (dictionary.first[index] ?? 0));
  switch (column.kind) {
    case 'int16':
    case 'int32':
    case 'date':
    case 'decimal32': {
      const { words } = column;
      let [min, max] = [Infinity, -Infinity];
      for (let index = 0; index < count; index += 1) {
        const value = words[position(index)] ?? 0;
        if (value < min) min = value;
        if (value > max) max = value;
      }
      // A decimal as a number would be taken for the value, not for its digits.
      if (column.kind !== 'decimal32') return { min_value: min, max_value: max, ...nulls };
      return { min_value: BigInt(min), max_value: BigInt(max), ...nulls };
    }
    case 'int64':
    case 'decimal64':
    case 'timestamp':
    case 'timestamptz': {
      const { words } = column;
      let [min, max] = [0, 0];
      for (let index = 1; index < count; index += 1) {
        if (isLess64(words, position(index), position(min))) min = index;
        else if (isLess64(words, position(max), position(index))) max = index;
      }
      const value = (at: number): bigint =>
        (BigInt(words[at * 2 + 1] ?? 0) << 32n) | BigInt((words[at * 2] ?? 0) >>> 0);
      return { min_value: value(position(min)), max_value: value(position(max)), ...nulls };
    }
    case 'text': {
      let [min, max] = [0, 0];
      for (let index = 1; index < count; index += 1) {
        if (compareBytes(column, position(index), position(min)) < 0) min = index;
        else if (compareBytes(column, position(index), position(max)) > 0) max = index;
      }
      const value = (at: number): Uint8Array => {
        const begin = at === 0 ? 0 : (column.words[at - 1] ?? 0);
        return column.bytes.slice(begin + 4, column.words[at] ?? 0);
      };
      return { min_value: value(position(min)), max_value: value(position(max)), ...nulls };
    }
    case 'boolean':
    case 'float':
    case 'double':
    case 'decimal128':
    case 'bytea':
      return nulls;
  }
}

function isLess64(words: Int32Array, a: number, b: number): boolean {
  const [highA, highB] = [words[a * 2 + 1] ?? 0, words[b * 2 + 1] ?? 0];
  if (highA !== highB) return highA < highB;
  return (words[a * 2] ?? 0) >>> 0 < (words[b * 2] ?? 0) >>> 0;
}

function compareBytes({ words, bytes }: ColumnValues, a: number, b: number): number {
  const atA = (a === 0 ? 0 : (words[a - 1] ?? 0)) + 4;
  const atB = (b === 0 ? 0 : (words[b - 1] ?? 0)) + 4;
  const [lengthA, lengthB] = [(words[a] ?? 0) - atA, (words[b] ?? 0) - atB];
  const shared = Math.min(lengthA, lengthB);
  for (let offset = 0; offset < shared; offset += 1) {
    const difference = (bytes[atA + offset] ?? 0) - (bytes[atB + offset] ?? 0);
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}
