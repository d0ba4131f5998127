import { readLedger } from '../../adapters/postgres/status.ts';
import type { Request } from '../../core/request.ts';
import { run, type Steps } from '../../core/run.ts';
import { number, using, type Command, type CommandContext, type CommandOptions } from './command.ts';
import { presentLedger, presentRun } from './present.ts';
import type { CommandNeeds } from './settings.ts';
import { localSteps } from './steps.ts';

const NEEDS: CommandNeeds = {
  config: true,
  logins: ['archiver_maintain', 'archiver_read', 'archiver_drop'],
  bucket: true,
};

/** The execution input that the options stand for. */
function inputOf({ only, set, ...options }: CommandOptions): Record<string, unknown> {
  return {
    ...(options['dry-run'] === true && { dryRun: true }),
    ...(options['archive-only'] === true && { archiveOnly: true }),
    ...(only !== undefined && { only }),
    ...(set && { partitionSets: set }),
  };
}

/** A command that is one step of a run, alone; the preflight comes first, as it does in a run. */
function single(
  usage: string,
  does: string,
  takes: number,
  step: (steps: Steps, context: CommandContext, request: Request) => Promise<unknown>,
): Command {
  return {
    usage,
    does,
    takes,
    needs: NEEDS,
    execute: async (context) => {
      const steps = localSteps(context);
      const answer = await step(steps, context, await steps.preflight(inputOf(context.options)));
      context.say(typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2));
    },
  };
}

/** A run, its steps, and the ledger. */
export const RUN_COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    usage: 'run [--dry-run] [--archive-only] [--only inventory|drop] [--set <schema.table>]…',
    does: 'does everything: maintain, detect, quarantine, export, verify, commit, drop, report',
    takes: 0,
    needs: NEEDS,
    execute: async (context) => {
      const { config, clock, options, say } = context;
      const { concurrency } = config;
      presentRun(await run(inputOf(options), localSteps(context), { concurrency, clock }), options, say);
    },
  },
  status: {
    usage: 'status',
    does: 'shows the ledger: every partition ever seen, its state, and what is wrong with it',
    takes: 0,
    needs: { logins: ['archiver_read'] },
    execute: ({ open, say }) =>
      using(open('archiver_read'), async (connection) => {
        presentLedger(await readLedger(connection), say);
      }),
  },
  preflight: single('preflight', 'checks everything that a run needs, and changes nothing', 0, () =>
    Promise.resolve('ready'),
  ),
  maintain: single(
    'maintain',
    'records the attached partitions and runs pg_partman’s maintenance',
    0,
    (steps, _, request) => steps.maintain(request),
  ),
  detect: single('detect', 'lists the ids of the partitions that there is work for', 0, (steps, _, request) =>
    steps.detect(request),
  ),
  quarantine: single(
    'quarantine <id>',
    'moves a detached partition behind the fence',
    1,
    (steps, context, request) => steps.quarantine(number(context, 0), request),
  ),
  export: single('export <id> <segment>', 'exports one segment', 2, (steps, context) =>
    steps.export(number(context, 0), number(context, 1)),
  ),
  verify: single('verify <id> <segment>', 'proves one segment against the table', 2, (steps, context) =>
    steps.verify(number(context, 0), number(context, 1)),
  ),
  commit: single('commit <id>', 'writes and records the manifest', 1, (steps, context, request) =>
    steps.commit(number(context, 0), request),
  ),
  drop: single(
    'drop <id>',
    'drops a partition whose archive is verified and whose grace period is over',
    1,
    (steps, context) => steps.drop(number(context, 0)),
  ),
};
