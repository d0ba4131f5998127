import { readManifest, type ArchiveStore } from '../archive-store.ts';
import { audit } from '../audit.ts';
import { ArchiverError } from '../errors.ts';
import type { Log } from '../ports.ts';
import { nextArchives } from './archives.ts';
import { inOneLine } from './parts.ts';
import {
  addVerdicts,
  auditReport,
  failedVerdict,
  NOTHING_YET,
  type ArchiveVerdict,
  type AuditMetrics,
  type AuditReport,
} from './report.ts';
import type { AuditRequest } from './request.ts';

interface Ports {
  readonly store: ArchiveStore;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: AuditMetrics;
  /** Gets a line for each archive. */
  readonly say: (line: string) => void;
}

/** A whole audit in this process, archive after archive, in the order of the state machine *Audit*. */
export async function auditAll(request: AuditRequest, ports: Ports): Promise<AuditReport> {
  let totals = NOTHING_YET;
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
  { store, random, log }: Ports,
): Promise<ArchiveVerdict> {
  try {
    const sample = segments === null ? 'all' : { segments, random };
    const verdict = await audit(await readManifest(store, manifestKey), sample, { store, log });
    return {
      manifestKey,
      verdict: verdict.intact ? 'intact' : 'damaged',
      read: verdict.checked.segments - verdict.cold,
      cold: verdict.cold,
      bytes: verdict.checked.bytes,
      problems: verdict.problems.map(inOneLine),
    };
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error;
    return failedVerdict(manifestKey, { Error: error.code, Cause: error.message });
  }
}
