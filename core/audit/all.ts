import type { ArchiveStore } from '../archive-store.ts';
import type { Expiry } from '../config/runtime.ts';
import { ArchiverError } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';
import { nextArchives } from './archives.ts';
import { auditRange, beginAudit } from './parts.ts';
import {
  addVerdicts,
  auditReport,
  failedVerdict,
  EMPTY_TOTALS,
  verdictOf,
  type ArchiveVerdict,
  type AuditMetrics,
  type AuditReport,
} from './report.ts';
import type { AuditRequest } from './request.ts';

interface Ports {
  readonly store: ArchiveStore;
  /** Archives past it are counted, and not read. */
  readonly expiry?: Expiry | undefined;
  readonly random: () => number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AuditMetrics;
  /** Gets a line for each archive. */
  readonly say: (line: string) => void;
}

/** A whole audit in this process, archive after archive, in the order of the state machine *Audit*. */
export async function auditAll(request: AuditRequest, ports: Ports): Promise<AuditReport> {
  let totals = EMPTY_TOTALS;
  let after: string | null = null;
  do {
    const page = await nextArchives(request, after, ports);
    for (const manifestKey of page.archives) {
      const verdict = await verdictOn(manifestKey, request, ports);
      totals = addVerdicts(totals, [verdict]);
      ports.say([manifestKey, verdict.verdict, ...verdict.problems].join('  '));
    }
    after = page.after;
  } while (after !== null);
  return auditReport(totals, ports);
}

async function verdictOn(
  manifestKey: string,
  { segments }: AuditRequest,
  ports: Ports,
): Promise<ArchiveVerdict> {
  try {
    const begun = await beginAudit({ manifestKey, segments }, ports.expiry, ports);
    const ranges = [];
    for (const range of begun.ranges) ranges.push(await auditRange({ ...begun, range }, ports));
    return verdictOf(begun, ranges);
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error;
    return failedVerdict(manifestKey, { Error: error.code, Cause: error.message });
  }
}
