import type { RuntimeConfig } from './config/runtime.ts';
import type { PartitionSetConfig } from './config/partition-set.ts';
import { ArchiverError } from './errors.ts';
import { fittingLines, ROOM } from './limits.ts';
import { displayName } from './partition.ts';
import type { Clock, Log } from './ports.ts';
import type { Request } from './request.ts';
import { withLockTries } from './retry.ts';

/** What one look at a partition set changed in the ledger. */
export interface Inventory {
  readonly attached: number;
  readonly added: number;
  readonly detached: number;
  readonly missing: number;
  readonly blocked: number;
}

/** How a partition set stands after its maintenance, by the catalogs and not by the absence of errors. */
export interface SetHealth {
  /** Whether the default partition has rows. */
  readonly rowsInDefault: boolean;
  /** Attached partitions whose bounds lie wholly in the future; `null` for an id set. */
  readonly futurePartitions: number | null;
  /** Detached tables that look like partitions of this set but are not in the ledger: only reported. */
  readonly unknownTables: readonly string[];
  /** Partitions whose DETACH CONCURRENTLY was cancelled half way: an operator finishes it. */
  readonly unfinishedDetaches: readonly string[];
}

/** The database, as `maintain` needs it. */
export interface MaintainDatabase {
  inventory(set: PartitionSetConfig): Promise<Inventory>;
  /**
   * `run_maintenance` of pg_partman for one set, in a transaction of its own with a lock timeout and the set's time
   * zone; new partitions get the parent's owner in the same transaction. Answers pg_partman's notices and warnings.
   */
  runMaintenance(set: PartitionSetConfig): Promise<readonly string[]>;
  health(set: PartitionSetConfig): Promise<SetHealth>;
}

/** What became of one partition set. */
export interface SetReport {
  readonly partitionSet: string;
  readonly attached: number;
  readonly detached: number;
  readonly missing: number;
  readonly blocked: number;
  readonly warnings: readonly string[];
  /** Why this set could not be maintained; the others go on. */
  readonly error?: { readonly code: string; readonly message: string };
}

/**
 * Writes the attached partitions of each set into the ledger, has pg_partman maintain it, and looks again. The
 * inventory comes first, since a plain DETACH loses the bounds. One broken set does not stop the others.
 */
export async function maintain(
  request: Request,
  config: RuntimeConfig,
  ports: { readonly database: MaintainDatabase; readonly clock: Clock; readonly log: Log },
): Promise<SetReport[]> {
  if (request.mode === 'drop' || request.dryRun) return [];
  const reports: SetReport[] = [];
  for (const index of request.partitionSets) {
    const set = config.partitionSets[index];
    if (set === undefined)
      throw new ArchiverError('InvalidInput', `there is no partition set ${String(index)}`);
    try {
      const room = ROOM.warnings / request.partitionSets.length;
      const done = await maintainSet(set, request.mode === 'archive', ports);
      reports.push({ ...done, warnings: fittingLines(done.warnings, room) });
    } catch (caught) {
      // A set that cannot even be looked at; what may pass by itself is tried again with all of them.
      if (!(caught instanceof ArchiverError) || caught.retryable) throw caught;
      const { code, message } = caught;
      const partitionSet = displayName(set.schema, set.table);
      const nothing = { attached: 0, detached: 0, missing: 0, blocked: 0, warnings: [] };
      reports.push({ partitionSet, ...nothing, error: { code, message } });
    }
  }
  return reports;
}

async function maintainSet(
  set: PartitionSetConfig,
  withMaintenance: boolean,
  { database, clock, log }: { database: MaintainDatabase; clock: Clock; log: Log },
): Promise<SetReport> {
  const partitionSet = displayName(set.schema, set.table);
  const warnings: string[] = [];
  let inventory = await database.inventory(set);
  let error: ArchiverError | undefined;
  if (withMaintenance) {
    try {
      warnings.push(...(await withLockTries(clock, () => database.runMaintenance(set))));
    } catch (caught) {
      // What was detached before is archived all the same.
      if (!(caught instanceof ArchiverError)) throw caught;
      error = caught;
    }
    const after = await database.inventory(set);
    inventory = {
      ...after,
      detached: inventory.detached + after.detached,
      missing: inventory.missing + after.missing,
      blocked: inventory.blocked + after.blocked,
    };
  }
  const health = await database.health(set);
  if (health.rowsInDefault) {
    warnings.push('the default partition has rows: no partition was there for them');
  }
  if (health.futurePartitions === 0) warnings.push('there is no future partition: premake ran out');
  for (const table of health.unknownTables) {
    warnings.push(`${table} looks like a detached partition, but the ledger does not know it`);
  }
  for (const partition of health.unfinishedDetaches) {
    warnings.push(
      `the DETACH CONCURRENTLY of ${partition} was never finished: alter table … detach partition … finalize`,
    );
  }
  const { attached, detached, missing, blocked } = inventory;
  const report = { partitionSet, attached, detached, missing, blocked, warnings };
  log.info('maintain', { ...report, ...(error && { error: error.code }) });
  return error === undefined ? report : { ...report, error: { code: error.code, message: error.message } };
}
