import { counted } from '../counted.ts';
import { PER_SECOND, type ControlKind, type TableFacts } from './inspect-table.ts';

/** Rows of one month, or of one range of numbers. */
export interface Period {
  /** `2021-03`, or the first number of the range. */
  readonly start: string;
  readonly rows: number;
  readonly bytes: number;
}

/** How the rows of a table spread over a column. */
export interface Distribution {
  readonly column: string;
  readonly kind: ControlKind;
  /** In order; those without rows are left out. */
  readonly periods: readonly Period[];
  /** Width of a range, for numbers. */
  readonly width: number | null;
  readonly rowsWithoutValue: number;
  readonly rowsAtInfinity: number;
  /** Share of the table that was read; 1 means that the counts are exact. */
  readonly sampled: number;
}

/** What `create_parent` and the retention could be, and why. */
export interface Proposal {
  readonly interval: string;
  readonly start: string;
  readonly premake: number;
  readonly partitions: number;
  readonly retention: string | null;
  readonly reasons: readonly string[];
}

/** What a retention would archive. */
export interface RetentionEffect {
  readonly retention: string;
  readonly rows: number;
  readonly bytes: number;
}

const GIB = 2 ** 30;
/** About twenty export calls: an hour or two for one partition, and one to restore. */
const LARGEST_PARTITION = 20 * GIB;
/** Below this, a partition a month is more catalog than table. */
const SMALLEST_YEAR = GIB / 10;
/** Planning time grows with the number of partitions. */
const MANY_PARTITIONS = 1000;
const RETENTIONS = [3, 6, 12, 24, 36, 60];

/** A number of rows, `1,234,567`. */
export const count = (rows: number): string => Math.round(rows).toLocaleString('en');

/** Months since the year 0 of `2021-03`. */
export const monthNumber = (start: string): number =>
  Number(start.slice(0, -3)) * 12 + Number(start.slice(-2)) - 1;

/** A month by its number, as `2021-03`. */
export const monthName = (month: number): string =>
  `${String(Math.floor(month / 12)).padStart(4, '0')}-${String((month % 12) + 1).padStart(2, '0')}`;

/** Every month from the first to the last one with rows, those without any as well. */
export function everyMonth(periods: readonly Period[]): readonly Period[] {
  const byMonth = new Map(periods.map((period) => [monthNumber(period.start), period]));
  const [first, last] = [Math.min(...byMonth.keys()), Math.max(...byMonth.keys())];
  if (periods.length === 0) return [];
  return Array.from({ length: last - first + 1 }, (_, index) => {
    return byMonth.get(first + index) ?? { start: monthName(first + index), rows: 0, bytes: 0 };
  });
}

/** What a partition takes of the server's lock table, which all its sessions share. */
export type LockFacts = Pick<TableFacts, 'locksEach' | 'lockRoom'>;

/** What *partition-table* refuses: its swap would take more than half of the lock table. */
function* lockReasons(partitions: number, { locksEach, lockRoom }: LockFacts): Generator<string> {
  const locks = partitions * locksEach;
  if (2 * locks <= lockRoom) return;
  yield `${count(partitions)} partitions need ${count(locks)} locks at once (${String(locksEach)} each), more than half of the ${count(lockRoom)} that the server has for all sessions: raise max_locks_per_transaction, or choose a wider interval or a later start`;
}

/** Interval, start, premake and retention for a table whose rows spread like this; `now` is a time of the database. */
export function propose(distribution: Distribution, now: Date, locks: LockFacts): Proposal | undefined {
  const { kind, periods } = distribution;
  const [first] = periods;
  const last = periods.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const proposal =
    kind === 'id' ? proposeNumbers(distribution, first, last) : proposeTimes(periods, first, last, now);
  return {
    ...proposal,
    reasons: [...proposal.reasons, ...lockReasons(proposal.partitions + proposal.premake, locks)],
  };
}

function proposeTimes(periods: readonly Period[], first: Period, last: Period, now: Date): Proposal {
  const months = monthNumber(last.start) - monthNumber(first.start) + 1;
  const recent = periods.filter(({ start }) => monthNumber(start) > monthNumber(last.start) - 12);
  const largest = Math.max(...recent.map(({ bytes }) => bytes));
  const year = recent.reduce((sum, { bytes }) => sum + bytes, 0);
  const size = `the largest month of the last year has ${showBytes(largest)}`;
  const reasons: string[] = [];
  let [interval, premake, partitions, start] = ['1 month', 4, months, `${first.start}-01`];
  if (largest > LARGEST_PARTITION * 30) {
    [interval, premake, partitions] = ['1 hour', 96, months * 730];
    reasons.push(
      `an hour a partition: ${size}`,
      'maintenance has to run daily to keep up with 96 in advance',
    );
  } else if (largest > LARGEST_PARTITION) {
    [interval, premake, partitions] = ['1 day', 40, months * 30];
    reasons.push(`a day a partition: ${size}`, '40 in advance last until the next monthly run');
  } else if (year < SMALLEST_YEAR && months > 36) {
    [interval, premake, start] = ['1 year', 2, `${first.start.slice(0, -3)}-01-01`];
    partitions = Math.ceil(months / 12) + 1;
    reasons.push(`a year a partition: the last year has only ${showBytes(year)}`);
  } else {
    reasons.push(`a month a partition: ${size}`);
  }
  if (partitions > MANY_PARTITIONS) {
    reasons.push(
      `these are ${counted(partitions, 'partition')}, which slows planning down: archive old rows first, or look at the outliers`,
    );
  }
  const young = monthNumber(first.start) > monthOf(now) - 12;
  reasons.push(
    young
      ? 'no row is older than a year, so there is no retention to propose'
      : 'how long rows are needed is for their users to say; 12 months is what many begin with',
  );
  return { interval, start, premake, partitions, retention: young ? null : '12 months', reasons };
}

const monthOf = (now: Date): number => now.getUTCFullYear() * 12 + now.getUTCMonth();

function proposeNumbers({ width, periods }: Distribution, first: Period, last: Period): Proposal {
  const rows = periods.reduce((sum, period) => sum + period.rows, 0);
  const bytes = periods.reduce((sum, period) => sum + period.bytes, 0);
  const span = Number(last.start) + (width ?? 1) - Number(first.start);
  // As many numbers as make a tenth of the largest partition, rounded down to a power of ten.
  const wanted = (span * LARGEST_PARTITION) / 10 / Math.max(bytes, 1);
  const interval = 10 ** Math.max(3, Math.floor(Math.log10(Math.min(wanted, Math.max(span, 1000)))));
  const start = Math.floor(Number(first.start) / interval) * interval;
  return {
    interval: String(interval),
    start: String(start),
    premake: 4,
    partitions: Math.ceil((Number(first.start) + span - start) / interval),
    retention: null,
    reasons: [
      `${String(interval)} numbers a partition: ${String(Math.round((rows / span) * 100))} of 100 numbers are in use, with ${showBytes(bytes / Math.max(rows, 1))} a row`,
      'the retention of numbers is a number too: rows that are that far below the highest one are archived',
    ],
  };
}

/** What is older than each of some retentions, whole months only, as pg_partman detaches them. */
export function retentionEffects({ kind, periods }: Distribution, now: Date): readonly RetentionEffect[] {
  if (kind === 'id') return [];
  return RETENTIONS.map((months) => {
    const old = periods.filter(({ start }) => monthNumber(start) < monthOf(now) - months);
    return {
      retention: `${String(months)} months`,
      rows: old.reduce((sum, { rows }) => sum + rows, 0),
      bytes: old.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  });
}

/** How many of a column's numbers make a second; 1 for times. */
export const perSecond = (kind: ControlKind): number =>
  kind === 'time' || kind === 'id' ? 1 : PER_SECOND[kind];

/** `12.3 MiB`. */
export function showBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power] ?? ''}`;
}
