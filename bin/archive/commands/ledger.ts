import { counted } from '../../../core/counted.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { parseUpgradeLedgerRequest } from '../../../core/ledger/upgrade.ts';
import { number, word, type Command } from '../command.ts';
import { operations, showJson } from '../operator.ts';
import { reverifyWatcher } from '../terminal/watchers.ts';

/** What an operator does with rows of the ledger. */
export const LEDGER_COMMANDS: Readonly<Record<string, Command>> = {
  resume: {
    arguments: '<id>',
    does: 'returns a blocked, restored or released partition to the pipeline',
    options: [],
    examples: ['resume 17'],
    needs: { logins: ['archiver_maintain'] },
    execute: async (context) => {
      showJson(context, await operations(context).resume(number(context, 0)));
    },
  },
  release: {
    arguments: '<id>',
    does: 'returns a table in quarantine to its owner: an ordinary table, which no run touches',
    options: ['owner'],
    examples: ['release 17', 'release 17 --owner team_b'],
    needs: { logins: ['archiver_maintain'] },
    execute: async (context) => {
      showJson(context, await operations(context).release(number(context, 0), context.options.owner));
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
    arguments: '<id|all>',
    does: 'proves a verified partition, or all, against its archive again, with a new fence: after a major upgrade, or a doubt',
    options: [],
    examples: ['reverify 17', 'reverify all'],
    needs: { logins: ['archiver_maintain', 'archiver_read'], bucket: true },
    takesLong: true,
    execute: async (context) => {
      context.progress.watch(reverifyWatcher);
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
            result: `verified: ${counted(segments, 'segment')}, ${counted(rows, 'row')}`,
          });
        } catch (error) {
          if (!(error instanceof ArchiverError)) throw error;
          failed += 1;
          results.push({ partitionId, result: `${error.code}: ${error.message}` });
        }
      }
      context.show(results, (say) => {
        if (results.length === 0)
          say('no partition is verified and not dropped, or blocked by a broken seal');
        for (const { partitionId, result } of results) say(`${String(partitionId)}  ${result}`);
      });
      if (failed > 0)
        throw new ArchiverError('PartitionsFailed', `${String(failed)} were not verified again`);
    },
  },
};
