import { CATALOGUE, isErrorCode } from '../errors.ts';
import type { Log } from '../ports.ts';

/** What Step Functions puts where a Catch says: the error's name, and a JSON text with its message. */
export interface StepFailure {
  readonly Error?: string;
  readonly Cause?: string;
}

/** The database, as `record-failure` needs it. */
export interface FailureDatabase {
  recordFailure(partitionId: number, code: string, reason: string): Promise<void>;
  /** Sets the partition to `blocked`, unless it is already or its state allows it no more. */
  block(partitionId: number, code: string, reason: string): Promise<void>;
}

/** Longest reason that is kept. */
const LONGEST_REASON = 2_000;

/**
 * Records in the ledger why a partition could not be archived, and blocks it where the catalogue says that trying again
 * unchanged would be wrong.
 */
export async function recordFailure(
  partitionId: number,
  failure: StepFailure,
  { database, log }: { readonly database: FailureDatabase; readonly log: Log },
): Promise<void> {
  const { code, reason } = reasonOf(failure);
  await database.recordFailure(partitionId, code, reason);
  const blocks = isErrorCode(code) && CATALOGUE[code].blocks;
  if (blocks) await database.block(partitionId, code, reason);
  log.warn('partition failed', { partitionId, code, reason, blocked: blocks });
}

/** What a step threw, as it is kept. */
export function reasonOf(failure: StepFailure): { readonly code: string; readonly reason: string } {
  return { code: failure.Error ?? 'Unknown', reason: messageOf(failure).slice(0, LONGEST_REASON) };
}

/** The message of what a step threw, out of the cause that Step Functions makes of it. */
export function messageOf({ Error: code, Cause: cause }: StepFailure): string {
  try {
    const parsed: unknown = JSON.parse(cause ?? '');
    if (typeof parsed === 'object' && parsed !== null && 'errorMessage' in parsed) {
      return String(parsed.errorMessage);
    }
  } catch {
    // Not every cause is JSON.
  }
  return cause ?? code ?? 'no reason was given';
}
