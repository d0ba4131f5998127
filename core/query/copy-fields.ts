import { daysOf } from './calendar.ts';
import { decimalParser, floatParser, integerParser } from './copy-numbers.ts';
import { isDelimiter, NOT_EXACT, type FieldParser } from './field-parser.ts';
import type { CopyColumn, ValueKind } from './parquet-map.ts';

const TAB = 0x09;
const NEWLINE = 0x0a;
const MINUS = 0x2d;
const POINT = 0x2e;
const COLON = 0x3a;
const SPACE = 0x20;
const PLUS = 0x2b;
const ZERO = 0x30;
const BACKSLASH = 0x5c;

/** Copying byte by byte is faster than a call up to about this length. */
const SHORT = 48;

/** The parser of a column. */
export function parserOf(column: Pick<CopyColumn, 'kind' | 'precision' | 'scale'>): FieldParser {
  if (column.kind.startsWith('decimal')) return decimalParser(column);
  return PARSERS[column.kind];
}

const twoDigits = (bytes: Buffer, at: number): number => {
  const tens = (bytes[at] ?? 0) - ZERO;
  const ones = (bytes[at + 1] ?? 0) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
};

/** Days since 1970 of `YYYY-MM-DD`; `NaN` where it is another year than 1 to 9999, or no date. */
function daysAt(bytes: Buffer, at: number): number {
  if (bytes[at + 4] !== MINUS || bytes[at + 7] !== MINUS) return Number.NaN;
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2);
  if (!(year >= 1)) return Number.NaN;
  return daysOf(year, twoDigits(bytes, at + 5), twoDigits(bytes, at + 8));
}

const date: FieldParser = (bytes, at, into) => {
  const days = daysAt(bytes, at);
  if (Number.isNaN(days) || !isDelimiter(bytes[at + 10])) return NOT_EXACT;
  into.add32(days);
  return at + 10;
};

function timestampParser(withZone: boolean): FieldParser {
  return (bytes, at, into) => {
    const days = daysAt(bytes, at);
    if (bytes[at + 10] !== SPACE || bytes[at + 13] !== COLON || bytes[at + 16] !== COLON) return NOT_EXACT;
    const hours = twoDigits(bytes, at + 11);
    const minutes = twoDigits(bytes, at + 14);
    const seconds = twoDigits(bytes, at + 17);
    if (Number.isNaN(days) || !(hours <= 23 && minutes <= 59 && seconds <= 59)) return NOT_EXACT;
    let end = at + 19;
    let micros = 0;
    if (bytes[end] === POINT) {
      end += 1;
      let unit = 100_000;
      for (; unit >= 1; unit = unit === 1 ? 0 : unit / 10) {
        const digit = (bytes[end] ?? 0) - ZERO;
        if (!(digit >= 0 && digit <= 9)) break;
        micros += digit * unit;
        end += 1;
      }
      // PostgreSQL writes no zeros at the end.
      if (bytes[end - 1] === ZERO || bytes[end - 1] === POINT) return NOT_EXACT;
    }
    if (withZone) {
      if (bytes[end] !== PLUS || bytes[end + 1] !== ZERO || bytes[end + 2] !== ZERO) return NOT_EXACT;
      end += 3;
    }
    if (!isDelimiter(bytes[end])) return NOT_EXACT;
    // The product with 1,000,000 = 15,625 * 2^6 is beyond 2^53: its upper and lower half are made apart.
    const scaled = ((days * 24 + hours) * 3600 + minutes * 60 + seconds) * 15_625;
    const high = Math.floor(scaled / 67_108_864);
    const low = (scaled - high * 67_108_864) * 64 + micros;
    if (low < 4_294_967_296) into.add64(low, high);
    else into.add64(low - 4_294_967_296, high + 1);
    return end;
  };
}

const hexDigit = (byte: number | undefined): number => {
  if (byte === undefined || byte < ZERO) return Number.NaN;
  if (byte <= 0x39) return byte - ZERO;
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : Number.NaN;
};

const bytea: FieldParser = (bytes, at, into) => {
  if (bytes[at] !== BACKSLASH || bytes[at + 1] !== BACKSLASH || bytes[at + 2] !== 0x78) return NOT_EXACT;
  let end = at + 3;
  while (!isDelimiter(bytes[end])) end += 1;
  const length = (end - at - 3) / 2;
  if (!Number.isInteger(length)) return NOT_EXACT;
  let to = into.reserve(length);
  const { bytes: target } = into;
  for (let from = at + 3; from < end; from += 2) {
    const value = hexDigit(bytes[from]) * 16 + hexDigit(bytes[from + 1]);
    if (Number.isNaN(value)) return NOT_EXACT;
    target[to++] = value;
  }
  into.addReserved(to);
  return end;
};

/** What stands behind a backslash, by its byte: 0 where COPY never writes it. */
const ESCAPED = new Uint8Array(256);
for (const [letter, byte] of Object.entries({ b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '\\': 92 })) {
  ESCAPED[letter.charCodeAt(0)] = byte;
}

const text: FieldParser = (bytes, at, into) => {
  let end = at;
  let escapes = false;
  for (let byte = bytes[end]; byte !== TAB && byte !== NEWLINE; byte = bytes[++end]) {
    if (byte === BACKSLASH) escapes = true;
  }
  let to = into.reserve(end - at);
  const { bytes: target } = into;
  if (escapes) {
    for (let from = at; from < end; from += 1) {
      let byte = bytes[from] ?? 0;
      if (byte === BACKSLASH) {
        byte = ESCAPED[bytes[++from] ?? 0] ?? 0;
        if (byte === 0) return NOT_EXACT;
      }
      target[to++] = byte;
    }
  } else if (end - at <= SHORT) {
    for (let from = at; from < end; from += 1) target[to++] = bytes[from] ?? 0;
  } else {
    target.set(bytes.subarray(at, end), to);
    to += end - at;
  }
  into.addReserved(to);
  return end;
};

const PARSERS: Readonly<Record<ValueKind, FieldParser>> = {
  boolean: (bytes, at, into) => {
    const value = bytes[at];
    if ((value !== 0x74 && value !== 0x66) || !isDelimiter(bytes[at + 1])) return NOT_EXACT;
    into.add32(value === 0x74 ? 1 : 0);
    return at + 1;
  },
  int16: integerParser(-32_768n, 32_767n, false),
  int32: integerParser(-2_147_483_648n, 2_147_483_647n, false),
  int64: integerParser(-(2n ** 63n), 2n ** 63n - 1n, true),
  float: floatParser((into, value) => into.addFloat(value)),
  double: floatParser((into, value) => into.addDouble(value)),
  decimal32: () => NOT_EXACT,
  decimal64: () => NOT_EXACT,
  decimal128: () => NOT_EXACT,
  date,
  timestamp: timestampParser(false),
  timestamptz: timestampParser(true),
  bytea,
  text,
};

/** Why a field is not exact in its kind, in words that show nothing of the value. */
export function reasonOf(field: string): string {
  if (/^-?infinity$/i.test(field)) return 'a value is infinite';
  if (field === 'NaN') return 'a value is NaN';
  if (field.endsWith(' BC')) return 'a value is before the year 1';
  if (/^\d{5,}-\d\d-\d\d/.test(field)) return 'a value is after the year 9999';
  return 'a value is not written as PostgreSQL writes this type';
}
