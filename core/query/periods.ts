import { parseBound } from '../bounds.ts';
import type { Manifest } from '../manifest.ts';
import type { Condition, TableUse } from './sql-tree.ts';

/** Bounds of an archive, and the column that they are of. */
type Bounds = Pick<Manifest['partition'], 'controlColumn' | 'controlKind' | 'lowerBound' | 'upperBound'>;

/** Times are compared in milliseconds; of what is finer, one more is let through. */
const BELOW_MILLISECONDS = /\.\d{4}/;

/** Whether a statement may need rows of an archive: some place that reads its set lets some of them through. */
export function mayNeed(uses: readonly TableUse[], bounds: Bounds): boolean {
  return uses.some((use) =>
    use.conditions.every((condition) => !isOn(condition, use, bounds) || mayHold(condition, bounds)),
  );
}

function isOn({ column }: Condition, { alias, table, alone }: TableUse, { controlColumn }: Bounds): boolean {
  const qualifier = column.at(-2);
  if (!same(column.at(-1), controlColumn)) return false;
  return qualifier === undefined
    ? alone
    : same(qualifier, alias) || (alias === table && same(qualifier, table));
}

/** DuckDB does not look at the case of names. */
const same = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();

function mayHold({ operator, value }: Condition, { controlKind, lowerBound, upperBound }: Bounds): boolean {
  const texts = [lowerBound, upperBound, value];
  const [lower, upper, constant] = comparable(texts, controlKind);
  if (lower === undefined || upper === undefined || constant === undefined) return true;
  const slack = texts.some((text) => BELOW_MILLISECONDS.test(text)) ? 1 : 0;
  const reaches = upper + slack > constant;
  switch (operator) {
    case '<':
      return lower < constant + slack;
    case '<=':
      return lower <= constant + slack;
    case '=':
      return reaches && lower <= constant + slack;
    case '>':
    case '>=':
      return reaches;
  }
}

/** All three as numbers of one scale, or none. A set by number that holds seconds since 1970 has numbers for bounds. */
function comparable(texts: readonly string[], kind: 'time' | 'id'): number[] {
  if (texts.every((text) => /^-?\d+$/.test(text))) return texts.map(Number);
  if (kind === 'id') return [];
  const parsed = texts.map((text) => parseBound('time', text));
  return parsed.every((number) => number !== null) ? parsed : [];
}
