import { ArchiverError, type ErrorCode } from '../errors.ts';
import { inOneLine } from '../in-one-line.ts';
import { displayName } from '../partition.ts';
import { withLockTries } from '../retry.ts';
import type { NextStep, PartitionTablePorts, Progress, Step } from './progress.ts';

/**
 * What no trying again helps, before the tables change places: the copy is of no use then, and the triggers would only burden
 * the application. At the swap the copy is kept, since what stops that can often be put away.
 */
const ROLLED_BACK: Partial<Record<NextStep, readonly ErrorCode[]>> = {
  makePartitions: ['DatabaseRejected', 'PreflightFailed', 'InvalidInput', 'TargetExists'],
  backfill: ['DatabaseRejected', 'RowTooLarge'],
  catchUp: ['DatabaseRejected', 'RowTooLarge'],
  compare: ['DatabaseRejected', 'RowTooLarge'],
};

/** After these only a roll back is left, but an operator may want to look at the differences first. */
const LOOKED_AT: readonly ErrorCode[] = ['ShadowDiffers', 'IdentityChanged'];

/** The same step, which leaves no trigger on the table where it fails for good. The error says what became of it. */
export function cancelling(name: Exclude<NextStep, 'done'>, step: Step): Step {
  if (name === 'rollBack' || name === 'dropReplaced') return step;
  return async (at, ports) => {
    try {
      return await step(at, ports);
    } catch (error) {
      if (!(error instanceof ArchiverError)) throw error;
      const rolledBack = ROLLED_BACK[name]?.includes(error.code) === true;
      if (!rolledBack && !LOOKED_AT.includes(error.code)) throw error;
      const table = displayName(at.schema, at.table);
      const outcome = await put(rolledBack ? 'rollBack' : 'cancel', at, ports);
      ports.log.warn(outcome, { table, job: at.id, code: error.code });
      throw new ArchiverError(error.code, inOneLine([error.message, OUTCOMES[outcome]]), { cause: error });
    }
  };
}

const OUTCOMES = {
  'rolled back': 'rolled back, the table is as it was',
  cancelled: 'changes of the table are no longer logged; the copy is kept until the rollback',
  'not rolled back': 'rolling it back failed too: do that, since triggers may still be on the table',
} as const;

async function put(
  what: 'rollBack' | 'cancel',
  at: Progress,
  { database, clock }: PartitionTablePorts,
): Promise<keyof typeof OUTCOMES> {
  try {
    // The triggers that go lock the table, which others may be writing to.
    await withLockTries(clock, () => database[what](at));
    return what === 'rollBack' ? 'rolled back' : 'cancelled';
  } catch {
    return 'not rolled back';
  }
}
