import type { Lines } from '../support/invariant.ts';

/**
 * What a row may look like after all that was committed: lines in the form of the archive, and `null` where it may be
 * gone. More than one where it depends on the moment at which the partition was quarantined.
 */
export type Row = ReadonlySet<string | null>;

/** The rows that were committed, by id. Every id belongs to one writer, so nobody's order of commits matters. */
export class Model {
  readonly rows = new Map<string, Row>();

  constructor(lines: Lines = new Map()) {
    for (const line of lines.keys()) this.put(line);
  }

  put(line: string): void {
    this.rows.set(idOf(line), new Set([line]));
  }

  gone(id: string): void {
    this.rows.delete(id);
  }

  /** Each of these is right. */
  either(id: string, ...allowed: readonly (string | null)[]): void {
    this.rows.set(id, new Set(allowed));
  }
}

/** What is not as the model has it. */
export interface Differences {
  /** Committed, and nowhere. */
  readonly lost: readonly string[];
  /** Somewhere more than once. */
  readonly twice: readonly string[];
  /** There, but as it was never committed, or after its deletion was. */
  readonly wrong: readonly string[];
}

/** Compares the rows that were found with those that must be there. */
export function judgeRows(models: readonly Model[], found: readonly Lines[]): Differences {
  const allowed = new Map(models.flatMap(({ rows }) => [...rows]));
  const present = new Map<string, string[]>();
  for (const lines of found) {
    for (const [line, times] of lines) {
      const here = present.get(idOf(line)) ?? [];
      for (let time = 0; time < times; time += 1) here.push(line);
      present.set(idOf(line), here);
    }
  }
  const ids = [...allowed.keys()];
  const isAllowed = (id: string, line: string): boolean => allowed.get(id)?.has(line) === true;
  return {
    lost: ids.filter((id) => !present.has(id) && allowed.get(id)?.has(null) !== true),
    twice: [...present].filter(([, lines]) => lines.length > 1).map(([id]) => id),
    wrong: [...present]
      .filter(([id, lines]) => !lines.every((line) => isAllowed(id, line)))
      .map(([id]) => id),
  };
}

function idOf(line: string): string {
  return line.slice(0, line.indexOf('\t'));
}
