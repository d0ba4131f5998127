import type { CheckedPartition, Verdict } from './compare.ts';

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
  /** `online`: writes go on. `plain`: writes are refused until the tables have changed places. */
  readonly mode: 'online' | 'plain';
  /** What becomes of unique keys that lack the control column. */
  readonly keys?: 'extend' | 'drop' | undefined;
  /** Whether there is a default partition in the end, an empty one. */
  readonly defaultPartition: boolean;
  readonly epoch: 'none' | 'seconds' | 'milliseconds' | 'microseconds' | 'nanoseconds';
  readonly timeZone: string;
}

/** Where the partitioning of a table stands. */
export type PartitionTableState = 'begun' | 'copying' | 'copied' | 'checked' | 'swapped';

/** One partitioning under way. */
export interface PartitionTableJob {
  readonly id: number;
  readonly state: PartitionTableState;
  readonly plan: PartitionTablePlan;
}

/** The database, as `partition-table` needs it, on an administrator's connection. Each call is a transaction of its own. */
export interface PartitionTableDatabase {
  /** The job of a table that is under way, or swapped last and not let go. */
  find(schema: string, table: string): Promise<PartitionTableJob | undefined>;
  /** Makes the twin and begins to watch the table. `PreflightFailed` with every reason why not. */
  begin(plan: PartitionTablePlan): Promise<PartitionTableJob>;
  /** Has pg_partman make the partitions, for all rows there are. */
  makePartitions(job: PartitionTableJob): Promise<void>;
  /** Takes some blocks over; answers how many are left. */
  copyBlocks(job: PartitionTableJob, blocks: number): Promise<number>;
  /** Takes over again what changed; answers how many rows. */
  takeChanges(job: PartitionTableJob): Promise<number>;
  /** Compares table and twin by content, in one snapshot. */
  compare(job: PartitionTableJob): Promise<Verdict>;
  recordCheck(job: PartitionTableJob, partitions: readonly CheckedPartition[]): Promise<void>;
  /** Compares what was taken over since; `TwinDiffers` where it differs. */
  settle(job: PartitionTableJob): Promise<void>;
  /** Lets them change places. `LockNotAvailable` where that has to be tried again. */
  swap(job: PartitionTableJob, mostRows: number): Promise<void>;
  rollBack(job: PartitionTableJob): Promise<void>;
  letGo(job: PartitionTableJob): Promise<void>;
}
