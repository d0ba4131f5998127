import type { Clock, Log } from '../ports.ts';
import type { PartitionTableDatabase, PartitionTableSize, ReadingLimits, TableName } from './database.ts';

/** What the steps of `partition-table` work with. */
export interface PartitionTablePorts {
  readonly database: PartitionTableDatabase;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * For a driver whose steps have to end: after how many milliseconds nothing more is begun, and how much is read at once.
   *
   * @default - a step continues until it is done
   */
  readonly limits?: ReadingLimits & { readonly milliseconds: number };
}

/** The steps that follow the first one, as the state machine and the local command call them. */
export const NEXT_STEPS = [
  ...(['makePartitions', 'backfill', 'catchUp', 'compare', 'swap'] as const),
  ...(['rollBack', 'dropReplaced'] as const),
] as const;

/** One of them, or `done`. */
export type NextStep = (typeof NEXT_STEPS)[number] | 'done';

/** Where a partitioning stands: what each step returns, and what the next one is given. */
export interface Progress extends TableName {
  readonly id: number;
  /** Whether the tables are to change places, or a person wants to look before. */
  readonly upTo: 'check' | 'swap';
  readonly next: NextStep;
  /** Compares once more what was compared already. */
  readonly again?: boolean;
  /** How far it has got, for an operator who watches it. */
  readonly blocksLeft?: number;
  readonly rowsApplied?: number;
  readonly comparedTo?: string | null;
  /** What the table becomes: the result of the first step. */
  readonly size?: PartitionTableSize;
}

/** One step of the work. */
export type Step = (at: Progress, ports: PartitionTablePorts) => Promise<Progress>;
