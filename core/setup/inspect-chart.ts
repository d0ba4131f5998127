import { counted } from '../counted.ts';
import type { Inspection } from './inspect.ts';
import { displayName } from '../partition.ts';
import { shellArgument } from '../shell.ts';
import { count, everyMonth, monthName, monthNumber, showBytes, type Period } from './inspect-proposal.ts';

const WIDTH = 40;
/** Longer charts say less: years then, instead of months. */
const MOST_LINES = 120;

const rowsOf = (rows: number): string => counted(Math.round(rows), 'row', count);

/** What `inspect` found, as lines of text for a person. */
export function* showInspection({
  facts,
  candidates,
  distribution,
  outliers,
  proposal,
  effects,
}: Inspection): Generator<string> {
  const rows = facts.estimatedRows === null ? 'never analysed' : `about ${rowsOf(facts.estimatedRows)}`;
  yield `${displayName(facts.schema, facts.table)}: ${rows}, ${showBytes(facts.tableBytes)}, with indexes ${showBytes(facts.totalBytes)}${facts.kind === 'p' ? ', partitioned already' : ''}`;
  yield '';
  yield candidates.length === 0
    ? 'no column can be the control column: none is a time or a whole number'
    : 'columns that could be the control column, the likeliest first';
  for (const { column, kind, remarks } of candidates) {
    const facets = [column.type, kind === 'time' || kind === 'id' ? kind : `epoch in ${kind}`];
    if (column.correlation !== null) facets.push(`correlation ${column.correlation.toFixed(2)}`);
    yield `  ${column.name}: ${facets.join(', ')}${remarks.length === 0 ? '' : `; ${remarks.join('; ')}`}`;
  }
  if (distribution === undefined) return;
  yield '';
  yield `rows by ${distribution.column}${distribution.sampled < 1 ? `, estimated from ${(distribution.sampled * 100).toPrecision(2)} % of the table` : ''}`;
  yield* chart(distribution.kind === 'id' ? distribution.periods : shorten(folded(distribution.periods)));
  if (distribution.rowsWithoutValue > 0) yield `  ${rowsOf(distribution.rowsWithoutValue)} without a value`;
  if (distribution.rowsAtInfinity > 0) yield `  ${rowsOf(distribution.rowsAtInfinity)} at infinity`;
  if (outliers.length > 0) {
    yield '';
    yield 'outliers: few rows far from all others, left out above and of the proposal; partition-table would make a partition for each interval in between: correct or delete them first';
    for (const { side, rows: few, nearest, farthest, statement } of outliers) {
      yield `  ${side} the others: ${rowsOf(Math.max(few, 1))}, ${nearest === farthest ? `in ${nearest}` : `from ${nearest} to ${farthest}`}: ${statement}`;
    }
  }
  if (effects.length > 0) {
    yield '';
    yield 'a retention would archive';
    for (const { retention, rows: old, bytes } of effects) {
      yield `  ${retention.padStart(9)}: ${rowsOf(old)}, ${showBytes(bytes)}`;
    }
  }
  if (proposal === undefined) return;
  yield '';
  yield `proposal: control ${distribution.column}, interval ${proposal.interval}, start ${proposal.start}, premake ${String(proposal.premake)}, retention ${proposal.retention ?? 'none yet'} (about ${counted(proposal.partitions, 'partition')})`;
  for (const reason of proposal.reasons) yield `  ${reason}`;
  yield `  at the swap a partition needs ${String(facts.locksEach)} locks at once: with what this server has, up to ${counted(facts.lockRoom / 2 / facts.locksEach, 'partition', count)} (max_locks_per_transaction)`;
  if (facts.kind === 'p') return;
  yield `  npm run archive -- partition-table ${shellArgument(displayName(facts.schema, facts.table))} --control ${shellArgument(distribution.column)}${distribution.kind === 'time' || distribution.kind === 'id' ? '' : ` --epoch ${distribution.kind}`} --interval '${proposal.interval}' --premake ${String(proposal.premake)} --retention ${proposal.retention === null ? 'none' : `'${proposal.retention}'`} --up-to-check`;
  yield '';
  yield 'what changes for the application, besides keys: insert … returning of a system column (xmin, ctid: optimistic locking of some ORMs) fails on a partitioned table; row triggers see the partition as TG_TABLE_NAME and TG_RELID; docs/partition-table.md has the rest';
}

/** One bar a period; a period with rows has at least a dot. */
export function* chart(periods: readonly Period[]): Generator<string> {
  const most = Math.max(1, ...periods.map(({ rows }) => rows));
  const label = Math.max(0, ...periods.map(({ start }) => start.length));
  for (const { start, rows, bytes } of periods) {
    const bar = '█'.repeat(Math.round((rows / most) * WIDTH)) || (rows > 0 ? '·' : '');
    yield `  ${start.padStart(label)} ${bar.padEnd(WIDTH)} ${count(rows).padStart(13)} rows ${showBytes(bytes).padStart(10)}`;
  }
}

/** As many empty months in a row are one line. */
const LONG_SPAN = 6;

/** Every month; a long span without rows is one period, which says where it ends. */
function folded(periods: readonly Period[]): readonly Period[] {
  return periods.flatMap((period, index) => {
    const before = periods[index - 1];
    if (before === undefined) return [period];
    const [last, next] = [monthNumber(before.start), monthNumber(period.start)];
    if (next - last <= LONG_SPAN) return everyMonth([before, period]).slice(1);
    return [{ start: `… ${monthName(next - 1)}`, rows: 0, bytes: 0 }, period];
  });
}

function shorten(months: readonly Period[]): readonly Period[] {
  if (months.length <= MOST_LINES) return months;
  const years = new Map<string, { start: string; rows: number; bytes: number }>();
  for (const { start, rows, bytes } of months) {
    // A span without rows stays one.
    const name = start.startsWith('…') ? start : start.slice(0, -3);
    const year = years.get(name) ?? { start: name, rows: 0, bytes: 0 };
    year.rows += rows;
    year.bytes += bytes;
    years.set(name, year);
  }
  return [...years.values()];
}
