import type { PartitionSetConfig } from '../config/partition-set.ts';
import type { RuntimeConfig } from '../config/runtime.ts';
import { ArchiverError } from '../errors.ts';
import { displayName } from '../partition.ts';
import type { Log } from '../ports.ts';
import type { Request } from './request.ts';

/** How far the archiver has come with a partition set, in numbers for alarms and the dashboard. */
export interface SetProgress {
  readonly attached: number;
  /** Detached, and not archived yet. */
  readonly waiting: number;
  /** Archived and proven; the table is still there. */
  readonly verified: number;
  /** Of these, past their grace period. */
  readonly due: number;
  readonly blocked: number;
  readonly dropped: number;
  /** For how long the oldest partition that is not archived has been past its retention; `null` for an id set. */
  readonly overdueDays: number | null;
  readonly daysSinceRun: number;
  readonly attachedBytes: number;
  readonly archivedBytes: number;
  /** What dropping gave back so far. */
  readonly freedBytes: number;
  readonly rowsInDefault: boolean;
  /** `null` for an id set. */
  readonly futurePartitions: number | null;
}

/** The database, as `measure` needs it. */
export interface ProgressDatabase {
  progress(set: PartitionSetConfig): Promise<SetProgress>;
}

/** What a run did, in numbers. */
export interface RunTotals {
  readonly archived: number;
  readonly dropped: number;
  readonly failed: number;
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** Where metrics go. */
export interface Metrics {
  run(totals: RunTotals): void;
  partitionSet(partitionSet: string, progress: SetProgress): void;
}

/** Publishes how the partition sets of a run stand. A set that cannot be measured does not spoil the run. */
export async function measure(
  request: Pick<Request, 'partitionSets'>,
  config: RuntimeConfig,
  ports: {
    readonly database: ProgressDatabase;
    readonly metrics: Pick<Metrics, 'partitionSet'>;
    readonly log: Log;
  },
): Promise<void> {
  for (const index of request.partitionSets) {
    const set = config.partitionSets[index];
    if (set === undefined) continue;
    const partitionSet = displayName(set.schema, set.table);
    try {
      const progress = await ports.database.progress(set);
      ports.metrics.partitionSet(partitionSet, progress);
      ports.log.info('progress', { partitionSet, ...progress });
    } catch (error) {
      if (!(error instanceof ArchiverError)) throw error;
      ports.log.warn('progress', { partitionSet, error: error.code, message: error.message });
    }
  }
}
