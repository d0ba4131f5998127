const NUMBER = /^-?\d+(\.\d+)?$/;
/** What PostgreSQL prints under the pins, and what a person writes: the time, its offset and all but the year may be left out. */
const TIME =
  /^(\d{4,6})(?:-(\d{2})(?:-(\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(Z|[+-]\d{2}(?::?\d{2})?)?)?)?)?( BC)?$/;

/**
 * A bound of a partition as a number that others of its kind can be compared with: milliseconds since 1970 for a time,
 * the number itself for an id, with every digit where it is an integer. `null` for what cannot be compared, such as an infinity.
 */
export function parseBound(kind: 'time' | 'id', text: string): number | bigint | null {
  if (kind === 'id') {
    if (!NUMBER.test(text)) return null;
    return text.includes('.') ? Number(text) : BigInt(text);
  }
  const parts = TIME.exec(text);
  // A number of more digits is an epoch, unless a month follows it.
  if (parts !== null && (parts[1]?.length === 4 || parts[2] !== undefined)) {
    const [, year = '', month = '01', day = '01', time = '00:00', offset = 'Z', era] = parts;
    const astronomical = era === undefined ? Number(year) : 1 - Number(year);
    // Date.parse() takes 30 February for 2 March.
    if (Number(day) > daysIn(astronomical, Number(month))) return null;
    const milliseconds = Date.parse(
      `${isoYear(astronomical)}-${month}-${day}T${time}${offset === 'Z' ? 'Z' : fullOffset(offset)}`,
    );
    return Number.isNaN(milliseconds) ? null : milliseconds;
  }
  return NUMBER.test(text) ? epochMilliseconds(Number(text)) : null;
}

/** As ISO 8601 counts: the year before 1 is 0, and years of other than four digits have a sign and six. */
function isoYear(astronomical: number): string {
  if (astronomical >= 0 && astronomical <= 9999) return String(astronomical).padStart(4, '0');
  return `${astronomical < 0 ? '-' : '+'}${String(Math.abs(astronomical)).padStart(6, '0')}`;
}

/** Days of a month; the calendar repeats every 400 years. */
const daysIn = (year: number, month: number): number =>
  new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();

const fullOffset = (offset: string): string => (/^[+-]\d{2}$/.test(offset) ? `${offset}:00` : offset);

/**
 * A bound of an epoch set: whole seconds, milliseconds, microseconds or nanoseconds since 1970. Which of them it is, its
 * size tells: up to the year 5138 a count of seconds has at most eleven digits, and from 1973 on one of milliseconds
 * has more.
 */
function epochMilliseconds(count: number): number {
  const size = Math.abs(count);
  if (size < 1e11) return count * 1e3;
  if (size < 1e14) return count;
  return size < 1e17 ? count / 1e3 : count / 1e6;
}
