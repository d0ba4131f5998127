import type { ColumnValues } from './column-values.ts';
import { isDelimiter, NOT_EXACT, type FieldParser } from './field-parser.ts';
import type { CopyColumn } from './parquet-map.ts';

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** Longer numbers are not exact as numbers of JavaScript. */
const SAFE_DIGITS = 15;

/** Whole numbers within limits, of 32 bits or `wide` ones of 64. */
export function integerParser(min: bigint, max: bigint, wide: boolean): FieldParser {
  const least = Number(min);
  const most = Number(max);
  return (bytes, at, into) => {
    const negative = bytes[at] === MINUS;
    const first = negative ? at + 1 : at;
    let end = first;
    let value = 0;
    for (let digit = (bytes[end] ?? 0) - ZERO; digit >= 0 && digit <= 9; digit = (bytes[end] ?? 0) - ZERO) {
      value = value * 10 + digit;
      end += 1;
    }
    const length = end - first;
    if (length === 0 || !isDelimiter(bytes[end])) return NOT_EXACT;
    if (bytes[first] === ZERO && (length > 1 || negative)) return NOT_EXACT;
    if (length <= SAFE_DIGITS) {
      if (negative) value = -value;
      if (value < least || value > most) return NOT_EXACT;
      if (wide) into.addSafe64(value);
      else into.add32(value);
      return end;
    }
    const big = BigInt(bytes.toString('latin1', at, end));
    if (big < min || big > max) return NOT_EXACT;
    into.addBigInt64(big);
    return end;
  };
}

/** Numbers with as many digits behind the point as their type says. */
export function decimalParser({
  kind,
  precision,
  scale,
}: Pick<CopyColumn, 'kind' | 'precision' | 'scale'>): FieldParser {
  const whole = precision - scale;
  return (bytes, at, into) => {
    const negative = bytes[at] === MINUS;
    const first = negative ? at + 1 : at;
    let end = first;
    let value = 0;
    let any = 0;
    const digits = (limit: number): void => {
      for (; end < limit; end += 1) {
        const digit = (bytes[end] ?? 0) - ZERO;
        if (!(digit >= 0 && digit <= 9)) return;
        value = value * 10 + digit;
        any |= digit;
      }
    };
    digits(first + Math.max(whole, 1) + 1);
    const before = end - first;
    const leadingZero = bytes[first] === ZERO;
    if (before === 0 || (leadingZero && before > 1)) return NOT_EXACT;
    if (!leadingZero && before > whole) return NOT_EXACT;
    if (scale > 0) {
      if (bytes[end] !== POINT) return NOT_EXACT;
      end += 1;
      const point = end;
      digits(point + scale);
      if (end - point !== scale) return NOT_EXACT;
    }
    if (!isDelimiter(bytes[end]) || (negative && any === 0)) return NOT_EXACT;
    if (before + scale <= SAFE_DIGITS) {
      if (negative) value = -value;
      if (kind === 'decimal32') into.add32(value);
      else if (kind === 'decimal64') into.addSafe64(value);
      else into.add128(BigInt(value));
      return end;
    }
    const big = BigInt(bytes.toString('latin1', at, end).replace('.', ''));
    if (kind === 'decimal128') into.add128(big);
    else into.addBigInt64(big);
    return end;
  };
}

const FLOAT = /^(?:-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?|-?[1-9](?:\.\d*[1-9])?e[+-]\d{2,3}|NaN|-?Infinity)$/;

/** Floating-point numbers. */
export function floatParser(add: (into: ColumnValues, value: number) => void): FieldParser {
  return (bytes, at, into) => {
    let end = at;
    while (!isDelimiter(bytes[end])) end += 1;
    const text = bytes.toString('latin1', at, end);
    if (!FLOAT.test(text)) return NOT_EXACT;
    add(into, Number(text));
    return end;
  };
}
