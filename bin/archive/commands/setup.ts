import { adoptDatabase } from '../../../adapters/postgres/ledger/adopt.ts';
import { inspectDatabase } from '../../../adapters/postgres/setup/inspect.ts';
import { installationFiles, prepareDatabase } from '../../../adapters/postgres/setup/prepare.ts';
import { adopt } from '../../../core/ledger/adopt.ts';
import { parseAdoptRequest } from '../../../core/ledger/adopt-request.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { inspect } from '../../../core/setup/inspect.ts';
import { showInspection } from '../../../core/setup/inspect-chart.ts';
import { problemLine, type PreflightProblem } from '../../../core/archive/preflight.ts';
import { prepare, type PrepareOptions } from '../../../core/setup/prepare.ts';
import { preparationScript } from '../../../core/setup/prepare-script.ts';
import { parseTableName } from '../../../core/table-name.ts';
import { number, using, word, type Command, type CommandContext } from '../command.ts';

const lines = (problems: readonly PreflightProblem[]): string[] =>
  problems.map((problem) => `  ${problemLine(problem)}`);

/** What comes after the installation alone. */
const NEXT =
  'no partition set is configured yet: inspect <schema.table> proposes how to partition a plain table, partition-table does it; then name the set in the configuration and prepare again';

/** A role's secret, where the environment has its password. */
const secretOf =
  ({ passwordFor }: CommandContext): PrepareOptions['secretOf'] =>
  (role) => {
    const password = passwordFor(role);
    return Promise.resolve(password === undefined ? undefined : { username: role, password });
  };

/** Every command of the setup by its name. */
export const SETUP_COMMANDS: Readonly<Record<string, Command>> = {
  prepare: {
    does: 'prepares the database as an administrator: extensions, roles, ledger, owners, passwords, guard',
    options: ['print', 'no-guard'],
    combinations: { exclusive: [['print', 'no-guard']] },
    examples: ['prepare', 'prepare --print > prepare.sql'],
    needs: { config: 'if there', noSets: true, logins: ['administrator'] },
    execute: async (context) => {
      const {
        config: { partitionSets, acceptedPublications },
        open,
        log,
        options,
        show,
      } = context;
      await using(open('administrator'), async (connection) => {
        const database = prepareDatabase(connection);
        if (options.print === true) {
          const facts = await database.facts(partitionSets);
          const script = preparationScript(
            facts,
            { partitionSets, acceptedPublications },
            await installationFiles(),
          );
          show({ script }, (say) => {
            say(script);
          });
          return;
        }
        const guard = options['no-guard'] !== true;
        const { done, problems, advice } = await prepare(database, {
          partitionSets,
          acceptedPublications,
          guard,
          log,
          secretOf: secretOf(context),
        });
        show({ done, advice, problems }, (say) => {
          for (const what of done) say(`done: ${what}`);
          if (advice.length > 0) say(['worth a look:', ...lines(advice)].join('\n'));
          if (problems.length === 0) say('ready');
          if (problems.length === 0 && partitionSets.length === 0) say(NEXT);
        });
        if (problems.length > 0) {
          throw new ArchiverError('PreflightFailed', ['still missing:', ...lines(problems)].join('\n'));
        }
      });
    },
  },
  inspect: {
    arguments: '<schema.table>',
    does: 'shows how the rows of a table spread over time, and proposes how to partition it',
    options: ['control', 'exact', 'time-zone'],
    examples: ['inspect public.flights', 'inspect public.flights --control departed --exact'],
    needs: { logins: ['administrator'] },
    execute: async (context) => {
      const { open, clock, options, show } = context;
      const request = {
        ...parseTableName(word(context, 0)),
        control: options.control,
        exact: options.exact === true,
        ...(options['time-zone'] !== undefined && { timeZone: options['time-zone'] }),
      };
      await using(open('administrator'), async (connection) => {
        const inspection = await inspect(request, { database: inspectDatabase(connection), clock });
        show(inspection, (say) => {
          for (const line of showInspection(inspection)) say(line);
        });
      });
    },
  },
  adopt: {
    arguments: '<oid> <schema.table>',
    does: 'takes a table that was detached earlier into the ledger, as a partition of that set; without bounds proposes them',
    options: ['lower', 'upper'],
    examples: [
      'adopt 24588 public.flights',
      "adopt 24588 public.flights --lower '2021-01-01' --upper '2021-02-01'",
    ],
    needs: { config: true, logins: ['archiver_maintain'] },
    execute: async (context) => {
      const { config, open, log, options, show } = context;
      const { lower, upper } = options;
      const input = { table: number(context, 0), partitionSet: word(context, 1), lower, upper };
      const request = parseAdoptRequest(input, config);
      const adoption = await using(open('archiver_maintain'), (connection) =>
        adopt(request, { database: adoptDatabase(connection), log }),
      );
      if (adoption.kind === 'refused') {
        throw new ArchiverError('PreflightFailed', adoption.reasons.join('\n'));
      }
      show(adoption, (say) => {
        const bounds = `[${adoption.lowerBound}, ${adoption.upperBound})`;
        if (adoption.kind === 'adopted') {
          say(
            `partition ${String(adoption.partitionId)} ${bounds}: the next run archives it if it is past the retention`,
          );
          return;
        }
        say('nothing was changed; if these are its bounds, adopt it with');
        say(`  --lower '${adoption.lowerBound}' --upper '${adoption.upperBound}'`);
      });
    },
  },
};
