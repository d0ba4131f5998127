import { ArchiverError } from '../errors.ts';
import { dateOf } from './calendar.ts';
import type { CopyColumn } from './parquet-map.ts';
import { float4Text, float8Text } from './pg-float.ts';
import { byteas, texts } from './pg-bytes.ts';
import type { CellRenderer, RawValues } from './raw-values.ts';
import type { TextBuffer } from './text-buffer.ts';

/** Room for any value of fixed width. */
const LONGEST_FIXED = 64;
const SAFE_HIGH = 2 ** 21;

/** A renderer over these values. `CopyNotProven` where they are not of the kind that the column should have. */
export function rendererOf(column: CopyColumn, values: RawValues): CellRenderer {
  // Of a page of NULLs.
  if (values.length === 0) return () => undefined;
  switch (column.kind) {
    case 'boolean':
      if (Array.isArray(values)) return booleans(values as readonly boolean[]);
      break;
    case 'int16':
    case 'int32':
      if (values instanceof Int32Array) return integers(values);
      break;
    case 'date':
      if (values instanceof Int32Array) return dates(values);
      break;
    case 'decimal32':
      if (values instanceof Int32Array) return decimals32(values, column.scale);
      break;
    case 'int64':
      if (values instanceof BigInt64Array) return decimals64(values, 0);
      break;
    case 'decimal64':
      if (values instanceof BigInt64Array) return decimals64(values, column.scale);
      break;
    case 'timestamp':
    case 'timestamptz':
      if (values instanceof BigInt64Array) return timestamps(values, column.kind === 'timestamptz');
      break;
    case 'decimal128':
      if (Array.isArray(values)) return decimals128(values as readonly Uint8Array[], column.scale);
      break;
    case 'float':
      if (values instanceof Float32Array) return floats(values, float4Text);
      break;
    case 'double':
      if (values instanceof Float64Array) return floats(values, float8Text);
      break;
    case 'bytea':
      if ('starts' in values) return byteas(values);
      break;
    case 'text':
      if ('starts' in values) return texts(values);
  }
  throw new ArchiverError('CopyNotProven', `a column of kind ${column.kind} was read back as something else`);
}

const booleans =
  (values: readonly boolean[]): CellRenderer =>
  (index, out) => {
    out.room(1);
    out.bytes[out.at++] = values[index] === true ? 0x74 : 0x66;
  };

const integers =
  (values: Int32Array): CellRenderer =>
  (index, out) => {
    out.room(LONGEST_FIXED);
    out.integer(values[index] ?? 0);
  };

const floats =
  (values: Float32Array | Float64Array, text: (value: number) => string): CellRenderer =>
  (index, out) => {
    out.ascii(text(values[index] ?? 0));
  };

const decimals32 =
  (values: Int32Array, scale: number): CellRenderer =>
  (index, out) => {
    out.room(LONGEST_FIXED);
    decimal(values[index] ?? 0, scale, 10 ** scale, out);
  };

/** Low and high halves of values of 64 bits: reading them as `bigint` would make an object of each. */
const halves = (values: BigInt64Array): Int32Array =>
  new Int32Array(values.buffer, values.byteOffset, values.length * 2);

const decimals64 = (values: BigInt64Array, scale: number): CellRenderer => {
  const words = halves(values);
  const unit = 10 ** scale;
  return (index, out) => {
    const high = words[index * 2 + 1] ?? 0;
    out.room(LONGEST_FIXED);
    if (high < SAFE_HIGH && high >= -SAFE_HIGH) {
      decimal(high * 4_294_967_296 + ((words[index * 2] ?? 0) >>> 0), scale, unit, out);
    } else out.ascii(bigDecimal(values[index] ?? 0n, scale));
  };
};

const decimals128 =
  (values: readonly Uint8Array[], scale: number): CellRenderer =>
  (index, out) => {
    let value = 0n;
    for (const byte of values[index] ?? []) value = (value << 8n) | BigInt(byte);
    out.ascii(bigDecimal(BigInt.asIntN(128, value), scale));
  };

/** A whole number of at most 53 bits, and how many of its digits stand behind the point. */
function decimal(value: number, scale: number, unit: number, out: TextBuffer): void {
  if (scale === 0) {
    out.integer(value);
    return;
  }
  let rest = value;
  if (rest < 0) {
    out.bytes[out.at++] = 0x2d;
    rest = -rest;
  }
  const whole = Math.floor(rest / unit);
  out.integer(whole);
  out.bytes[out.at++] = 0x2e;
  fraction(rest - whole * unit, scale, out);
}

function fraction(value: number, digits: number, out: TextBuffer): void {
  if (digits > 9) {
    const high = Math.floor(value / 1e9);
    fraction(high, digits - 9, out);
    out.padded(value - high * 1e9, 9);
  } else out.padded(value, digits);
}

function bigDecimal(value: bigint, scale: number): string {
  const sign = value < 0n ? '-' : '';
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

const dates =
  (values: Int32Array): CellRenderer =>
  (index, out) => {
    out.room(LONGEST_FIXED);
    date(values[index] ?? 0, out);
  };

let lastDays = Number.NaN;
let lastDate = 0;

function date(days: number, out: TextBuffer): void {
  if (days !== lastDays) {
    lastDate = dateOf(days);
    lastDays = days;
  }
  if (lastDate < 10_000 || lastDate > 99_999_999) {
    throw new ArchiverError('CopyNotProven', 'a date that was read back lies outside of the years 1 to 9999');
  }
  const monthAndDay = lastDate % 10_000;
  out.padded((lastDate - monthAndDay) / 10_000, 4);
  out.bytes[out.at++] = 0x2d;
  out.padded((monthAndDay / 100) | 0, 2);
  out.bytes[out.at++] = 0x2d;
  out.padded(monthAndDay % 100, 2);
}

const timestamps = (values: BigInt64Array, withZone: boolean): CellRenderer => {
  const words = halves(values);
  return (index, out) => {
    out.room(LONGEST_FIXED);
    // 2^32 = 4,294 * 1,000,000 + 967,296, so that nothing exceeds 2^53.
    const high = words[index * 2 + 1] ?? 0;
    const rest = high * 967_296 + ((words[index * 2] ?? 0) >>> 0);
    const carried = Math.floor(rest / 1_000_000);
    const micros = rest - carried * 1_000_000;
    const seconds = high * 4_294 + carried;
    const days = Math.floor(seconds / 86_400);
    const ofDay = seconds - days * 86_400;
    date(days, out);
    out.bytes[out.at++] = 0x20;
    const hours = (ofDay / 3600) | 0;
    out.padded(hours, 2);
    out.bytes[out.at++] = 0x3a;
    const minutes = ((ofDay - hours * 3600) / 60) | 0;
    out.padded(minutes, 2);
    out.bytes[out.at++] = 0x3a;
    out.padded(ofDay - hours * 3600 - minutes * 60, 2);
    if (micros > 0) {
      out.bytes[out.at++] = 0x2e;
      out.padded(micros, 6);
      while (out.bytes[out.at - 1] === 0x30) out.at -= 1;
    }
    if (withZone) {
      out.bytes[out.at++] = 0x2b;
      out.bytes[out.at++] = 0x30;
      out.bytes[out.at++] = 0x30;
    }
  };
};
