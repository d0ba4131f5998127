import type { RuntimeConfig } from './config/runtime.ts';
import type { PartitionSetConfig } from './config/partition-set.ts';
import { ArchiverError } from './errors.ts';
import { fittingLines, ROOM } from './limits.ts';
import { displayName } from './partition.ts';
import type { Clock, Log } from './ports.ts';
import type { Request } from './request.ts';
import { withLockTries } from './retry.ts';

/** Of a set's failures, how many its report names. */
const NAMED_FAILURES = 5;

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

/** An attached partition that lies past the retention of its set. */
export interface Expiring {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
}

/** `gone`: somebody else detached it first. `last`: it is the only partition of its set, which stays. */
export type DetachOutcome = 'detached' | 'gone' | 'last';

/** The database, as `maintain` needs it. */
export interface MaintainDatabase {
  inventory(set: PartitionSetConfig): Promise<Inventory>;
  /**
   * `run_maintenance` of pg_partman for one set, in a transaction of its own with a lock timeout and the set's time
   * zone: it makes future partitions, which get the parent's owner in the same transaction, and detaches nothing.
   * Returns pg_partman's warnings.
   */
  runMaintenance(set: PartitionSetConfig): Promise<readonly string[]>;
  /** The attached partitions past the retention, oldest bounds first. */
  expiring(set: PartitionSetConfig): Promise<readonly Expiring[]>;
  /** Detaches one partition in a transaction of its own. `PartitionReferenced` where rows elsewhere refer to it. */
  detach(set: PartitionSetConfig, partition: Expiring): Promise<DetachOutcome>;
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
 * Writes the attached partitions of each set into the ledger, has pg_partman make future ones, detaches those past the
 * retention each by itself, and looks again. The inventory comes first, since a plain DETACH loses the bounds. One
 * broken set does not stop the others, and one partition that cannot leave stops nothing at all.
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
    const failures: ArchiverError[] = [];
    try {
      warnings.push(...(await withLockTries(clock, () => database.runMaintenance(set))));
    } catch (caught) {
      // What was detached before is archived all the same.
      if (!(caught instanceof ArchiverError)) throw caught;
      failures.push(caught);
    }
    const detached = await detachExpiring(set, { database, clock });
    failures.push(...detached.failures);
    warnings.push(...detached.warnings);
    error = asOne(failures);
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

/** Those that cannot be detached stay as they are and are said; the others leave. */
async function detachExpiring(
  set: PartitionSetConfig,
  { database, clock }: { database: MaintainDatabase; clock: Clock },
): Promise<{ readonly failures: ArchiverError[]; readonly warnings: string[] }> {
  const failures: ArchiverError[] = [];
  const warnings: string[] = [];
  // What kept the first from its lock for all its tries keeps the others, too: each is then tried once.
  let isPatient = true;
  try {
    for (const partition of await database.expiring(set)) {
      const work = (): Promise<DetachOutcome> => database.detach(set, partition);
      try {
        if ((await (isPatient ? withLockTries(clock, work) : work())) === 'last') {
          const name = displayName(partition.schema, partition.table);
          warnings.push(`${name} is past the retention, but the last partition of its set: it stays`);
        }
      } catch (caught) {
        if (!(caught instanceof ArchiverError) || caught.code === 'DatabaseUnavailable') throw caught;
        if (caught.code === 'LockNotAvailable') isPatient = false;
        failures.push(caught);
      }
    }
  } catch (caught) {
    if (!(caught instanceof ArchiverError)) throw caught;
    failures.push(caught);
  }
  return { failures, warnings };
}

/** Failures of one set in its report, which has room for the first few. */
function asOne(failures: readonly ArchiverError[]): ArchiverError | undefined {
  const [first] = failures;
  if (first === undefined || failures.length === 1) return first;
  const lines = failures.slice(0, NAMED_FAILURES).map(({ message }) => message);
  const rest = failures.length - lines.length;
  if (rest > 0) lines.push(`and ${String(rest)} more`);
  return new ArchiverError(first.code, lines.join('; '));
}
