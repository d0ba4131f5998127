import { displayColumn, displayName } from '../partition.ts';
import { monthName, monthNumber, perSecond, type Distribution, type Period } from './inspect-proposal.ts';
import type { TableFacts } from './inspect-table.ts';

/** Rows far from the bulk: a wrong year, a time that was never set. Partitions from there to the bulk would be empty. */
export interface Outliers {
  readonly side: 'below' | 'above';
  readonly rows: number;
  /** The period nearest to the bulk that some of them lie in, and the farthest. */
  readonly nearest: string;
  readonly farthest: string;
  /** Finds them. */
  readonly statement: string;
}

/** More empty months than this between rows and the bulk: a table that rested for longer is rare, and is told of all the same. */
const FAR_MONTHS = 24;
/** Of a column of numbers, a tenth of the range that it is shown in. */
const FAR_RANGES = 4;
/** Where more rows lie apart they are no mistake. */
const LARGEST_SHARE = 0.01;

interface Cluster {
  readonly periods: Period[];
  rows: number;
}

/** Takes the rows that are far from the others, and few, out of a distribution. */
export function splitOutliers(
  distribution: Distribution,
  facts: Pick<TableFacts, 'schema' | 'table' | 'columns'>,
  timeZone: string,
): { readonly bulk: Distribution; readonly outliers: readonly Outliers[] } {
  const { kind, width, periods } = distribution;
  const position = ({ start }: Period): number =>
    kind === 'id' ? Number(start) / (width ?? 1) : monthNumber(start);
  const clusters: Cluster[] = [];
  let last = -Infinity;
  for (const period of periods) {
    const near = position(period) - last <= (kind === 'id' ? FAR_RANGES : FAR_MONTHS) + 1;
    const cluster = near ? clusters.at(-1) : undefined;
    if (cluster === undefined) clusters.push({ periods: [period], rows: period.rows });
    else {
      cluster.periods.push(period);
      cluster.rows += period.rows;
    }
    last = position(period);
  }
  const total = periods.reduce((sum, { rows }) => sum + rows, 0);
  const isBulk = ({ rows }: Cluster): boolean => rows > total * LARGEST_SHARE;
  const [first, end] = [clusters.findIndex(isBulk), clusters.findLastIndex(isBulk) + 1];
  if (first === -1) return { bulk: distribution, outliers: [] };
  const bulk = clusters.slice(first, end).flatMap((cluster) => cluster.periods);
  const [lowest, highest] = [bulk[0]?.start ?? '', bulk.at(-1)?.start ?? ''];
  const upper = kind === 'id' ? String(Number(highest) + (width ?? 1)) : monthName(monthNumber(highest) + 1);
  const condition = (operator: '<' | '>=', start: string): string =>
    `${displayName(facts.schema, facts.table)} where ${displayColumn(distribution.column)} ${operator} ${literal(distribution, facts, start, timeZone)}`;
  const outliers = [
    outliersOf('below', clusters.slice(0, first), condition('<', lowest)),
    outliersOf('above', clusters.slice(end), condition('>=', upper)),
  ].filter((each) => each !== undefined);
  return { bulk: { ...distribution, periods: bulk }, outliers };
}

function outliersOf(
  side: Outliers['side'],
  clusters: readonly Cluster[],
  condition: string,
): Outliers | undefined {
  const periods = clusters.flatMap((cluster) => cluster.periods);
  const ends = [periods[0]?.start, periods.at(-1)?.start];
  const [nearest, farthest] = side === 'below' ? ends.toReversed() : ends;
  if (nearest === undefined || farthest === undefined) return undefined;
  const rows = periods.reduce((sum, period) => sum + period.rows, 0);
  return { side, rows, nearest, farthest, statement: `select * from ${condition};` };
}

/** The beginning of a period as a value of the column. */
function literal(
  { column, kind }: Distribution,
  { columns }: Pick<TableFacts, 'columns'>,
  start: string,
  timeZone: string,
): string {
  if (kind === 'id') return start;
  const type = columns.find(({ name }) => name === column)?.type ?? '';
  if (kind === 'time')
    return type.includes('with time zone') ? `timestamptz '${start}-01 ${timeZone}'` : `'${start}-01'`;
  return `extract(epoch from timestamptz '${start}-01 ${timeZone}') * ${String(perSecond(kind))}`;
}
