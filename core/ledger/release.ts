import * as z from 'zod';
import { identifier, wholeNumber } from '../config/fields.ts';
import { ArchiverError } from '../errors.ts';
import { parseInput } from '../input.ts';
import type { PartitionState } from '../partition.ts';
import type { Clock, Log } from '../ports.ts';
import { withLockTries } from '../retry.ts';

/** To whom a partition is released: `pipeline`, so that the next run archives it (again); `owner`, to be left alone. */
export type ReleaseTo = 'pipeline' | 'owner';

/** What an operator asks for. */
export interface ReleaseRequest {
  /** Id in the ledger. */
  readonly partitionId: number;
  readonly to?: ReleaseTo | undefined;
  /** Another owner than the one that the table had, for a table that is returned to its owner. */
  readonly owner?: string | undefined;
}

/** What became of the partition. */
export interface Released {
  readonly partitionId: number;
  readonly releasedTo: ReleaseTo;
  readonly from: PartitionState;
  readonly state: PartitionState;
  /** What is not as it was: names of indexes, foreign keys. */
  readonly notes: readonly string[];
}

const releaseSchema = z.strictObject({
  partitionId: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  to: z.enum(['pipeline', 'owner'], 'must be "pipeline" or "owner"').optional(),
  owner: identifier.optional(),
});

/** Reads `{ partition, to?, owner? }`. Throws `InvalidInput` with every mistake at once. */
export function parseReleaseRequest(input: unknown): ReleaseRequest {
  return parseInput(releaseSchema, input);
}

/** The database, as `release` needs it. */
export interface ReleaseDatabase {
  state(partitionId: number): Promise<PartitionState>;
  /** Returns the state that the partition is in afterwards, and what is not as it was. */
  release(
    partitionId: number,
    to: ReleaseTo,
    owner: string | null,
  ): Promise<{ readonly state: PartitionState; readonly notes: readonly string[] }>;
}

/**
 * Releases a partition: a restored or blocked one to the pipeline, a quarantined one to its owner with its own name,
 * schema and rights, unless `to` says otherwise. Running it again changes nothing.
 */
export async function release(
  { partitionId, to, owner }: ReleaseRequest,
  ports: { readonly database: ReleaseDatabase; readonly clock: Clock; readonly log: Log },
): Promise<Released> {
  const { database, clock, log } = ports;
  const before = await database.state(partitionId);
  const receiver = to ?? receiverOf(partitionId, before);
  const { state, notes } = await withLockTries(clock, () =>
    database.release(partitionId, receiver, owner ?? null),
  );
  log.info('release', { partitionId, from: before, to: receiver, state, notes });
  return { partitionId, releasedTo: receiver, from: before, state, notes };
}

function receiverOf(partitionId: number, state: PartitionState): ReleaseTo {
  switch (state) {
    case 'quarantined':
    case 'exported':
    case 'verified':
    case 'released':
      return 'owner';
    case 'blocked':
    case 'restored':
    case 'attached':
    case 'detached':
      return 'pipeline';
    case 'dropped':
    case 'missing':
      throw new ArchiverError(
        'StateConflict',
        `partition ${partitionId} is ${state}: there is no table to release`,
      );
  }
}
