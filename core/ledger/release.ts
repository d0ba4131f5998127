import * as z from 'zod';
import { wholeNumber } from '../config/fields.ts';
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
  readonly partition: number;
  readonly to?: ReleaseTo | undefined;
}

/** What became of the partition. */
export interface Released {
  readonly partition: number;
  readonly releasedTo: ReleaseTo;
  readonly from: PartitionState;
  readonly state: PartitionState;
}

const releaseSchema = z.strictObject({
  partition: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  to: z.enum(['pipeline', 'owner'], 'must be "pipeline" or "owner"').optional(),
});

/** Reads `{ partition, to? }`. Throws `InvalidInput` with every mistake at once. */
export function parseReleaseRequest(input: unknown): ReleaseRequest {
  return parseInput(releaseSchema, input);
}

/** The database, as `release` needs it. */
export interface ReleaseDatabase {
  state(partition: number): Promise<PartitionState>;
  /** Returns the state that the partition is in afterwards. */
  release(partition: number, to: ReleaseTo): Promise<PartitionState>;
}

/**
 * Releases a partition: a restored or blocked one to the pipeline, a quarantined one to its owner with its own name,
 * schema and rights, unless `to` says otherwise. Running it again changes nothing.
 */
export async function release(
  { partition, to }: ReleaseRequest,
  ports: { readonly database: ReleaseDatabase; readonly clock: Clock; readonly log: Log },
): Promise<Released> {
  const { database, clock, log } = ports;
  const before = await database.state(partition);
  const receiver = to ?? receiverOf(partition, before);
  const state = await withLockTries(clock, () => database.release(partition, receiver));
  log.info('release', { partition, from: before, to: receiver, state });
  return { partition, releasedTo: receiver, from: before, state };
}

function receiverOf(partition: number, state: PartitionState): ReleaseTo {
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
        `partition ${partition} is ${state}: there is no table to release`,
      );
  }
}
