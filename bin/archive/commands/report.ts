import { writeFileSync } from 'node:fs';
import { readLedger } from '../../../adapters/postgres/archive/status.ts';
import { s3ArchiveStore } from '../../../adapters/s3/archive-store.ts';
import { readManifest } from '../../../core/archive-store.ts';
import { mapAtOnce } from '../../../core/concurrency.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { latestCopy } from '../../../core/query/copy-manifest.ts';
import { reportLines, reportPage, type ReportInput, type ShownCopy } from '../../../core/report-page.ts';
import { using, type Command, type CommandContext } from '../command.ts';

/** Manifests read at the same time. */
const AT_ONCE = 16;

async function inputOf({ open, s3, bucket, region, clock }: CommandContext): Promise<ReportInput> {
  const store = s3ArchiveStore(s3, bucket, region);
  const ledger = await using(open('archiver_read'), (connection) => readLedger(connection));
  const copies = new Map<string, ShownCopy>();
  const keys = ledger.map(({ manifestKey }) => manifestKey).filter((key) => key !== null);
  await mapAtOnce(keys, AT_ONCE, async (archiveKey) => {
    try {
      const copy = await latestCopy(await readManifest(store, archiveKey), store);
      if (copy === null) return;
      const { rows, textBytes, bytes } = copy.manifest.contents;
      copies.set(archiveKey, { archiveKey, rows, textBytes, copyBytes: bytes });
    } catch (error) {
      // A manifest that cannot be read is for the audit to tell; the page shows what the ledger says.
      if (!(error instanceof ArchiverError) || error.retryable) throw error;
    }
  });
  return { madeAt: clock.now().toISOString(), ledger, copies };
}

/** The archive at a glance. */
export const REPORT: Command = {
  does: 'shows each partition set with a letter for each period, or writes a page without scripts',
  options: ['html'],
  examples: ['report', 'report --html archive.html'],
  needs: { logins: ['archiver_maintain'], bucket: true },
  execute: async (context) => {
    const { options, show } = context;
    const input = await inputOf(context);
    const { html } = options;
    if (html !== undefined) writeFileSync(html, reportPage(input));
    const { madeAt, ledger, copies } = input;
    show({ madeAt, ledger, copies: [...copies.values()], page: html ?? null }, (say) => {
      for (const line of html === undefined ? reportLines(input) : [html]) say(line);
    });
  },
};
