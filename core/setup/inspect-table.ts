/** Units in which a column of numbers can count since 1970, and how many make a second. */
export const PER_SECOND = { seconds: 1, milliseconds: 1e3, microseconds: 1e6, nanoseconds: 1e9 } as const;

/** One of them. */
export type Epoch = keyof typeof PER_SECOND;

/** A column that a table could be partitioned by, as the catalogs and the planner's statistics show it. */
export interface ColumnFacts {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  /** Whether an index begins with it, so that its lowest and highest value are found at once. */
  readonly indexed: boolean;
  readonly inPrimaryKey: boolean;
  /** Unique constraints and indexes that lack it: each would have to contain it in a partitioned table. */
  readonly uniqueWithoutIt: readonly string[];
  /** -1 to 1: how far the order of the rows on disk is that of the values; `null` without statistics. */
  readonly correlation: number | null;
  /** Lowest and highest value that ANALYZE saw, of a column of numbers. */
  readonly lowest: number | null;
  readonly highest: number | null;
}

/** A table as `inspect` and `partition-table` look at it. */
export interface TableFacts {
  readonly schema: string;
  readonly table: string;
  /** `p` for one that is partitioned already. */
  readonly kind: 'r' | 'p';
  readonly owner: string;
  /** The planner's estimate; `null` before the first ANALYZE. */
  readonly estimatedRows: number | null;
  /** With TOAST, without indexes; and all of it. */
  readonly tableBytes: number;
  readonly totalBytes: number;
  /** Entries of the server's lock table that one partition would need, and how many there are for all sessions. */
  readonly locksEach: number;
  readonly lockRoom: number;
  readonly columns: readonly ColumnFacts[];
}

/** What kind of control column a column would be. */
export type ControlKind = 'time' | 'id' | Epoch;

const TIME_TYPES = ['timestamp with time zone', 'timestamp without time zone', 'date'];

/** The kind of control column, or `undefined` where pg_partman cannot partition by it. */
export function controlKind({ type, lowest, highest }: ColumnFacts): ControlKind | undefined {
  if (TIME_TYPES.includes(type.replace(/\(\d\)/, ''))) return 'time';
  if (!/^(smallint|integer|bigint|numeric(\(\d+(,0)?\))?)$/.test(type)) return undefined;
  // From 1986 to 2096: numbers of that size are rarely anything else.
  const unit = (Object.keys(PER_SECOND) as Epoch[]).find(
    (each) => (lowest ?? 0) >= 5e8 * PER_SECOND[each] && (highest ?? 0) < 4e9 * PER_SECOND[each],
  );
  return unit ?? 'id';
}

/** A column that could be the control column, the likeliest first. */
export interface Candidate {
  readonly column: ColumnFacts;
  readonly kind: ControlKind;
  /** What speaks against it. */
  readonly remarks: readonly string[];
}

/** The columns that could be the control column. Times come before numbers, since a retention is a time. */
export function candidates({ columns }: TableFacts): readonly Candidate[] {
  return columns
    .flatMap((column) => {
      const kind = controlKind(column);
      return kind === undefined ? [] : [{ column, kind, remarks: [...remarksOn(column)] }];
    })
    .map((candidate) => ({ candidate, score: scoreOf(candidate) }))
    .sort((a, b) => b.score - a.score)
    .map(({ candidate }) => candidate);
}

function scoreOf({ column, kind }: Candidate): number {
  return (
    (kind === 'id' ? 0 : 10) +
    (column.notNull ? 4 : 0) +
    (changesLater(column) ? -9 : 0) +
    (column.uniqueWithoutIt.length === 0 ? 2 : 0) +
    (column.inPrimaryKey ? 1 : 0) +
    (column.indexed ? 1 : 0) +
    Math.abs(column.correlation ?? 0)
  );
}

const changesLater = ({ name }: ColumnFacts): boolean => /(updat|modif|chang|delet|expir|last_)/i.test(name);

function* remarksOn(column: ColumnFacts): Generator<string> {
  if (!column.notNull) yield 'may be null: rows without a value have no partition';
  if (!column.indexed) yield 'no index begins with it';
  if (changesLater(column)) yield 'by its name it changes later, which moves rows between partitions';
  for (const name of column.uniqueWithoutIt) yield `unique index ${name} lacks it`;
}
