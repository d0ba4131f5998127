import { asOne, detachExpiring, leavingOrder, releaseReferenced, type DetachDatabase } from './detach.ts';
import type { RuntimeConfig } from '../config/runtime.ts';
import type { PartitionSetConfig } from '../config/partition-set.ts';
import { ArchiverError } from '../errors.ts';
import { beginning, truncateLines, PAYLOAD_BUDGET } from '../limits.ts';
import { displayName } from '../partition.ts';
import type { Clock, Log } from '../ports.ts';
import type { Request } from './request.ts';
import { withLockTries } from '../retry.ts';

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
  /** Whether the default partition has rows, those at infinity not counted. */
  readonly rowsInDefault: boolean;
  /** Attached partitions whose bounds lie wholly in the future; `null` for an id set. */
  readonly futurePartitions: number | null;
  /** Detached tables that look like partitions of this set but are not in the ledger: only reported. */
  readonly unknownTables: readonly string[];
  /** Partitions whose DETACH CONCURRENTLY was cancelled half way: an operator finishes it. */
  readonly unfinishedDetaches: readonly string[];
  /** Ranges between two partitions without a partition, as `[lower, upper)`. */
  readonly gaps: readonly string[];
}

/** The database, as `maintain` needs it. */
export interface MaintainDatabase extends DetachDatabase {
  inventory(set: PartitionSetConfig): Promise<Inventory>;
  /**
   * `run_maintenance` of pg_partman for one set, in a transaction of its own with a lock timeout and the set's time
   * zone: it makes future partitions, which get the parent's owner in the same transaction, and detaches nothing.
   * Returns pg_partman's warnings.
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
  /** Why this set could not be maintained; the others continue. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** A set on its way through `maintain`. */
interface Work {
  readonly set: PartitionSetConfig;
  readonly failures: ArchiverError[];
  readonly warnings: string[];
  inventory: Inventory;
  /** Why it cannot even be looked at: nothing more is done with it. */
  broken?: ArchiverError;
}

const NOTHING: Inventory = { attached: 0, added: 0, detached: 0, missing: 0, blocked: 0 };

/**
 * Writes the attached partitions of each set into the ledger, has pg_partman make future ones, detaches those past the
 * retention one by one, and looks again. The inventory comes first, since a plain DETACH loses the bounds. One
 * broken set does not stop the others, and one partition that cannot leave stops nothing at all. The future of all sets
 * comes before the retention of any; then sets that refer to others go first, so that both leave in one run.
 */
export async function maintain(
  request: Request,
  config: RuntimeConfig,
  ports: { readonly database: MaintainDatabase; readonly clock: Clock; readonly log: Log },
): Promise<SetReport[]> {
  const leftOut = (request.leftOut ?? []).map(({ partitionSet, message }) => ({
    partitionSet,
    attached: 0,
    detached: 0,
    missing: 0,
    blocked: 0,
    warnings: [],
    error: { code: 'PreflightFailed', message },
  }));
  if (request.mode === 'drop' || request.dryRun) return leftOut;
  const { database } = ports;
  const works = request.partitionSets.map((index): Work => {
    const set = config.partitionSets[index];
    if (set === undefined)
      throw new ArchiverError('InvalidInput', `there is no partition set ${String(index)}`);
    return { set, failures: [], warnings: [], inventory: NOTHING };
  });
  for (const work of works)
    await unlessBroken(work, async () => {
      work.inventory = await database.inventory(work.set);
      if (request.mode === 'archive') await makeFuture(work, ports);
    });
  if (request.mode === 'archive') await applyRetention(works, ports);
  for (const work of works) await unlessBroken(work, () => look(work, database, request.mode === 'archive'));
  const failed = works.filter(({ failures, broken }) => failures.length > 0 || broken !== undefined).length;
  const room = {
    warnings: PAYLOAD_BUDGET.warnings / works.length,
    error: PAYLOAD_BUDGET.errors / failed,
  };
  return [...leftOut, ...works.map((work) => report(work, room, ports.log))];
}

/** A set that cannot even be looked at; an error that may pass is tried again with all of them. */
async function unlessBroken(work: Work, step: () => Promise<void>): Promise<void> {
  if (work.broken !== undefined) return;
  try {
    await step();
  } catch (caught) {
    if (!(caught instanceof ArchiverError) || caught.retryable) throw caught;
    work.broken = caught;
  }
}

async function makeFuture(
  { set, warnings, failures }: Work,
  { database, clock }: { readonly database: MaintainDatabase; readonly clock: Clock },
): Promise<void> {
  try {
    warnings.push(...(await withLockTries(clock, () => database.runMaintenance(set))));
  } catch (caught) {
    // What was detached before is archived all the same.
    if (!(caught instanceof ArchiverError)) throw caught;
    failures.push(caught);
  }
}

async function applyRetention(
  works: readonly Work[],
  ports: { readonly database: MaintainDatabase; readonly clock: Clock },
): Promise<void> {
  const { database } = ports;
  const references = works.length > 1 ? await database.references(works.map(({ set }) => set)) : [];
  for (const position of leavingOrder(works.length, references)) {
    const work = works[position];
    if (work === undefined) continue;
    await unlessBroken(work, async () => {
      const { failures, warnings } = await detachExpiring(work.set, ports);
      work.failures.push(...failures);
      work.warnings.push(...warnings);
      const after = await database.inventory(work.set);
      work.inventory = {
        ...after,
        detached: work.inventory.detached + after.detached,
        missing: work.inventory.missing + after.missing,
        blocked: work.inventory.blocked + after.blocked,
      };
      if (references.some(({ from, to }) => from === position && to !== position))
        await releaseReferenced(work.set, ports);
    });
  }
}

async function look(
  { set, warnings, failures }: Work,
  database: MaintainDatabase,
  isToLeave: boolean,
): Promise<void> {
  const health = await database.health(set);
  if (health.rowsInDefault && !set.acceptRowsInDefault) {
    warnings.push(
      'the default partition has rows: no partition was there for them. Move them (partition_data_proc of pg_partman), or set acceptRowsInDefault if they are meant to be there',
    );
  }
  if (health.futurePartitions === 0) warnings.push('there is no future partition: premake ran out');
  for (const gap of health.gaps)
    warnings.push(`there is no partition for ${gap}, between two that there are`);
  for (const table of health.unknownTables) {
    warnings.push(`${table} looks like a detached partition, but the ledger does not know it`);
  }
  for (const partition of health.unfinishedDetaches) {
    // Its rows cannot be seen through the parent, and no run will change that.
    if (isToLeave)
      failures.push(
        new ArchiverError('StateConflict', `${partition} is detached half way: it is left to an operator`),
      );
    warnings.push(
      `the DETACH CONCURRENTLY of ${partition} was never finished: alter table … detach partition … finalize`,
    );
  }
}

function report(
  { set, failures, warnings, inventory, broken }: Work,
  room: { readonly warnings: number; readonly error: number },
  log: Log,
): SetReport {
  const { attached, detached, missing, blocked } = inventory;
  const error = asOne(broken === undefined ? failures : [...failures, broken]);
  const done = {
    partitionSet: displayName(set.schema, set.table),
    attached,
    detached,
    missing,
    blocked,
    warnings: truncateLines(warnings, room.warnings),
  };
  log.info('maintain', { ...done, ...(error && { error: error.code, reason: error.message }) });
  if (error === undefined) return done;
  return { ...done, error: { code: error.code, message: beginning(error.message, room.error) } };
}
