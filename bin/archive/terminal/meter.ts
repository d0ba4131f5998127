import { counted } from '../../../core/counted.ts';

/** What a piece of work adds: rows, and bytes of their text. */
export interface Amount {
  readonly rows?: number;
  readonly bytes?: number;
}

/** Before this, a guess of the time that is left says nothing. */
const LEAST_ELAPSED_MS = 2_000;

/**
 * How far a command is. Work is measured in units that each command chooses (bytes of tables, rows of archives), of which
 * the total may grow while it runs.
 */
export class Meter {
  readonly #now: () => number;
  readonly #began: number;
  #what = '';
  #total = 0;
  #done = 0;
  #rows = 0;
  #bytes = 0;

  /** @param now time in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#began = now();
  }

  /** Names what is being done. */
  does(what: string): void {
    this.#what = what;
  }

  /** Adds work that is to be done. */
  expect(units: number): void {
    this.#total += units;
  }

  /** Adds work that is done. */
  add(units: number, { rows = 0, bytes = 0 }: Amount = {}): void {
    this.#done = Math.min(this.#total, this.#done + units);
    this.#rows += rows;
    this.#bytes += bytes;
  }

  /** Work that is done, of all that is known. */
  get done(): number {
    return this.#done;
  }

  /** The line for the terminal; `null` while there is nothing to tell. */
  line(): string | null {
    if (this.#what === '') return null;
    const parts = [this.#what];
    if (this.#total > 0) parts.push(`${Math.floor((100 * this.#done) / this.#total)} %`);
    if (this.#rows > 0) parts.push(counted(this.#rows, 'row', (rows) => rows.toLocaleString('en-US')));
    if (this.#bytes > 0) parts.push(showBytes(this.#bytes));
    const left = this.#leftMs();
    if (left !== null) parts.push(`${showDuration(left)} left`);
    return parts.join('  ');
  }

  #leftMs(): number | null {
    const elapsed = this.#now() - this.#began;
    if (this.#done === 0 || this.#done >= this.#total || elapsed < LEAST_ELAPSED_MS) return null;
    return (elapsed * (this.#total - this.#done)) / this.#done;
  }
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes with three significant digits. */
export function showBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${UNITS[power]}`;
}

/** A time in its largest units: `45 s`, `12 min`, `3 h 20 min`. */
export function showDuration(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
