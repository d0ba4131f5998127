import * as z from 'zod';
import { identifier, wholeNumber } from '../config/fields.ts';
import { parseInput } from '../input.ts';
import type { PartitionState } from '../partition.ts';
import type { Clock, Log } from '../ports.ts';
import { withLockTries } from '../retry.ts';

/** What an operator asks for: a blocked, restored or released partition goes back to the pipeline. */
export interface ResumeRequest {
  /** Id in the ledger. */
  readonly partitionId: number;
}

/** What an operator asks for: a table leaves quarantine and is its owner's again. */
export interface ReleaseRequest extends ResumeRequest {
  /** Another owner than the one that the table had. */
  readonly owner?: string | undefined;
}

/** The states of a partition before and after it was resumed. */
export interface Resumed {
  readonly partitionId: number;
  readonly from: PartitionState;
  readonly state: PartitionState;
}

/** The states of a partition before and after it was released. */
export interface Released extends Resumed {
  /** What is not as it was: names of indexes, foreign keys. */
  readonly notes: readonly string[];
}

const partitionId = wholeNumber(1, Number.MAX_SAFE_INTEGER);
/** Input of *Resume*. */
export const resumeSchema = z.strictObject({ partitionId });
/** Input of *Release*. */
export const releaseSchema = z.strictObject({ partitionId, owner: identifier.optional() });

/** Reads `{ partitionId }`. Throws `InvalidInput` with every mistake at once. */
export function parseResumeRequest(input: unknown): ResumeRequest {
  return parseInput(resumeSchema, input);
}

/** Reads `{ partitionId, owner? }`. Throws `InvalidInput` with every mistake at once. */
export function parseReleaseRequest(input: unknown): ReleaseRequest {
  return parseInput(releaseSchema, input);
}

/** The database, as `resume` and `release` need it. */
export interface ReleaseDatabase {
  state(partitionId: number): Promise<PartitionState>;
  /** Returns the state that the partition is in afterwards. */
  resume(partitionId: number): Promise<PartitionState>;
  /** Returns the state that the partition is in afterwards, and what is not as it was. */
  release(
    partitionId: number,
    owner: string | null,
  ): Promise<{ readonly state: PartitionState; readonly notes: readonly string[] }>;
}

interface Ports {
  readonly database: ReleaseDatabase;
  readonly clock: Clock;
  readonly log: Log;
}

/** Returns a blocked, restored or released partition to the pipeline. Running it again changes nothing. */
export async function resume(
  { partitionId }: ResumeRequest,
  { database, clock, log }: Ports,
): Promise<Resumed> {
  const from = await database.state(partitionId);
  const state = await withLockTries(clock, () => database.resume(partitionId));
  log.info('resume', { partitionId, from, state });
  return { partitionId, from, state };
}

/**
 * Returns a table in quarantine to its owner, with its own name, schema and rights; no run touches it until it is
 * resumed. Running it again changes nothing.
 */
export async function release(
  { partitionId, owner }: ReleaseRequest,
  { database, clock, log }: Ports,
): Promise<Released> {
  const from = await database.state(partitionId);
  const { state, notes } = await withLockTries(clock, () => database.release(partitionId, owner ?? null));
  log.info('release', { partitionId, from, state, notes });
  return { partitionId, from, state, notes };
}
