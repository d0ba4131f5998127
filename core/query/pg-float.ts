/**
 * Floating-point numbers as PostgreSQL 12 and later write them with extra_float_digits = 1: the fewest digits that lie
 * strictly within the rounding interval (src/common/d2s.c and f2s.c). JavaScript also takes digits that lie on its edge,
 * and so differs in 0.6 % of random doubles and 1.6 % of random singles.
 */

/** PostgreSQL writes an exponent from this many digits before the point on. */
const DOUBLE_DIGITS = 15;
const SINGLE_DIGITS = 6;
/** Between these the edges of the interval are no short decimals, and JavaScript's digits are PostgreSQL's. */
const PLAIN_MIN = 1e-290;
const PLAIN_MAX = 2 ** 53;

const view = new DataView(new ArrayBuffer(8));

/** As `double precision` is written. */
export function float8Text(value: number): string {
  const special = specialText(value);
  if (special !== undefined) return special;
  const magnitude = Math.abs(value);
  if (magnitude >= PLAIN_MIN && magnitude < PLAIN_MAX) {
    const text = magnitude.toExponential();
    const exponentAt = text.indexOf('e');
    const digits = text.slice(0, exponentAt).replace('.', '');
    return layOut(digits, Number(text.slice(exponentAt + 1)), value < 0, DOUBLE_DIGITS);
  }
  view.setFloat64(0, magnitude);
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n);
  const [digits, exponent] = shortest(mantissa, (biased || 1) - 1075, fraction === 0n && biased > 1);
  return layOut(digits, exponent, value < 0, DOUBLE_DIGITS);
}

/** As `real` is written. */
export function float4Text(value: number): string {
  const special = specialText(value);
  if (special !== undefined) return special;
  view.setFloat32(0, Math.abs(value));
  const bits = view.getUint32(0);
  const biased = bits >>> 23;
  const fraction = bits & 0x7fffff;
  const mantissa = BigInt(biased === 0 ? fraction : fraction | 0x800000);
  const [digits, exponent] = shortest(mantissa, (biased || 1) - 150, fraction === 0 && biased > 1);
  return layOut(digits, exponent, value < 0, SINGLE_DIGITS);
}

function specialText(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return 'Infinity';
  if (value === -Infinity) return '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  return undefined;
}

/** `digits` with the point behind the first one, times ten to the `exponent`. */
function layOut(digits: string, exponent: number, negative: boolean, most: number): string {
  const sign = negative ? '-' : '';
  if (exponent < -4 || exponent >= most) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const power = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${digits.slice(0, 1)}${fraction}e${exponent < 0 ? '-' : '+'}${power}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return sign + digits.padEnd(exponent + 1, '0');
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/**
 * The fewest digits strictly between the neighbours' midpoints, and of those the ones nearest to the value.
 *
 * @param narrowBelow at a power of two the neighbour below is only half as far away
 */
function shortest(mantissa: bigint, exponent: number, narrowBelow: boolean): [string, number] {
  // Everything times four, so that the midpoints are whole numbers.
  let value = 4n * mantissa;
  let upper = value + 2n;
  let lower = value - (narrowBelow ? 1n : 2n);
  let denominator = 1n;
  if (exponent >= 2) {
    const shift = BigInt(exponent - 2);
    [value, upper, lower] = [value << shift, upper << shift, lower << shift];
  } else denominator = 1n << BigInt(2 - exponent);

  let power = Math.floor(Math.log10(Number(mantissa)) + exponent * Math.LOG10E * Math.LN2);
  const atLeast = (tens: number): boolean =>
    tens >= 0 ? value >= pow10(tens) * denominator : value * pow10(-tens) >= denominator;
  while (!atLeast(power)) power -= 1;
  while (atLeast(power + 1)) power += 1;

  for (let length = 1; ; length += 1) {
    const shift = power - length + 1;
    const scale = shift < 0 ? pow10(-shift) : 1n;
    const unit = shift < 0 ? denominator : denominator * pow10(shift);
    const [number, low, high] = [value * scale, lower * scale, upper * scale];
    const floor = number / unit;
    const twice = 2n * (number - floor * unit);
    const up = twice > unit || (twice === unit && (floor & 1n) === 1n);
    for (const candidate of up ? [floor + 1n, floor] : [floor, floor + 1n]) {
      const product = candidate * unit;
      if (product <= low || product >= high) continue;
      const digits = String(candidate);
      const carried = digits.length - length;
      return [digits.replace(/0+$/, ''), power + carried];
    }
  }
}

const POWERS: bigint[] = [];
const pow10 = (exponent: number): bigint => (POWERS[exponent] ??= 10n ** BigInt(exponent));
