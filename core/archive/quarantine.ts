import type { PartitionSetConfig } from '../config/partition-set.ts';
import type { RuntimeConfig } from '../config/runtime.ts';
import { ArchiverError } from '../errors.ts';
import type { PartitionState } from '../partition.ts';
import { displayName } from '../partition.ts';
import type { Clock, Log } from '../ports.ts';
import type { Request } from './request.ts';
import { withLockTries } from '../retry.ts';

/** What the state machine does with a partition next. */
export interface NextStep {
  /** Segments are exported by the database (`export`) or streamed (`stream`), as the set is configured. */
  readonly next: 'export' | 'stream' | 'drop' | 'done';
  /** Numbers of the segments that are not verified yet. */
  readonly segments: readonly number[];
}

/** A ledger row, as far as `quarantine` and `commit` look at it. */
export interface PartitionStatus {
  readonly state: PartitionState;
  readonly parentSchema: string;
  readonly parentTable: string;
  /** Segments that are not verified yet, in order. */
  readonly openSegments: readonly number[];
  /** Whether its grace period is over, by the database's clock; `null` where no drop was ever scheduled. */
  readonly due: boolean | null;
}

/** The database, as `quarantine` needs it. */
export interface QuarantineDatabase {
  status(partitionId: number): Promise<PartitionStatus>;
  /** Moves the table behind the fence and plans its segments. `LockNotAvailable` where it could not in time. */
  quarantine(partitionId: number, segmentBytes: number): Promise<void>;
}

/** Brings a partition into quarantine, or finds out where an earlier run left it. */
export async function quarantine(
  partitionId: number,
  request: Request,
  config: RuntimeConfig,
  ports: { readonly database: QuarantineDatabase; readonly clock: Clock; readonly log: Log },
): Promise<NextStep> {
  const { database, clock, log } = ports;
  let status = await database.status(partitionId);
  const set = findSet(status, config);
  if (status.state === 'detached') {
    await withLockTries(clock, () => database.quarantine(partitionId, set.segmentSizeMiB * 1024 * 1024));
    status = await database.status(partitionId);
    log.info('quarantine', { partitionId, segments: status.openSegments.length });
  }
  return nextStep(status, set, request);
}

/** The configuration of the set that a partition belongs to. `InvalidInput` if it is not configured (any more). */
export function findSet(
  { parentSchema, parentTable }: Pick<PartitionStatus, 'parentSchema' | 'parentTable'>,
  config: RuntimeConfig,
): PartitionSetConfig {
  const set = config.partitionSets.find(
    ({ schema, table }) => schema === parentSchema && table === parentTable,
  );
  if (set === undefined) {
    throw new ArchiverError(
      'InvalidInput',
      `partition set ${displayName(parentSchema, parentTable)} is not configured`,
    );
  }
  return set;
}

/** What there is to do for a partition in this state. */
export function nextStep(status: PartitionStatus, set: PartitionSetConfig, request: Request): NextStep {
  switch (status.state) {
    case 'quarantined':
      if (status.openSegments.length > 0) return { next: exportOf(set), segments: status.openSegments };
      // The commit would come back here, and here to the commit, for ever.
      throw new ArchiverError(
        'PlanIncomplete',
        'there is no segment left to export, but they are not exported',
      );
    case 'exported':
      return { next: exportOf(set), segments: status.openSegments };
    case 'verified': {
      if (!set.drop || request.archiveOnly) return { next: 'done', segments: [] };
      // Archived while its set was not to be dropped: the commit schedules the drop, there is nothing to export.
      if (status.due === null) return { next: exportOf(set), segments: [] };
      return { next: status.due ? 'drop' : 'done', segments: [] };
    }
    default:
      return { next: 'done', segments: [] };
  }
}

const exportOf = (set: PartitionSetConfig): 'export' | 'stream' =>
  set.export === 'stream' ? 'stream' : 'export';
