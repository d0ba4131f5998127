import { ArchiverError } from '../../../core/errors.ts';
import { parseUpgradeLedgerRequest } from '../../../core/ledger/upgrade.ts';
import type { ReleaseTo } from '../../../core/ledger/release.ts';
import { number, word, type Command } from '../command.ts';
import { operations, showJson } from '../operator.ts';

/** What an operator does with rows of the ledger. */
export const LEDGER_COMMANDS: Readonly<Record<string, Command>> = {
  release: {
    arguments: '<id>',
    does: 'gives a restored or blocked partition back to the pipeline (--to pipeline), or a quarantined one to its owner (--to owner)',
    options: ['to', 'owner'],
    examples: ['release 17', 'release 17 --to owner', 'release 17 --to owner --owner team_b'],
    needs: { logins: ['archiver_maintain'] },
    execute: async (context) => {
      const { to, owner } = context.options;
      if (to !== undefined && to !== 'pipeline' && to !== 'owner') {
        throw new ArchiverError('InvalidInput', `--to: ${JSON.stringify(to)} must be pipeline or owner`);
      }
      const receiver: ReleaseTo | undefined = to;
      showJson(context, await operations(context).release(number(context, 0), receiver, owner));
    },
  },
  'upgrade-ledger': {
    arguments: '<system-identifier>',
    does: 'after a major upgrade or a rename: registers the rows of the ledger under the new identity of the database',
    options: ['database', 'forget'],
    examples: [
      'upgrade-ledger 7357130938823684000',
      'upgrade-ledger 7357130938823684000 --database shop_old',
    ],
    needs: { logins: ['archiver_maintain'] },
    execute: async (context) => {
      const { database, forget } = context.options;
      const request = parseUpgradeLedgerRequest({ from: word(context, 0), database, forget });
      const report = await operations(context).upgradeLedger(request);
      const { summary, partitions, notShown, nextStep } = report;
      context.show(report, (say) => {
        say(summary);
        for (const { id, partition, was, state, remark } of partitions) {
          say(`  ${String(id)}  ${partition}: ${was === state ? was : `${was}, now ${state}`}; ${remark}`);
        }
        if (notShown > 0) say(`  and ${String(notShown)} more: npm run archive -- status`);
        say(nextStep);
      });
    },
  },
  reverify: {
    arguments: '<id>',
    does: 'proves a verified partition (or all) against its archive again, with a new fence: after a major upgrade, or a doubt',
    options: [],
    examples: ['reverify 17', 'reverify all'],
    needs: { logins: ['archiver_maintain', 'archiver_read'], bucket: true },
    takesLong: true,
    execute: async (context) => {
      const verbs = operations(context);
      if (word(context, 0) !== 'all') {
        showJson(context, await verbs.reverify(number(context, 0)));
        return;
      }
      const results: { partitionId: number; result: string }[] = [];
      let failed = 0;
      for (const partitionId of await verbs.reverifiable()) {
        try {
          const { segments, rows } = await verbs.reverify(partitionId);
          results.push({
            partitionId,
            result: `verified: ${String(segments)} segments, ${String(rows)} rows`,
          });
        } catch (error) {
          if (!(error instanceof ArchiverError)) throw error;
          failed += 1;
          results.push({ partitionId, result: `${error.code}: ${error.message}` });
        }
      }
      context.show(results, (say) => {
        for (const { partitionId, result } of results) say(`${String(partitionId)}  ${result}`);
      });
      if (failed > 0)
        throw new ArchiverError('PartitionsFailed', `${String(failed)} were not verified again`);
    },
  },
};
