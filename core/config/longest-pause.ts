import { CRON_FIELDS, fieldsOf, valuesOf } from './cron-fields.ts';

interface Day {
  readonly day: number;
  readonly month: number;
  /** 1 is Sunday. */
  readonly weekday: number;
  /** How many days its month has. */
  readonly days: number;
}

const DAY_MS = 24 * 60 * 60_000;

/** In 28 years each date falls on each day of the week, leap days too; from 2029 on they are the same again, until 2100. */
const CALENDAR: readonly Day[] = Array.from({ length: 28 * 365 + 7 }, (_, index) => {
  const date = new Date(Date.UTC(2001, 0, 1) + index * DAY_MS);
  const month = date.getUTCMonth() + 1;
  const days = new Date(Date.UTC(date.getUTCFullYear(), month, 0)).getUTCDate();
  return { day: date.getUTCDate(), month, weekday: date.getUTCDay() + 1, days };
});

/**
 * The most days between two starts of an expression, counted from a calendar; 1 where it starts more often. The year is not looked
 * at. 0 where no day has a start, which `scheduleExpression` refuses.
 */
export function longestPauseDays(expression: string): number {
  const [, count = '', unit = ''] = /^rate\((\d+) (\w+?)s?\)$/.exec(expression) ?? [];
  if (count !== '')
    return unit === 'day' ? Number(count) : Math.max(1, Number(count) / (unit === 'hour' ? 24 : 1440));
  const isStart = startsOf(expression);
  const first = CALENDAR.findIndex(isStart);
  if (first === -1) return 0;
  let last = first;
  let longest = 0;
  for (const [index, day] of CALENDAR.entries()) {
    if (!isStart(day)) continue;
    longest = Math.max(longest, index - last);
    last = index;
  }
  return Math.max(longest, first + CALENDAR.length - last);
}

/** Whether a day has a start. */
function startsOf(expression: string): (day: Day) => boolean {
  const [, , dayOfMonth = '', month = '', dayOfWeek = ''] = fieldsOf(expression);
  const [days, months, weekdays] = [dayOfMonth, month, dayOfWeek].map((text, n) => {
    const field = CRON_FIELDS[2 + n];
    return field === undefined ? null : valuesOf(text, field);
  });
  const isDay =
    dayOfMonth === '?'
      ? (day: Day) => weekdays?.has(day.weekday) ?? isSpecialWeekday(dayOfWeek, day)
      : (day: Day) => days?.has(day.day) ?? isSpecialDay(dayOfMonth, day);
  return (day) => months?.has(day.month) === true && isDay(day);
}

/** `L` is the last day of the month, `LW` its last weekday, `15W` the weekday nearest to the 15th in the same month. */
function isSpecialDay(text: string, { day, weekday, days }: Day): boolean {
  if (text === 'L') return day === days;
  const wanted = text === 'LW' ? days : Number.parseInt(text, 10);
  if (wanted > days) return false;
  const weekdayOfWanted = (((weekday - 1 + wanted - day) % 7) + 7) % 7;
  if (weekdayOfWanted === 6) return day === (wanted > 1 ? wanted - 1 : wanted + 2);
  if (weekdayOfWanted === 0) return day === (wanted < days ? wanted + 1 : wanted - 2);
  return day === wanted;
}

/** `L` is Saturday, `6L` the last Friday of the month, `6#2` the second one. */
function isSpecialWeekday(text: string, { day, weekday, days }: Day): boolean {
  if (text === 'L') return weekday === 7;
  const [wanted, nth] = text.split('#').map((part) => Number.parseInt(part, 10));
  return weekday === wanted && (nth === undefined ? day + 7 > days : Math.ceil(day / 7) === nth);
}
