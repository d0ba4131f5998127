import type { PartitionSetConfig } from '../config/partition-set.ts';
import { ArchiverError } from '../errors.ts';
import { inOneLine } from '../in-one-line.ts';
import { truncateLines, TEXT_BUDGET } from '../limits.ts';
import { displayName } from '../partition.ts';
import type { Clock } from '../ports.ts';
import { withLockTries } from '../retry.ts';

/** An attached partition that lies past the retention of its set. */
export interface Expiring {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
}

/**
 * `gone`: another session detached it first. `last`: it is the only partition of its set, which stays. `selfReferenced`:
 * rows of its own set refer to it, which no run will change.
 */
export type DetachOutcome = 'detached' | 'gone' | 'last' | 'selfReferenced';

/** What keeps a partition attached: each with the object, the function and, where it is known, the statement. */
export interface DetachRefusals {
  readonly refused: readonly string[];
  readonly lacks: readonly string[];
}

/** A foreign key between two sets, by their positions in a list. */
export interface SetReference {
  readonly from: number;
  readonly to: number;
}

/** The database, as the detach of what is past the retention needs it. */
export interface DetachDatabase {
  /** The attached partitions past the retention, oldest bounds first. */
  expiring(set: PartitionSetConfig): Promise<readonly Expiring[]>;
  /** Why a partition, once detached, could not be archived (`refused`), or what a restore of it would lack (`lacks`). */
  refusals(partition: Expiring): Promise<DetachRefusals>;
  /** Detaches one partition in a transaction of its own. `PartitionReferenced` where rows elsewhere refer to it. */
  detach(set: PartitionSetConfig, partition: Expiring): Promise<DetachOutcome>;
  /** Foreign keys from one of the sets to another one. */
  references(sets: readonly PartitionSetConfig[]): Promise<readonly SetReference[]>;
  /** Ledger ids of the detached partitions of a set that are past its retention, oldest bounds first. */
  detached(set: PartitionSetConfig): Promise<readonly number[]>;
  /** Quarantines a detached partition, which takes its foreign keys away. */
  quarantine(partitionId: number, segmentBytes: number): Promise<void>;
}

/** Of a set's failures, how many its report names. */
const NAMED_FAILURES = 5;

/**
 * Positions in the order in which sets have to leave: those that refer to others first, otherwise as configured. Of sets
 * that refer to each other in a circle, the first one configured goes first.
 */
export function leavingOrder(count: number, references: readonly SetReference[]): number[] {
  const left = Array.from({ length: count }, (_, index) => index);
  const order: number[] = [];
  while (left.length > 0) {
    const free = left.findIndex(
      (index) => !references.some(({ from, to }) => to === index && from !== index && left.includes(from)),
    );
    order.push(...left.splice(Math.max(free, 0), 1));
  }
  return order;
}

/** Those that cannot be detached stay as they are and are reported; the others leave. */
export async function detachExpiring(
  set: PartitionSetConfig,
  { database, clock }: { readonly database: DetachDatabase; readonly clock: Clock },
): Promise<{ readonly failures: readonly ArchiverError[]; readonly warnings: readonly string[] }> {
  const failures: ArchiverError[] = [];
  const warnings: string[] = [];
  // What kept the first from its lock for all its tries keeps the others, too: each is then tried once.
  let isPatient = true;
  for (const partition of await database.expiring(set)) {
    const work = (): Promise<DetachOutcome> => database.detach(set, partition);
    try {
      assertRestorable(set, partition, await database.refusals(partition));
      const outcome = await (isPatient ? withLockTries(clock, work) : work());
      const name = displayName(partition.schema, partition.table);
      if (outcome === 'last')
        warnings.push(`${name} is past the retention, but the last partition of its set: it stays`);
      if (outcome === 'selfReferenced') warnings.push(`${name} ${SELF_REFERENCED}`);
    } catch (caught) {
      if (!(caught instanceof ArchiverError) || caught.code === 'DatabaseUnavailable') throw caught;
      if (caught.code === 'LockNotAvailable') isPatient = false;
      failures.push(caught);
    }
  }
  return { failures, warnings };
}

/** `DetachRefused` where the partition would only be blocked after its detach. */
function assertRestorable(
  { acceptIncompleteRestore }: PartitionSetConfig,
  { schema, table }: Expiring,
  { refused, lacks }: DetachRefusals,
): void {
  const reasons = acceptIncompleteRestore ? refused : [...refused, ...lacks];
  if (reasons.length === 0) return;
  const list = inOneLine(truncateLines(reasons, TEXT_BUDGET.names));
  throw new ArchiverError('DetachRefused', `${displayName(schema, table)} stays attached: ${list}`);
}

const SELF_REFERENCED =
  'cannot be detached: rows of its own set refer to it. Drop that foreign key (alter table … drop constraint …): PostgreSQL does not detach a partition while rows refer to it';

/**
 * Quarantines what is detached of a set that refers to others: until then its foreign keys keep the partitions that its
 * rows refer to. What fails here is tried again, and recorded, where the partition is archived.
 */
export async function releaseReferenced(
  set: PartitionSetConfig,
  { database, clock }: { readonly database: DetachDatabase; readonly clock: Clock },
): Promise<void> {
  for (const partitionId of await database.detached(set)) {
    try {
      await withLockTries(clock, () => database.quarantine(partitionId, set.segmentSizeMiB * 1024 * 1024));
    } catch (caught) {
      if (!(caught instanceof ArchiverError) || caught.code === 'DatabaseUnavailable') throw caught;
    }
  }
}

/** Failures of one set as its report has them: the first one's code, and the messages of the first few. */
export function asOne(failures: readonly ArchiverError[]): ArchiverError | undefined {
  const [first] = failures;
  if (first === undefined || failures.length === 1) return first;
  const lines = failures.slice(0, NAMED_FAILURES).map(({ message }) => message);
  const rest = failures.length - lines.length;
  if (rest > 0) lines.push(`and ${String(rest)} more`);
  return new ArchiverError(first.code, inOneLine(lines));
}
