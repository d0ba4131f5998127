import { CRON_FIELDS, fieldsOf, valuesOf } from './cron-fields.ts';

interface Day {
  readonly day: number;
  readonly month: number;
  /** 1 is Sunday. */
  readonly weekday: number;
  /** How many days its month has. */
  readonly days: number;
}

let calendar: readonly Day[] | undefined;

/** In 28 years each date falls on each day of the week, leap days too; from 2029 on they are the same again, until 2100. */
function* makeCalendar(): Generator<Day> {
  // 1 January 2001 was a Monday.
  let weekday = 2;
  for (let year = 2001; year <= 2028; year += 1) {
    for (let month = 1; month <= 12; month += 1) {
      const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
      for (let day = 1; day <= days; day += 1) {
        yield { day, month, weekday, days };
        weekday = (weekday % 7) + 1;
      }
    }
  }
}

/**
 * The most days between two starts of an expression, counted from a calendar; 1 where it starts more often. The year is not looked
 * at. 0 where no day has a start, which `scheduleExpression` refuses.
 */
export function longestPauseDays(expression: string): number {
  const [, count = '', unit = ''] = /^rate\((\d+) (\w+?)s?\)$/.exec(expression) ?? [];
  if (count !== '')
    return unit === 'day' ? Number(count) : Math.max(1, Number(count) / (unit === 'hour' ? 24 : 1440));
  const isStart = startsOf(expression);
  // Made at the first question: what only loads this module does without it.
  const days = (calendar ??= [...makeCalendar()]);
  const starts = days.flatMap((day, index) => (isStart(day) ? [index] : []));
  const [first] = starts;
  if (first === undefined) return 0;
  return Math.max(...starts.map((start, n) => (starts[n + 1] ?? first + days.length) - start));
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
