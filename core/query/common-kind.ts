import type { CopyColumn } from './parquet-map.ts';

/** How values of a column are held in one archive. */
export type Held = Pick<CopyColumn, 'kind' | 'precision' | 'scale'>;

/** Most digits of the integers. */
const DIGITS: Readonly<Record<string, number>> = { int16: 5, int32: 10, int64: 19 };
const MOST_DIGITS = 38;

/**
 * A kind of number that holds the values of all, each exactly: `bigint` where a column was `integer` before. `null` where there
 * is none, or the kinds are no numbers.
 */
export function commonNumber(all: readonly Held[]): Held | null {
  const [first, ...others] = all;
  if (first === undefined) return null;
  return others.reduce<Held | null>((common, each) => common && widerOf(common, each), first);
}

function widerOf(a: Held, b: Held): Held | null {
  if (a.kind === b.kind && !a.kind.startsWith('decimal')) return a.kind in DIGITS || isFloat(a) ? a : null;
  if (isFloat(a) && isFloat(b)) return { kind: 'double', precision: 0, scale: 0 };
  const [left, right] = [digitsOf(a), digitsOf(b)];
  if (left === null || right === null) return null;
  if (a.kind in DIGITS && b.kind in DIGITS) return left.whole > right.whole ? a : b;
  const scale = Math.max(left.scale, right.scale);
  const precision = Math.max(left.whole, right.whole) + scale;
  return precision > MOST_DIGITS ? null : { kind: 'decimal128', precision, scale };
}

const isFloat = ({ kind }: Held): boolean => kind === 'float' || kind === 'double';

/** Digits before and behind the point; `null` of what is no exact number. */
function digitsOf({
  kind,
  precision,
  scale,
}: Held): { readonly whole: number; readonly scale: number } | null {
  const digits = DIGITS[kind];
  if (digits !== undefined) return { whole: digits, scale: 0 };
  return kind.startsWith('decimal') ? { whole: precision - scale, scale } : null;
}
