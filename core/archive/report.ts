import { counted } from '../counted.ts';
import type { BrokenSet, Detection, Forecast, ForecastDrop } from './detect.ts';
import { ArchiverError, describeError, formatError, type DescribedError } from '../errors.ts';
import { bytesOf, truncateLines, truncateWithin, PAYLOAD_BUDGET } from '../limits.ts';
import type { SetReport } from './maintain.ts';
import type { LastSuccessMetrics } from '../heartbeat/last-success.ts';
import { archiveWarning, displayName, type LedgerRow } from '../partition.ts';
import type { Log } from '../ports.ts';
import type { Metrics, RunTotals } from './progress.ts';
import type { Request } from './request.ts';

/** The database, as `report` needs it. */
export interface ReportDatabase {
  rows(partitions: readonly number[]): Promise<readonly LedgerRow[]>;
  /** Blocked partitions of all sets but these, oldest bounds first: the first `most` of them, and how many there are. */
  blocked(
    except: readonly number[],
    most: number,
  ): Promise<{ readonly total: number; readonly rows: readonly LedgerRow[] }>;
  /** Keeps the run for the history; the same one again where a report is tried again. */
  record(run: RecordedRun): Promise<void>;
}

/** A run as the history has it. */
export interface RecordedRun extends Pick<Request, 'startedAt' | 'mode' | 'dryRun'> {
  /** Those that were maintained without an error. */
  readonly partitionSets: readonly string[];
  readonly archived: number;
  readonly dropped: number;
  readonly failed: number;
}

/** One partition in a report. */
export interface PartitionReport {
  readonly partition: string;
  readonly period: string;
  readonly state: LedgerRow['state'];
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly manifest: string | null;
  readonly dropAfter?: string;
  /** What an operator ought to know of an archive of this run. */
  readonly warning?: string;
  readonly error?: DescribedError;
}

/** A partition that an earlier run, or this one's inventory, blocked: nothing happens to it until an operator acts. */
export interface BlockedPartition extends DescribedError {
  /** Of the ledger, as `resume` and `release` take it. */
  readonly id: number;
  readonly partition: string;
}

/** The output of an execution. */
export interface RunReport extends RunTotals {
  readonly summary: string;
  /** Set when a redrive found the run finished with failures: everything that is left is tried again. */
  readonly resume: boolean;
  readonly partitions: readonly PartitionReport[];
  /** Blocked partitions of earlier runs, which `partitions` does not contain. */
  readonly blocked: { readonly total: number; readonly partitions: readonly BlockedPartition[] };
  readonly partitionSets: readonly SetReport[];
  readonly notDue: readonly string[];
  readonly forecast?: readonly Forecast[];
  readonly drops?: readonly ForecastDrop[];
}

/** What a report is made of. */
export interface ReportInput {
  readonly request: Request;
  readonly maintain: readonly SetReport[];
  readonly detect: Detection & { readonly redriveCount?: number };
  readonly redriveCount?: number;
}

/** Failures named in the message of a failed run, which the console shows in one box. */
const NAMED_FAILURES = 10;

/** Bytes in that message for the warnings of a set that could not be maintained: they may say why. */
const WARNINGS_OF_A_FAILURE = 1_000;

/** Partitions that are still blocked and that a report lists, if they fit; of all it says how many there are. */
const LISTED_BLOCKED = 50;

/**
 * Says what a run did. Throws `PartitionsFailed` if anything failed, so that the execution fails after all the rest is
 * done and alarms see it; a redrive of it comes back here, and gets `resume`.
 */
export async function report(
  input: ReportInput,
  ports: {
    readonly database: ReportDatabase;
    readonly metrics: Pick<Metrics, 'run'> & LastSuccessMetrics;
    readonly log: Log;
  },
  now: Date,
): Promise<RunReport> {
  const { database, metrics, log } = ports;
  const since = new Date(input.request.startedAt);
  const rows = await database.rows(input.detect.partitions);
  const blocked = await database.blocked(input.detect.partitions, LISTED_BLOCKED);
  const partitions = rows.map((row) => describe(row, since));
  const archived = rows.filter(({ verifiedAt }) => verifiedAt !== null && verifiedAt >= since);
  const dropped = rows.filter(({ droppedAt }) => droppedAt !== null && droppedAt >= since);
  const failures = partitions.filter(({ error }) => error !== undefined);
  const partitionSets = withBroken(input.maintain, input.detect.brokenSets ?? []);
  const brokenSets = partitionSets.filter(({ error }) => error !== undefined);
  const failed = failures.length + brokenSets.length;
  const totals = {
    archived: archived.length,
    dropped: dropped.length,
    failed,
    rows: archived.reduce((sum, row) => sum + (row.rows ?? 0), 0),
    bytes: archived.reduce((sum, row) => sum + (row.bytes ?? 0), 0),
    seconds: Math.round((now.getTime() - since.getTime()) / 1000),
  };
  log.info('report', totals);
  const { notDue, forecast, drops, more = 0 } = input.detect;
  const summary = summarise(totals, {
    more,
    blocked: blocked.total,
    notCounted: partitions.filter(({ warning }) => warning !== undefined).length,
  });
  // The state keeps all of the input beside the report.
  const fit = truncateWithin(
    PAYLOAD_BUDGET.state - bytesOf([input, summary, partitionSets, notDue, forecast, drops]),
  );
  const result: RunReport = {
    summary,
    resume: failed > 0 && (input.redriveCount ?? 0) > (input.detect.redriveCount ?? 0),
    ...totals,
    partitions: fit(partitions, PAYLOAD_BUDGET.partitions),
    blocked: {
      total: blocked.total,
      partitions: fit(blocked.rows.map(describeBlocked), PAYLOAD_BUDGET.blocked),
    },
    partitionSets,
    notDue,
    ...(forecast && { forecast }),
    ...(drops && { drops }),
  };
  if (!result.resume) {
    metrics.run(totals);
    // A dry run changes nothing, the history included.
    if (!input.request.dryRun) {
      await database.record(toRecord(input, result));
      // At once: the heartbeat would tell it tomorrow.
      if (failed === 0) metrics.lastSuccess('run', 0);
    }
  }
  // A dry run says what it found; nothing was to be done that could have failed.
  if (failed > 0 && !result.resume && !input.request.dryRun)
    throw new ArchiverError('PartitionsFailed', explain(partitions, partitionSets, result));
  return result;
}

/** The sets as `maintain` left them, and those that `detect` could not look at. */
function withBroken(sets: readonly SetReport[], broken: readonly BrokenSet[]): SetReport[] {
  const nothing = { attached: 0, detached: 0, missing: 0, blocked: 0, warnings: [] };
  const known = new Set(sets.map(({ partitionSet }) => partitionSet));
  return [
    ...sets.map((set) => ({
      ...broken.find(({ partitionSet }) => partitionSet === set.partitionSet),
      ...set,
    })),
    ...broken.filter(({ partitionSet }) => !known.has(partitionSet)).map((set) => ({ ...nothing, ...set })),
  ];
}

function toRecord({ request }: ReportInput, result: RunReport): RecordedRun {
  const { startedAt, mode, dryRun } = request;
  const { archived, dropped, failed } = result;
  const healthy = result.partitionSets.filter(({ error }) => error === undefined);
  const partitionSets = healthy.map(({ partitionSet }) => partitionSet);
  return { startedAt, mode, dryRun, partitionSets, archived, dropped, failed };
}

function describe(row: LedgerRow, since: Date): PartitionReport {
  const failedNow = row.failedAt !== null && row.failedAt >= since && row.state !== 'dropped';
  // Its failure could not even be recorded, or its iteration was ended from outside.
  const unfinished = ['detached', 'quarantined', 'exported'].includes(row.state);
  const code = row.blockedCode ?? (failedNow ? row.failedCode : unfinished ? 'Interrupted' : null);
  const message = row.blockedReason ?? (failedNow ? row.failedReason : 'it was not finished');
  return {
    partition: displayName(row.schema, row.table),
    period: row.period,
    state: row.state,
    rows: row.rows,
    bytes: row.bytes,
    manifest: row.manifestKey,
    ...(row.state === 'verified' && row.dropAfter && { dropAfter: row.dropAfter.toISOString() }),
    ...archiveWarning(row, since),
    ...(code !== null && { error: describeError(code, message ?? '') }),
  };
}

function describeBlocked({ id, schema, table, blockedCode, blockedReason }: LedgerRow): BlockedPartition {
  return {
    id,
    partition: displayName(schema, table),
    ...describeError(blockedCode ?? '', blockedReason ?? ''),
  };
}

function summarise(
  totals: Pick<RunReport, 'archived' | 'dropped' | 'failed' | 'rows' | 'bytes'>,
  { more, blocked, notCounted }: Readonly<Record<'more' | 'blocked' | 'notCounted', number>>,
): string {
  const { archived, dropped, failed, rows, bytes } = totals;
  const done = `${String(archived)} archived and proven (${counted(rows, 'row')}, ${counted(bytes, 'byte')}), ${String(dropped)} dropped, ${String(failed)} failed`;
  return [
    done,
    ...(notCounted === 0 ? [] : [`${String(notCounted)} not counted over the whole table`]),
    ...(blocked === 0 ? [] : [`${String(blocked)} still blocked since earlier`]),
    ...(more === 0 ? [] : [`${String(more)} more are for another run`]),
  ].join('; ');
}

function explain(
  partitions: readonly PartitionReport[],
  sets: readonly SetReport[],
  { summary }: RunReport,
): string {
  const lines = [
    ...sets.flatMap(({ partitionSet, error, warnings }) =>
      error === undefined
        ? []
        : [
            `${partitionSet}: ${formatError(describeError(error.code, error.message))}`,
            ...truncateLines(warnings, WARNINGS_OF_A_FAILURE).map((line) => `${partitionSet}: ${line}`),
          ],
    ),
    ...partitions.flatMap(({ partition, error }) =>
      error === undefined ? [] : [`${partition}: ${formatError(error)}`],
    ),
  ];
  const rest = lines.length - NAMED_FAILURES;
  return [
    summary,
    ...lines.slice(0, NAMED_FAILURES),
    ...(rest > 0 ? [`and ${String(rest)} more in the ledger`] : []),
  ].join('\n');
}
