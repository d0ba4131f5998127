/** Rounds of a measurement, of which the median counts. */
export const ROUNDS = 5;

/** The middle of the values, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/** Seconds that `work` takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/**
 * Values of several kinds, gathered round by round. Ratios are taken within a round and then their median, so that a
 * machine that is slower for a while slows both sides.
 */
export class Samples {
  readonly #values = new Map<string, number[]>();

  add(kind: string, value: number): number {
    this.#values.set(kind, [...this.of(kind), value]);
    return value;
  }

  async time(kind: string, work: () => Promise<unknown>): Promise<number> {
    return this.add(kind, await seconds(work));
  }

  of(kind: string): readonly number[] {
    return this.#values.get(kind) ?? [];
  }

  median(kind: string): number {
    return median(this.of(kind));
  }

  ratio(kind: string, against: string): number {
    const others = this.of(against);
    return median(this.of(kind).map((value, round) => value / (others[round] ?? NaN)));
  }

  /** The median, with the least and the most beside it. */
  show(kind: string, digits = 2): string {
    const values = this.of(kind);
    const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)];
    return `${middle.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
  }
}
