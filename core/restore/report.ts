import { counted } from '../counted.ts';
import { ArchiverError, describeError, formatError, type DescribedError } from '../errors.ts';
import { truncate, truncateLines, PAYLOAD_BUDGET, TEXT_BUDGET } from '../limits.ts';
import type { Log } from '../ports.ts';
import { reasonOf, type StepFailure } from '../archive/record-failure.ts';
import { unmadeLine, type Restored } from './publish.ts';
import type { RestorePlan } from './plan.ts';

/** Why an archive could not be restored. */
export interface RestoreFailure {
  readonly code: string;
  readonly reason: string;
}

/** What became of one archive of an execution. */
export interface RestoreOutcome extends Pick<Restored, 'attachedTo' | 'warnings' | 'unmade'> {
  readonly manifestKey: string;
  readonly table: string | null;
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly failure: RestoreFailure | null;
}

/** The database, as the report of a restore needs it. */
export interface OutcomeDatabase {
  /** Once more for the same archive: the latest counts. */
  record(execution: string, manifestKey: string, outcome: Restored | RestoreFailure): Promise<void>;
  outcomes(execution: string): Promise<readonly RestoreOutcome[]>;
}

/** One archive in a report. */
export interface RestoredArchive {
  readonly manifest: string;
  readonly table?: string;
  readonly rows?: number;
  readonly bytes?: number;
  readonly attachedTo?: string;
  readonly warnings?: readonly string[];
  /** What could not be made, in words; the rows are proven all the same. */
  readonly unmade?: readonly string[];
  readonly error?: DescribedError;
}

/** The output of an execution of *Restore*. */
export interface RestoreReport {
  readonly summary: string;
  /** Set when a redrive found the execution finished with failures: what is left is tried again. */
  readonly resume: boolean;
  readonly restored: number;
  /** Of these, tables that lack something that the archived one had. */
  readonly incomplete: number;
  readonly failed: number;
  readonly rows: number;
  readonly bytes: number;
  readonly archives: readonly RestoredArchive[];
}

/** What a report is made of. */
export interface RestoreReportInput {
  readonly plan: Pick<RestorePlan, 'archives'> & {
    readonly execution: string;
    readonly redriveCount?: number;
  };
  readonly redriveCount?: number;
}

/** Records why an archive could not be restored. What it has made so far is resumed by the next execution. */
export async function recordRestoreFailure(
  execution: string,
  manifestKey: string,
  failure: StepFailure,
  { database, log }: { readonly database: OutcomeDatabase; readonly log: Log },
): Promise<void> {
  const { code, reason } = reasonOf(failure);
  await database.record(execution, manifestKey, { code, reason });
  log.warn('restore failed', { manifest: manifestKey, code, reason });
}

/**
 * Says what was restored. Throws `PartitionsFailed` if an archive was not, so that the execution fails after all the
 * rest is done; a redrive of it comes back here, and gets `resume`.
 */
export async function reportRestore(
  { plan, redriveCount = 0 }: RestoreReportInput,
  { database, log }: { readonly database: OutcomeDatabase; readonly log: Log },
): Promise<RestoreReport> {
  const known = new Map(
    (await database.outcomes(plan.execution)).map((outcome) => [outcome.manifestKey, outcome]),
  );
  const archives = plan.archives.map(({ manifestKey }) => describe(manifestKey, known.get(manifestKey)));
  const failures = archives.flatMap(({ manifest, error }) =>
    error === undefined ? [] : [`${manifest}: ${formatError(error)}`],
  );
  const sum = (of: 'rows' | 'bytes'): number =>
    archives.reduce((total, archive) => total + (archive[of] ?? 0), 0);
  const [rows, bytes] = [sum('rows'), sum('bytes')];
  const restored = archives.length - failures.length;
  const incomplete = archives.filter(({ unmade = [] }) => unmade.length > 0).length;
  const lacking = incomplete === 0 ? '' : `, ${incomplete} of them incomplete`;
  const summary = `${restored} restored and proven (${counted(rows, 'row')}, ${counted(bytes, 'byte')})${lacking}, ${failures.length} failed`;
  const resume = failures.length > 0 && redriveCount > (plan.redriveCount ?? 0);
  log.info('report-restore', { restored, incomplete, failed: failures.length, rows, bytes });
  if (failures.length > 0 && !resume) {
    throw new ArchiverError(
      'PartitionsFailed',
      [summary, ...truncateLines(failures, TEXT_BUDGET.message)].join('\n'),
    );
  }
  const listed = truncate(archives, PAYLOAD_BUDGET.partitions);
  return { summary, resume, restored, incomplete, failed: failures.length, rows, bytes, archives: listed };
}

function describe(manifest: string, outcome: RestoreOutcome | undefined): RestoredArchive {
  // Its failure could not even be recorded, or its iteration was ended from outside.
  if (outcome === undefined) return { manifest, error: describeError('Interrupted', 'it was not finished') };
  const { failure, table, rows, bytes, attachedTo, warnings, unmade } = outcome;
  if (failure !== null) return { manifest, error: describeError(failure.code, failure.reason) };
  return {
    manifest,
    ...(table !== null && { table }),
    ...(rows !== null && { rows }),
    ...(bytes !== null && { bytes }),
    ...(attachedTo !== null && { attachedTo }),
    ...(warnings.length > 0 && { warnings: truncateLines(warnings, TEXT_BUDGET.names) }),
    ...(unmade.length > 0 && { unmade: truncateLines(unmade.map(unmadeLine), TEXT_BUDGET.names) }),
  };
}
