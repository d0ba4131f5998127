import { counted } from '../counted.ts';
import { ArchiverError } from '../errors.ts';
import { truncate, PAYLOAD_BUDGET } from '../limits.ts';
import type { Log } from '../ports.ts';
import { messageOf, type StepFailure } from '../archive/record-failure.ts';
import type { AuditBegun, RangeChecked, RangeVerdict } from './parts.ts';

/** What is kept of the audit of one archive. */
export interface ArchiveVerdict {
  readonly manifestKey: string;
  /** `expired`: past the configured expiry, and not read; `unknown`: no verdict could be reached. */
  readonly verdict: 'intact' | 'damaged' | 'expired' | 'unknown';
  readonly read: number;
  readonly cold: number;
  readonly bytes: number;
  readonly problems: readonly string[];
}

/** What came out so far, page after page. */
export interface AuditTotals {
  readonly archives: number;
  readonly intact: number;
  readonly damaged: number;
  readonly expired: number;
  readonly unknown: number;
  readonly segmentsRead: number;
  /** Segments in a Glacier tier, of which only the length was looked at. */
  readonly segmentsCold: number;
  readonly bytesRead: number;
  /** One line for each archive that is not intact. */
  readonly problems: readonly string[];
}

/** What the workflow *Audit* returns. */
export interface AuditReport extends AuditTotals {
  readonly summary: string;
}

/** Where metrics go. */
export interface AuditMetrics {
  audit(totals: Pick<AuditTotals, 'archives' | 'damaged' | 'unknown' | 'bytesRead'>): void;
}

/** Before the first page. */
export const EMPTY_TOTALS: AuditTotals = {
  archives: 0,
  intact: 0,
  damaged: 0,
  expired: 0,
  unknown: 0,
  segmentsRead: 0,
  segmentsCold: 0,
  bytesRead: 0,
  problems: [],
};

const MOST_PROBLEMS = 5;

/** The verdict on an archive whose segments were read. Damage that was found outweighs what could not be read. */
export function verdictOf(
  { manifestKey, expired, problems }: Pick<AuditBegun, 'manifestKey' | 'expired' | 'problems'>,
  ranges: readonly RangeVerdict[],
): ArchiveVerdict {
  const checked = ranges.filter((range): range is RangeChecked => !('failed' in range));
  const failed = ranges.filter((range) => 'failed' in range);
  const sum = (of: (range: RangeChecked) => number): number =>
    checked.reduce((total, range) => total + of(range), 0);
  const names = [...new Set(failed.map((range) => range.failed))].join(', ');
  const damaged = problems.length > 0 || sum((range) => range.problems) > 0;
  return {
    manifestKey,
    verdict: damaged ? 'damaged' : failed.length > 0 ? 'unknown' : expired ? 'expired' : 'intact',
    read: sum(({ read }) => read),
    cold: sum(({ cold }) => cold),
    bytes: sum(({ bytes }) => bytes),
    problems: [
      ...(failed.length > 0
        ? [`${names} in ${String(failed.length)} of ${String(ranges.length)} parts`]
        : []),
      ...problems,
      ...checked.flatMap(({ first }) => first ?? []),
    ].slice(0, MOST_PROBLEMS),
  };
}

/** A manifest that is not to be trusted is damage; whatever else went wrong leaves the archive without a verdict. */
export function failedVerdict(manifestKey: string, failure: StepFailure): ArchiveVerdict {
  const code = failure.Error ?? 'Unknown';
  return {
    manifestKey,
    verdict: code === 'ManifestInvalid' ? 'damaged' : 'unknown',
    read: 0,
    cold: 0,
    bytes: 0,
    problems: [`${code}: ${messageOf(failure)}`.slice(0, 500)],
  };
}

/** Adds the verdicts of a page to what came out before. */
export function addVerdicts(totals: AuditTotals, verdicts: readonly ArchiveVerdict[]): AuditTotals {
  const count = (wanted: ArchiveVerdict['verdict']): number =>
    verdicts.filter(({ verdict }) => verdict === wanted).length;
  const sum = (of: (verdict: ArchiveVerdict) => number): number =>
    verdicts.reduce((total, verdict) => total + of(verdict), 0);
  const lines = verdicts
    .filter(({ verdict }) => verdict === 'damaged' || verdict === 'unknown')
    .map(({ manifestKey, verdict, problems }) => `${manifestKey} is ${verdict}: ${problems.join('; ')}`);
  return {
    archives: totals.archives + verdicts.length,
    intact: totals.intact + count('intact'),
    damaged: totals.damaged + count('damaged'),
    expired: totals.expired + count('expired'),
    unknown: totals.unknown + count('unknown'),
    segmentsRead: totals.segmentsRead + sum(({ read }) => read),
    segmentsCold: totals.segmentsCold + sum(({ cold }) => cold),
    bytesRead: totals.bytesRead + sum(({ bytes }) => bytes),
    // An error's cause, where they end up, is limited to 32 KiB. The log has them all.
    problems: truncate([...totals.problems, ...lines], PAYLOAD_BUDGET.problems),
  };
}

/** Says how the audit ended. Throws `AuditFailed` unless every archive was intact. */
export function auditReport(
  totals: AuditTotals,
  { metrics, log }: { readonly metrics: AuditMetrics; readonly log: Log },
): AuditReport {
  metrics.audit(totals);
  const { problems, ...numbers } = totals;
  log.info('audit', numbers);
  const { archives, intact, damaged, expired, unknown, segmentsRead, segmentsCold, bytesRead } = totals;
  const summary = [
    `${counted(archives, 'archive')}: ${String(intact)} intact, ${String(damaged)} damaged, ${String(unknown)} without a verdict`,
    `${counted(segmentsRead, 'segment')} read back (${counted(bytesRead, 'byte')})`,
    ...(expired > 0 ? [`${String(expired)} have expired as configured`] : []),
    ...(segmentsCold > 0
      ? [`${String(segmentsCold)} in a Glacier tier, of which only the length was looked at`]
      : []),
  ].join('; ');
  const rest = damaged + unknown - problems.length;
  if (damaged + unknown > 0) {
    const lines = [summary, ...problems, ...(rest > 0 ? [`and ${String(rest)} more in the log`] : [])];
    throw new ArchiverError('AuditFailed', lines.join('\n'));
  }
  return { summary, ...totals };
}
