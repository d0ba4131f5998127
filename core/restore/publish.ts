import { ArchiverError } from '../errors.ts';
import { truncateLines, TEXT_BUDGET } from '../limits.ts';
import { displayName } from '../partition.ts';
import type { Clock, Log } from '../ports.ts';
import { withLockTries } from '../retry.ts';
import type { RestoreDatabase, Unmade } from './database.ts';
import { WAIT_SECONDS } from './import.ts';
import { requireProof } from './prove.ts';
import type { RestoreOptions } from './request.ts';

/** A restored table. */
export interface Restored {
  /** Its row in the ledger. */
  readonly partitionId: number;
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  /** The table that it was attached to. */
  readonly attachedTo: string | null;
  /** What the table does not have that the archived one had. */
  readonly warnings: readonly string[];
  /** Defaults, constraints, indexes and the like that could not be made; the rows are proven all the same. */
  readonly unmade: readonly Unmade[];
}

/** What could not be made, in one line. */
export const unmadeLine = ({ statement, reason }: Unmade): string => `not made: ${statement}; (${reason})`;

interface Ports {
  readonly database: RestoreDatabase;
  readonly clock: Clock;
  readonly log: Log;
}

/** Publishes a table whose proof is complete under its target name; returns its row in the ledger. */
export async function publish(
  restoreId: number,
  { database, clock, log }: Ports,
): Promise<{ readonly partitionId: number }> {
  await requireProof(restoreId, database);
  const partitionId = await withLockTries(clock, () => database.publish(restoreId));
  log.info('publish', { restoreId, partitionId });
  return { partitionId };
}

/** What follows a call of `attach`. */
export type AttachProgress =
  | { readonly next: 'done'; readonly restored: Restored }
  /** The server still does what an earlier call asked for. */
  | { readonly next: 'wait'; readonly waitSeconds: number };

/** What `attach` is asked for. */
interface AttachRequest extends Pick<RestoreOptions, 'attach' | 'acceptIncomplete'> {
  /** Whether the caller calls again on `wait`; otherwise that is `SegmentBusy`. */
  readonly waits: boolean;
}

/**
 * Validates the foreign keys of a restored table, attaches it to a parent if that is asked for, and says what there is. A
 * table that lacks something is attached only with `acceptIncomplete`: `AttachRefused` otherwise, and the table stays.
 * A scan or an index may take longer than the caller has: the server then continues alone, and the next call waits for it.
 */
export async function attach(
  partitionId: number,
  { waits, ...options }: AttachRequest,
  ports: Ports,
): Promise<AttachProgress> {
  try {
    return { next: 'done', restored: await attachNow(partitionId, options, ports) };
  } catch (error) {
    if (!waits || !(error instanceof ArchiverError && error.code === 'SegmentBusy')) throw error;
    return { next: 'wait', waitSeconds: WAIT_SECONDS };
  }
}

async function attachNow(
  partitionId: number,
  options: Pick<RestoreOptions, 'attach' | 'acceptIncomplete'>,
  { database, clock, log }: Ports,
): Promise<Restored> {
  const { schema, table, rows, bytes, warnings, unmade, ...origin } = await database.published(partitionId);
  const invalid = await validate(partitionId, { database, clock });
  const parent =
    options.attach === 'parent' ? { schema: origin.parentSchema, table: origin.parentName } : options.attach;
  if (parent !== null && unmade.length > 0 && !options.acceptIncomplete) {
    throw new ArchiverError(
      'AttachRefused',
      `${displayName(schema, table)} is restored and its rows are proven, but it is incomplete; attach it by the same request with acceptIncomplete: ${truncateLines(unmade.map(unmadeLine), TEXT_BUDGET.details).join('; ')}`,
    );
  }
  if (parent !== null) await withLockTries(clock, () => database.attach(partitionId, parent));
  const restored = {
    partitionId,
    table: displayName(schema, table),
    rows,
    bytes,
    attachedTo: parent === null ? null : displayName(parent.schema, parent.table),
    warnings: [...warnings, ...invalid],
    unmade,
  };
  log.info('restore', { ...restored, unmade: unmade.length, manifest: origin.manifestKey });
  if (unmade.length > 0) log.warn('incomplete', { table: restored.table, unmade });
  return restored;
}

/** Foreign keys that were valid when the table was archived; rows that they refer to may be gone since. */
async function validate(
  partitionId: number,
  { database, clock }: Pick<Ports, 'database' | 'clock'>,
): Promise<string[]> {
  const warnings: string[] = [];
  for (const constraint of await database.unvalidatedForeignKeys(partitionId)) {
    try {
      await withLockTries(clock, () => database.validateForeignKey(partitionId, constraint));
    } catch (error) {
      // An error that may pass says nothing of the rows.
      if (!(error instanceof ArchiverError) || error.retryable) throw error;
      warnings.push(`foreign key ${constraint} is there but not valid: ${error.message}`);
    }
  }
  return warnings;
}
