import { pageDatabase } from '../../../adapters/postgres/archive/page.ts';
import { readTableSizes } from '../../../adapters/postgres/archive/status.ts';
import { ArchiverError } from '../../../core/errors.ts';
import type { Request } from '../../../core/archive/request.ts';
import { run, type Steps } from '../../../core/archive/run.ts';
import { pageFacts } from '../../../core/page/facts.ts';
import { ledgerLines } from '../../../core/page/lines.ts';
import { number, using, type Command, type CommandContext, type CommandOptions } from '../command.ts';
import { presentLedger, presentRun } from '../present.ts';
import type { CommandNeeds } from '../settings.ts';
import { localSteps } from '../steps.ts';
import { runWatcher } from '../terminal/watchers.ts';

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
  { needs = NEEDS, options = [], ...what }: Omit<Command, 'needs' | 'options' | 'execute'> & Partial<Command>,
  step: (steps: Steps, context: CommandContext, request: Request) => Promise<unknown>,
): Command {
  return {
    ...what,
    options,
    needs,
    execute: async (context) => {
      const steps = localSteps(context);
      const result = await step(steps, context, await steps.preflight(inputOf(context.options)));
      context.show(result, (say) => {
        say(typeof result === 'string' ? result : JSON.stringify(result, null, 2));
      });
    },
  };
}

/** The steps of a run, whose progress is shown in bytes of the tables that it archives. */
function watched(context: CommandContext): Steps {
  const { progress, open } = context;
  const steps = localSteps(context);
  if (!progress.isShown) return steps;
  const sizes = new Map<number, number>();
  progress.watch(runWatcher(sizes));
  return {
    ...steps,
    detect: async (request) => {
      const detection = await steps.detect(request);
      const found = await using(open('archiver_read'), (connection) =>
        readTableSizes(connection, detection.partitions),
      );
      for (const { id, bytes } of found) {
        sizes.set(id, bytes);
        progress.meter.expect(bytes);
      }
      return detection;
    },
  };
}

/** A run, its steps, and the ledger. */
export const RUN_COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    does: 'does everything: maintain, detect, quarantine, export, verify, commit, drop, report',
    options: ['dry-run', 'archive-only', 'only', 'set'],
    examples: ['run --dry-run', 'run --set public.flights --archive-only', 'run --only drop'],
    needs: NEEDS,
    execute: async (context) => {
      const { config, clock, options, show } = context;
      const { concurrency } = config;
      const report = await run(inputOf(options), watched(context), { concurrency, clock });
      show(report, (say) => {
        presentRun(report, options, say);
      });
      const left = [
        ...(report.failed > 0 ? [`${String(report.failed)} failed`] : []),
        ...(report.blocked.total > 0 && options['dry-run'] !== true
          ? [`${String(report.blocked.total)} still blocked`]
          : []),
      ];
      // What the execution's output and alarms say in AWS, the exit code says here.
      if (left.length > 0) throw new ArchiverError('PartitionsFailed', left.join(', '));
    },
  },
  status: {
    does: 'shows the ledger: every partition ever seen, its state, and what is wrong with it',
    options: [],
    examples: ['status', 'status --json'],
    needs: { logins: ['archiver_read'] },
    execute: ({ open, show, width }) =>
      using(open('archiver_read'), async (connection) => {
        const database = pageDatabase(connection);
        const rows = await database.rows();
        const facts = await pageFacts({ ...database, rows: () => Promise.resolve(rows) });
        show(rows, (say) => {
          presentLedger(rows, width, say);
          say('');
          for (const line of ledgerLines(facts)) say(line);
        });
      }),
  },
  preflight: single(
    {
      does: 'checks everything that a run needs, and changes nothing',
      options: ['set'],
      examples: ['preflight', 'preflight --set public.flights'],
    },
    () => Promise.resolve('ready'),
  ),
  maintain: single(
    {
      does: 'records the attached partitions and runs pg_partman’s maintenance',
      options: ['set'],
      examples: ['maintain', 'maintain --set public.flights'],
    },
    (steps, _, request) => steps.maintain(request),
  ),
  detect: single(
    {
      does: 'lists the ids of the partitions that there is work for',
      options: ['set'],
      examples: ['detect'],
    },
    (steps, _, request) => steps.detect(request),
  ),
  quarantine: single(
    {
      arguments: '<id>',
      does: 'moves a detached partition behind the fence',
      examples: ['quarantine 17'],
    },
    (steps, context, request) => steps.quarantine(number(context, 0), request),
  ),
  export: single(
    { arguments: '<id> <segment>', does: 'exports one segment', examples: ['export 17 0'] },
    (steps, context) => steps.export(number(context, 0), number(context, 1)),
  ),
  verify: single(
    {
      arguments: '<id> <segment>',
      does: 'proves one segment against the table',
      examples: ['verify 17 0'],
    },
    (steps, context) => steps.verify(number(context, 0), number(context, 1)),
  ),
  commit: single(
    { arguments: '<id>', does: 'writes and records the manifest', examples: ['commit 17'] },
    (steps, context, request) => steps.commit(number(context, 0), request),
  ),
  drop: single(
    {
      arguments: '<id>',
      does: 'drops a partition whose archive is verified and whose grace period is over',
      examples: ['drop 17'],
    },
    (steps, context) => steps.drop(number(context, 0)),
  ),
};
