import type { ArchiveStore } from '../archive-store.ts';
import type { Log } from '../ports.ts';
import { nextArchives } from './archives.ts';
import {
  addVerdicts,
  auditReport,
  EMPTY_TOTALS,
  type ArchiveVerdict,
  type AuditMetrics,
  type AuditReport,
  type AuditTotals,
} from './report.ts';
import { parseAuditRequest } from './request.ts';

/** Where an audit stands between two pages of archives. */
export interface AuditProgress {
  readonly totals: AuditTotals;
  /** Where the next page continues; `null` behind the last one. */
  readonly after: string | null;
}

/** What is to be done next: some archives, or nothing more. */
export type AuditNext =
  | {
      readonly next: 'archives';
      readonly archives: readonly string[];
      readonly segments: number | null;
      readonly progress: AuditProgress;
    }
  | { readonly next: 'done'; readonly report: AuditReport };

/**
 * One turn of an audit: takes the verdicts on the page before, and returns the next one, or the report. An audit is a
 * loop, and not one list, so that any number of archives fits. At the first turn there is neither progress nor verdict.
 */
export async function auditNext(
  {
    input,
    progress,
    verdicts = [],
  }: {
    readonly input: unknown;
    readonly progress?: AuditProgress;
    readonly verdicts?: readonly ArchiveVerdict[];
  },
  ports: {
    readonly store: ArchiveStore;
    readonly database: string;
    readonly random: () => number;
    readonly metrics: AuditMetrics;
    readonly log: Log;
  },
): Promise<AuditNext> {
  const request = parseAuditRequest(input, ports.database);
  const totals = addVerdicts(progress?.totals ?? EMPTY_TOTALS, verdicts);
  let after = progress?.after ?? null;
  while (progress === undefined || after !== null) {
    const page = await nextArchives(request, after, ports);
    after = page.after;
    if (page.archives.length > 0) {
      const { archives } = page;
      return { next: 'archives', archives, segments: request.segments, progress: { totals, after } };
    }
    // A page of which nothing lies in the range.
    if (after === null) break;
  }
  return { next: 'done', report: auditReport(totals, ports) };
}
