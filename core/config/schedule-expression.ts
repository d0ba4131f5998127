import { matching } from './fields.ts';

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** Words in place of numbers, the first one for `least`. */
  readonly words?: readonly string[];
  /** What the field may be besides. */
  readonly special?: RegExp;
}

/** The fields of a cron expression (EventBridge Scheduler User Guide, "Schedule types"). */
const FIELDS: readonly Field[] = [
  { name: 'minutes', least: 0, most: 59 },
  { name: 'hours', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31, special: /^(\?|L|LW|([1-9]|[12]\d|3[01])W)$/ },
  { name: 'month', least: 1, most: 12, words: MONTHS },
  { name: 'day of the week', least: 1, most: 7, words: DAYS, special: /^(\?|L|[1-7]L|[1-7]#[1-5])$/ },
  { name: 'year', least: 1970, most: 2199 },
];

/** An expression of EventBridge Scheduler, such as `cron(0 3 1 * ? *)` or `rate(1 day)`. */
export const scheduleExpression = matching(
  /^(rate\([1-9]\d* (minutes?|hours?|days?)\)|cron\(\S+ \S+ \S+ \S+ \S+ \S+\))$/,
  'must be an EventBridge Scheduler expression such as cron(0 3 1 * ? *)',
).superRefine((expression, context) => {
  for (const message of cronProblems(expression)) context.addIssue({ code: 'custom', message });
});

/** Days between two starts: as many as there can be, or a few more. A year where only some months have starts. */
export function longestPauseDays(expression: string): number {
  const [, count = '', unit = ''] = /^rate\((\d+) (\w+?)s?\)$/.exec(expression) ?? [];
  if (count !== '')
    return unit === 'day' ? Number(count) : Math.max(1, Number(count) / (unit === 'hour' ? 24 : 1440));
  const [, , dayOfMonth = '', month = '', dayOfWeek = ''] = fieldsOf(expression);
  if (month !== '*') return 366;
  if (dayOfMonth === '*' || dayOfWeek === '*') return 1;
  return dayOfMonth === '?' ? pauseOfWeekdays(dayOfWeek) : pauseOfDays(dayOfMonth);
}

/** Most months have no fifth Friday; of `6#1` and `6L`, two lie five weeks apart at most. */
function pauseOfWeekdays(dayOfWeek: string): number {
  if (dayOfWeek.endsWith('#5')) return 119;
  return /#|\dL$/.test(dayOfWeek) ? 35 : 7;
}

/** Not every month has the days after the 28th. The nearest weekday (`W`) lies at most two days from its day. */
function pauseOfDays(dayOfMonth: string): number {
  const firstDay = Math.min(...dayOfMonth.split(',').map((part) => Number.parseInt(part, 10) || 1));
  return (firstDay > 28 ? 61 : 31) + (dayOfMonth.endsWith('W') ? 2 : 0);
}

function fieldsOf(expression: string): string[] {
  return (/^cron\((.*)\)$/.exec(expression)?.[1] ?? '').split(' ');
}

function cronProblems(expression: string): string[] {
  const fields = fieldsOf(expression);
  if (fields.length !== FIELDS.length) return [];
  const problems = FIELDS.flatMap((field, index) => {
    const text = fields[index] ?? '';
    return isField(text, field) ? [] : [`has ${JSON.stringify(text)} for ${field.name}`];
  });
  const [, , dayOfMonth, , dayOfWeek] = fields;
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    problems.push('must have ? for either the day of the month or the day of the week, and not for both');
  }
  return problems;
}

function isField(text: string, { least, most, words = [], special }: Field): boolean {
  if (special?.test(text) === true) return true;
  const valueOf = (part: string): number =>
    words.includes(part) ? words.indexOf(part) + least : /^\d+$/.test(part) ? Number(part) : Number.NaN;
  return text.split(',').every((part) => {
    const [range = '', step, ...more] = part.split('/');
    if (more.length > 0 || (step !== undefined && !(/^\d+$/.test(step) && Number(step) > 0))) return false;
    if (range === '*') return true;
    const bounds = range.split('-').map(valueOf);
    return bounds.length <= 2 && bounds.every((bound) => bound >= least && bound <= most);
  });
}
