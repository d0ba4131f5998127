import { writeFileSync } from 'node:fs';
import { pageDatabase } from '../../../adapters/postgres/archive/page.ts';
import { pageFacts } from '../../../core/page/facts.ts';
import { reportLines } from '../../../core/page/lines.ts';
import { makePage, storedSets } from '../../../core/page/make.ts';
import { using, type Command } from '../command.ts';
import { named } from '../local-folder.ts';
import { storeOf } from '../operator.ts';

/** The archive at a glance. */
export const REPORT: Command = {
  does: 'shows each partition set with a letter for each period, or writes a page without scripts',
  options: ['html'],
  examples: ['report', 'report --html archive.html'],
  needs: { logins: ['archiver_read'], bucket: true },
  execute: async (context) => {
    const {
      open,
      clock,
      options: { html },
      show,
    } = context;
    const store = storeOf(context);
    const facts = await using(open('archiver_read'), (connection) => pageFacts(pageDatabase(connection)));
    const sets = await storedSets(facts, store);
    if (html !== undefined) {
      const page = await makePage(facts, sets, { store, clock });
      named('html', () => {
        writeFileSync(html, page);
      });
    }
    const { lastAudit, lastDrill } = facts;
    const result = {
      lastAudit,
      lastDrill,
      page: html ?? null,
      partitionSets: sets.map(({ facts: set, stored }) => ({ ...set, archives: [...stored.values()] })),
    };
    show(result, (say) => {
      for (const line of html === undefined ? reportLines(sets, facts) : [html]) say(line);
    });
  },
};
