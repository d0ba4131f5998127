import type { Environment } from './environment.ts';

/** One row of results.json. */
export interface ResultRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Such as `<= 1.5`, or `shown` where there is nothing to reach. */
  readonly goal: string;
  readonly met: boolean;
}

/** What a case found: its rows, and Markdown with the figures behind them. */
export interface Outcome {
  readonly rows: readonly ResultRow[];
  readonly figures: string;
}

/** One or several rows that are measured together. */
export interface Case {
  readonly names: readonly string[];
  /** Needs no set of narrow or wide rows: they take a minute to make. */
  readonly withoutSets?: true;
  readonly run: (environment: Environment) => Promise<Outcome>;
}

/** A row with an upper limit. */
export function atMost(name: string, value: number, limit: number, unit = '×'): ResultRow {
  return { name, value: rounded(value), unit, goal: `<= ${limit}`, met: rounded(value) <= limit };
}

/** A row that is only shown. */
export function shown(name: string, value: number, unit: string): ResultRow {
  return { name, value: rounded(value), unit, goal: 'shown', met: true };
}

const rounded = (value: number): number => Number(value.toPrecision(3));

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
