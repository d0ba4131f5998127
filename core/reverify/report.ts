import { ArchiverError, describeError, formatError, type DescribedError } from '../errors.ts';
import { truncate, truncateLines, PAYLOAD_BUDGET } from '../limits.ts';
import { archiveWarning, displayName, type LedgerRow } from '../partition.ts';
import type { Log } from '../ports.ts';
import type { ReverifyRequest } from './request.ts';

/** One partition, as the output of an execution shows it. */
export interface ReverifiedPartition {
  readonly id: number;
  readonly partition: string;
  readonly period: string;
  readonly state: LedgerRow['state'];
  readonly rows: number | null;
  readonly bytes: number | null;
  /** What an operator ought to know of its new archive. */
  readonly warning?: string;
  readonly error?: DescribedError;
}

/** What the workflow *Reverify* returns. */
export interface ReverifyReport {
  readonly summary: string;
  /** Set when a redrive found the work done with failures: what is left is tried again. */
  readonly resume: boolean;
  readonly verified: number;
  readonly failed: number;
  readonly partitions: readonly ReverifiedPartition[];
}

/** Room for the message of an execution that fails. */
const LONGEST_MESSAGE = 8_000;

/**
 * Says what was verified again. Throws `PartitionsFailed` if anything was not, after all the rest is done; a redrive of
 * the execution comes back here, and gets `resume`.
 */
export function reverifyReport(
  { partitionIds: wanted, more, startedAt }: ReverifyRequest,
  rows: readonly LedgerRow[],
  { redriven, log }: { readonly redriven: boolean; readonly log: Log },
): ReverifyReport {
  const since = new Date(startedAt);
  const shown = rows.map((row) => describe(row, since));
  const known = new Set(rows.map(({ id }) => id));
  const unknown = wanted.filter((id) => !known.has(id));
  const failures = [
    ...shown.flatMap(({ id, partition, error }) =>
      error ? [`${String(id)} (${partition}): ${formatError(error)}`] : [],
    ),
    ...unknown.map((id) => `${String(id)}: the ledger has no such partition`),
  ];
  const verified = rows.length - (failures.length - unknown.length);
  const summary = [
    `${String(verified)} verified again, ${String(failures.length)} failed`,
    ...(more > 0 ? [`${String(more)} more are for another execution: start one with the same input`] : []),
  ].join('; ');
  const resume = failures.length > 0 && redriven;
  log.info('reverify report', { verified, failed: failures.length, more });
  if (failures.length > 0 && !resume) {
    throw new ArchiverError(
      'PartitionsFailed',
      [summary, ...truncateLines(failures, LONGEST_MESSAGE)].join('\n'),
    );
  }
  const partitions = truncate(shown, PAYLOAD_BUDGET.partitions);
  return { summary, resume, verified, failed: failures.length, partitions };
}

function describe(row: LedgerRow, since: Date): ReverifiedPartition {
  const { id, schema, table, period, state, rows, bytes } = row;
  const line = { id, partition: displayName(schema, table), period, state, rows, bytes };
  // Another execution may have dropped it since: its grace period is the one that it had.
  const isVerified = row.state === 'verified' || row.state === 'dropped';
  if (isVerified && row.verifiedAt !== null && row.verifiedAt >= since)
    return { ...line, ...archiveWarning(row, since) };
  const failed = (code: string, message: string): ReverifiedPartition => ({
    ...line,
    error: describeError(code, message),
  });
  // Of what is dropped, no failure is recorded.
  if (state === 'dropped') return failed('StateConflict', 'it was dropped, and not verified again before');
  const failedNow = row.failedAt !== null && row.failedAt >= since;
  const code = (failedNow ? row.failedCode : null) ?? 'Interrupted';
  const message = (failedNow ? row.failedReason : null) ?? `it is ${state} and was not finished`;
  return failed(code, message);
}
