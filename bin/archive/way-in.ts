import { adoptDatabase } from '../../adapters/postgres/adopt.ts';
import { inspectDatabase } from '../../adapters/postgres/inspect.ts';
import { installationFiles, prepareDatabase } from '../../adapters/postgres/prepare.ts';
import { adopt } from '../../core/adopt.ts';
import { ArchiverError } from '../../core/errors.ts';
import { inspect } from '../../core/inspect.ts';
import { showInspection } from '../../core/inspect/chart.ts';
import { displayName } from '../../core/partition.ts';
import type { PreflightProblem } from '../../core/preflight.ts';
import { prepare, type PrepareOptions } from '../../core/prepare.ts';
import { preparationScript } from '../../core/prepare/script.ts';
import { parseTableName } from '../../core/table-name.ts';
import { number, using, word, type Command, type CommandContext } from './command.ts';
import { PARTITION_TABLE } from './partition-table.ts';

const lines = (problems: readonly PreflightProblem[]): string[] =>
  problems.map(({ subject, problem, remedy }) => `  ${subject}: ${problem}. ${remedy}`);

/** A role's secret, where the environment has its password. */
const secretOf =
  ({ passwordFor }: CommandContext): PrepareOptions['secretOf'] =>
  (role) => {
    const password = passwordFor(role);
    return Promise.resolve(password === undefined ? undefined : { username: role, password });
  };

/** Every command of the way in by its name. */
export const WAY_IN: Readonly<Record<string, Command>> = {
  prepare: {
    usage: 'prepare [--print] [--no-guard]',
    does: 'prepares the database as an administrator: extensions, roles, ledger, owners, passwords, guard; --print shows the SQL instead',
    takes: 0,
    needs: { config: true, logins: ['administrator'] },
    execute: async (context) => {
      const {
        config: { partitionSets },
        open,
        log,
        options,
        say,
      } = context;
      await using(open('administrator'), async (connection) => {
        const database = prepareDatabase(connection);
        if (options.print === true) {
          const facts = await database.facts(partitionSets);
          say(preparationScript(facts, partitionSets, await installationFiles()));
          return;
        }
        const guard = options['no-guard'] !== true;
        const { done, problems, advice } = await prepare(database, {
          ...{ partitionSets, guard, log },
          secretOf: secretOf(context),
        });
        for (const what of done) say(`done: ${what}`);
        if (advice.length > 0) say(['worth a look:', ...lines(advice)].join('\n'));
        if (problems.length > 0) {
          throw new ArchiverError('PreflightFailed', ['still missing:', ...lines(problems)].join('\n'));
        }
        say('ready');
      });
    },
  },
  inspect: {
    usage: 'inspect <schema.table> [--control <column>] [--exact] [--time-zone <zone>]',
    does: 'shows how the rows of a table spread over time, and proposes how to partition it',
    takes: 1,
    needs: { logins: ['administrator'] },
    execute: async (context) => {
      const { open, clock, options, say } = context;
      const request = {
        ...parseTableName(word(context, 0)),
        ...{ control: options.control, exact: options.exact === true },
        ...(options['time-zone'] !== undefined && { timeZone: options['time-zone'] }),
      };
      await using(open('administrator'), async (connection) => {
        const inspection = await inspect(request, { database: inspectDatabase(connection), clock });
        for (const line of showInspection(inspection)) say(line);
      });
    },
  },
  adopt: {
    usage: 'adopt <oid> <schema.table> [--lower <value> --upper <value>]',
    does: 'takes a table that was detached earlier into the ledger, as a partition of that set; without bounds proposes them',
    takes: 2,
    needs: { config: true, logins: ['archiver_maintain'] },
    execute: async (context) => {
      const { config, open, log, options, say } = context;
      const { schema, table } = parseTableName(word(context, 1));
      const partitionSet = config.partitionSets.find((set) => set.schema === schema && set.table === table);
      if (partitionSet === undefined) {
        throw new ArchiverError(
          'InvalidInput',
          `${displayName(schema, table)} is not among the configured partition sets`,
        );
      }
      const { lower, upper } = options;
      if ((lower === undefined) !== (upper === undefined)) {
        throw new ArchiverError('InvalidInput', 'name both bounds or none');
      }
      const request = {
        ...{ table: number(context, 0), partitionSet },
        bounds: lower === undefined || upper === undefined ? undefined : { lower, upper },
      };
      const adoption = await using(open('archiver_maintain'), (connection) =>
        adopt(request, { database: adoptDatabase(connection), log }),
      );
      switch (adoption.kind) {
        case 'adopted':
          say(
            `partition ${String(adoption.partition)} [${adoption.lowerBound}, ${adoption.upperBound}): the next run archives it if it is past the retention`,
          );
          return;
        case 'proposal':
          say('nothing was changed; if these are its bounds, adopt it with');
          say(`  --lower '${adoption.lowerBound}' --upper '${adoption.upperBound}'`);
          return;
        case 'refused':
          throw new ArchiverError('PreflightFailed', adoption.reasons.join('\n'));
      }
    },
  },
  ...PARTITION_TABLE,
};
