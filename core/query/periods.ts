import type { StoredManifest } from '../archive-store.ts';
import type { Manifest } from '../manifest.ts';
import { foldAscii } from './column-names.ts';
import { mapColumns, type CopyColumn } from './parquet-map.ts';
import { columnsIn } from './source-columns.ts';
import type { Condition, Constant, TableUse } from './sql-tree.ts';
import { commonType } from './views.ts';

/** The control column of archives, its type in the view, and the bounds of one archive on the scale of that type. */
interface Range {
  readonly column: string;
  readonly type: string;
  readonly lower: bigint;
  readonly upper: bigint;
}

/**
 * Those of the archives of a set, the latest last, of which a statement may need rows: some place that reads the set lets
 * some of them through. An archive is left out only by conditions that DuckDB evaluates on the very scale on which they are
 * compared here.
 */
export function neededArchives(
  uses: readonly TableUse[],
  archives: readonly StoredManifest[],
): StoredManifest[] {
  const manifests = archives.map(({ manifest }) => manifest);
  const types = new Map(
    manifests.map(({ partition: { controlColumn } }) => [controlColumn, typeOf(controlColumn, manifests)]),
  );
  return archives.filter(({ manifest }) => {
    const range = rangeOf(manifest, types.get(manifest.partition.controlColumn));
    return uses.some(({ conditions, ...use }) =>
      conditions.every(
        (condition) => range === null || !isOn(condition, use, range.column) || mayHold(condition, range),
      ),
    );
  });
}

/**
 * The type that a control column has in the view, where none of the archives may hold the column as text: its bounds are
 * exact, and so are the values between them.
 */
function typeOf(column: string, manifests: readonly Manifest[]): string | undefined {
  const held: CopyColumn[] = [];
  for (const manifest of manifests) {
    const columns = columnsIn(manifest);
    const found = columns.find(({ name }) => name === column);
    // In the view, one of two names that differ in case only has a number.
    if (columns.filter(({ name }) => foldAscii(name) === foldAscii(column)).length > 1) return undefined;
    if (found === undefined) continue;
    const mapped = mapColumns([found]);
    const isExact =
      manifest.partition.controlColumn === column && rangeOf(manifest, commonType(mapped)) !== null;
    if (!isExact) return undefined;
    held.push(...mapped);
  }
  return commonType(held);
}

function rangeOf({ partition }: Manifest, type: string | undefined): Range | null {
  if (type === undefined) return null;
  const lower = scaled(partition.lowerBound, type);
  const upper = scaled(partition.upperBound, type);
  return lower === null || upper === null ? null : { column: partition.controlColumn, type, lower, upper };
}

function isOn(
  { column }: Condition,
  { alias, table, alone }: Pick<TableUse, 'alias' | 'table' | 'alone'>,
  name: string,
): boolean {
  const qualifier = column.at(-2);
  if (!same(column.at(-1), name)) return false;
  return qualifier === undefined
    ? alone
    : same(qualifier, alias) || (alias === table && same(qualifier, table));
}

const same = (a: string | undefined, b: string): boolean => a !== undefined && foldAscii(a) === foldAscii(b);

function mayHold({ operator, constant }: Condition, { type, lower, upper }: Range): boolean {
  const value = scaled(constant.text, typeIn(constant, type));
  if (value === null) return true;
  switch (operator) {
    case '<':
      return lower < value;
    case '<=':
      return lower <= value;
    case '=':
      return lower <= value && value < upper;
    case '>':
    case '>=':
      return value < upper;
  }
}

/** The type as which DuckDB reads a constant: its own, or that of the column. Types that it cannot compare it refuses itself. */
const typeIn = ({ type }: Constant, columnType: string): string => (isTime(type) ? type : columnType);

const isTime = (type: string): boolean => type === 'DATE' || type.startsWith('TIMESTAMP');
const isNumber = (type: string): boolean => /^(SMALLINT|INTEGER|BIGINT|DECIMAL)/.test(type);

const TIME = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d(?::\d\d)?)?)?$/;

/**
 * A text as DuckDB reads it in a type: an integer, or microseconds since 1970, as the session of the engine is in UTC. `null`
 * where it would read something else than is written (it cuts a time off a date, and an offset off a timestamp without time zone), and for
 * whatever is written in another way.
 */
function scaled(text: string, type: string): bigint | null {
  if (isNumber(type)) return /^-?\d+$/.test(text) ? BigInt(text) : null;
  if (!isTime(type)) return null;
  const [found, date = '', time, fraction = '', offset] = TIME.exec(text) ?? [];
  if (found === undefined || (type === 'DATE' && time !== undefined)) return null;
  if (offset !== undefined && type !== 'TIMESTAMPTZ') return null;
  const zone = (offset ?? 'Z').replace(/^([+-]\d\d)$/, '$1:00');
  const milliseconds = Date.parse(`${date}T${time ?? '00:00:00'}${zone}`);
  return Number.isNaN(milliseconds) ? null : BigInt(milliseconds) * 1000n + BigInt(fraction.padEnd(6, '0'));
}
