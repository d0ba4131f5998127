/** The fields of a cron expression, as EventBridge Scheduler reads them. */
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** One of the six. */
export interface CronField {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** Words in place of numbers, the first one for `least`. */
  readonly words?: readonly string[];
  /** What the field may be besides. */
  readonly special?: RegExp;
}

/** The fields of a cron expression (EventBridge Scheduler User Guide, "Schedule types"). */
export const CRON_FIELDS: readonly CronField[] = [
  { name: 'minutes', least: 0, most: 59 },
  { name: 'hours', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31, special: /^(\?|L|LW|([1-9]|[12]\d|3[01])W)$/ },
  { name: 'month', least: 1, most: 12, words: MONTHS },
  { name: 'day of the week', least: 1, most: 7, words: DAYS, special: /^(\?|L|[1-7]L|[1-7]#[1-5])$/ },
  { name: 'year', least: 1970, most: 2199 },
];

/** The texts of the fields of `cron(…)`; a single empty one of any other expression. */
export function fieldsOf(expression: string): string[] {
  return (/^cron\((.*)\)$/.exec(expression)?.[1] ?? '').split(' ');
}

/** The numbers that a field such as `1-5,10/5` stands for; `null` where it is no field. A range may run past the end (`FRI-MON`). */
export function valuesOf(text: string, { least, most, words = [] }: CronField): ReadonlySet<number> | null {
  const valueOf = (part: string): number =>
    words.includes(part) ? words.indexOf(part) + least : /^\d+$/.test(part) ? Number(part) : Number.NaN;
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step, ...more] = part.split('/');
    if (more.length > 0 || (step !== undefined && !(/^\d+$/.test(step) && Number(step) > 0))) return null;
    const [from = Number.NaN, to = step === undefined ? from : most, ...others] =
      range === '*' ? [least, most] : range.split('-').map(valueOf);
    if (others.length > 0 || ![from, to].every((bound) => bound >= least && bound <= most)) return null;
    const size = most - least + 1;
    for (let value = from; value <= (to < from ? to + size : to); value += Number(step ?? 1))
      values.add(value > most ? value - size : value);
  }
  return values;
}
