import type { CheckedPartition, Verdict } from './compare.ts';

/** What a numeric control column counts since 1970; `none` where it does not. */
export const EPOCHS = ['none', 'seconds', 'milliseconds', 'microseconds', 'nanoseconds'] as const;

/** How a plain table becomes a partition set. */
export interface PartitionTablePlan {
  readonly schema: string;
  readonly table: string;
  readonly control: string;
  /** `1 month`, or numbers for a column of numbers. */
  readonly interval: string;
  /** Lower bound of the first partition; without it, that of the lowest row. */
  readonly start?: string | undefined;
  readonly premake: number;
  readonly retention: string | null;
  /** `online`: writes continue. `offline`: writes are refused until the tables have changed places. */
  readonly mode: 'online' | 'offline';
  /** What becomes of unique keys that lack the control column. */
  readonly keys?: 'extend' | 'drop' | undefined;
  /** Whether there is a default partition in the end, an empty one. */
  readonly defaultPartition: boolean;
  readonly epoch: (typeof EPOCHS)[number];
  readonly timeZone: string;
  /** More partitions than this are refused; without it, more than 1000. */
  readonly maxPartitions?: number | undefined;
  /** The operator confirms that no BEFORE trigger changes the control column, and that checks, generated columns and indexes may
   * call functions of the application with an administrator's rights. */
  readonly trustFunctions?: boolean | undefined;
}

/** What a table would become, as the server reckons it before anything is made. */
export interface PartitionTableSize {
  readonly partitions: number;
  /** Entries of the server's lock table that the swap takes, and how many there are for all sessions. */
  readonly locks: number;
  readonly room: number;
  /** About how long the table is locked at the swap. */
  readonly seconds: number;
}

/** The table itself. */
export type TableName = Pick<PartitionTablePlan, 'schema' | 'table'>;

/** The given part of a plan. */
export type PartialPlan = TableName & {
  readonly [Field in Exclude<keyof PartitionTablePlan, keyof TableName>]?:
    PartitionTablePlan[Field] | undefined;
};

/** Where the partitioning of a table stands. */
export type PartitionTableState = 'begun' | 'copying' | 'copied' | 'checked' | 'swapped';

/** One partitioning under way. */
export interface PartitionTableJob {
  readonly id: number;
  readonly state: PartitionTableState;
  readonly plan: PartitionTablePlan;
  /** `null` where an earlier version began it. */
  readonly size: PartitionTableSize | null;
  /** Whether a comparison has got somewhere. */
  readonly comparing: boolean;
  /** What was found to be the same; complete from the state `checked` on. */
  readonly checked: readonly CheckedPartition[];
}

/** Part of a comparison: the rows from one value of the control column on, below another; `null` for no end. */
export interface ComparedRange {
  /** Number of the comparison that it is a part of. */
  readonly check: number;
  readonly from: string | null;
  readonly to: string | null;
  /** What the ranges before it added up to. */
  readonly checked: readonly CheckedPartition[];
}

/** How much may be read at once, in bytes of the table. */
export interface ReadingLimits {
  /** About so much of it is compared in one snapshot. */
  readonly rangeBytes: number;
  /** Where no index gives a part of it, a larger table is refused. */
  readonly largestScanBytes: number;
}

/** The database, as `partition-table` needs it, on an administrator's connection. Each call is a transaction of its own. */
export interface PartitionTableDatabase {
  /** The job of a table that is under way, or swapped last and not dropped. */
  find(schema: string, table: string): Promise<PartitionTableJob | undefined>;
  /** Makes the shadow table and begins to watch the table. `PreflightFailed` with every reason why not. */
  begin(plan: PartitionTablePlan, limits?: ReadingLimits): Promise<PartitionTableJob>;
  /** Has pg_partman make the partitions, for all rows there are. */
  makePartitions(job: PartitionTableJob): Promise<void>;
  /** Takes some blocks over; returns how many are left. */
  copyBlocks(job: PartitionTableJob, blocks: number): Promise<number>;
  /** Takes over again what changed; returns how many rows. */
  applyChanges(job: PartitionTableJob): Promise<number>;
  /** Has pg_partman make further partitions, for rows and times that have come since. `PreflightFailed` where a name is taken. */
  extend(job: PartitionTableJob): Promise<void>;
  /** Begins to compare again. */
  beginComparison(job: PartitionTableJob): Promise<void>;
  /** Compares table and shadow table by content in the next range, in one snapshot; without limits, in all that is left. */
  compareRange(
    job: PartitionTableJob,
    limits?: ReadingLimits,
  ): Promise<{ readonly range: ComparedRange; readonly verdict: Verdict }>;
  /** Records that a range is the same, and what all ranges until its end add up to. */
  recordCompared(
    job: PartitionTableJob,
    range: ComparedRange,
    partitions: readonly CheckedPartition[],
  ): Promise<void>;
  /** Compares what was taken over since; `ShadowDiffers` where it differs. */
  verifyApplied(job: PartitionTableJob): Promise<void>;
  /** Lets them change places. `LockNotAvailable` where that has to be tried again. */
  swap(job: PartitionTableJob, mostRows: number): Promise<void>;
  /** Drops the change triggers: after this the job can only be rolled back. */
  cancel(job: Pick<PartitionTableJob, 'id'>): Promise<void>;
  /** Both may be called again after they were done. */
  rollBack(job: Pick<PartitionTableJob, 'id'>): Promise<void>;
  dropReplaced(job: Pick<PartitionTableJob, 'id'>): Promise<void>;
}
