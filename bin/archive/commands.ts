import { readLedger } from '../../adapters/postgres/status.ts';
import { ArchiverError } from '../../core/errors.ts';
import { displayName, type LedgerRow } from '../../core/partition.ts';
import type { Clock } from '../../core/ports.ts';
import type { Forecast } from '../../core/detect.ts';
import type { RunReport } from '../../core/report.ts';
import { run, type Steps } from '../../core/run.ts';
import { localSteps, type Wiring } from './steps.ts';

/** Options of the command line, read and typed. */
export interface CommandOptions {
  readonly dryRun: boolean;
  readonly archiveOnly: boolean;
  readonly only: string | undefined;
  readonly sets: readonly string[] | undefined;
}

/** What a command is given. */
export interface CommandContext {
  readonly wiring: Wiring;
  readonly clock: Clock;
  readonly options: CommandOptions;
  /** Numbers after the command's name: a partition's id, a segment's number. */
  readonly numbers: readonly number[];
  readonly say: (line: string) => void;
}

/** One command: how it is called, what it does, and how. */
export interface Command {
  readonly usage: string;
  readonly does: string;
  /** How many numbers it takes. */
  readonly takes: number;
  readonly execute: (context: CommandContext) => Promise<void>;
}

/** The execution input that the options stand for. */
function inputOf({ dryRun, archiveOnly, only, sets }: CommandOptions): Record<string, unknown> {
  return {
    ...(dryRun && { dryRun }),
    ...(archiveOnly && { archiveOnly }),
    ...(only !== undefined && { only }),
    ...(sets && { partitionSets: sets }),
  };
}

/** A command that is one step of a run, alone; the preflight comes first, as it does in a run. */
function single(
  usage: string,
  does: string,
  takes: number,
  step: (
    steps: Steps,
    context: CommandContext,
    request: Awaited<ReturnType<Steps['preflight']>>,
  ) => Promise<unknown>,
): Command {
  return {
    usage,
    does,
    takes,
    execute: async (context) => {
      const steps = localSteps(context.wiring);
      const answer = await step(steps, context, await steps.preflight(inputOf(context.options)));
      if (answer !== undefined) context.say(JSON.stringify(answer, null, 2));
    },
  };
}

const number = ({ numbers }: CommandContext, index: number): number => {
  const value = numbers[index];
  if (value === undefined) throw new ArchiverError('InvalidInput', 'a number is missing');
  return value;
};

/** Every command by its name. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    usage: 'run [--dry-run] [--archive-only] [--only inventory|drop] [--set <schema.table>]…',
    does: 'does everything: maintain, detect, quarantine, export, verify, commit, drop, report',
    takes: 0,
    execute: async ({ wiring, clock, options, say }) => {
      const { concurrency } = wiring.config;
      present(await run(inputOf(options), localSteps(wiring), { concurrency, clock }), options, say);
    },
  },
  status: {
    usage: 'status',
    does: 'shows the ledger: every partition ever seen, its state, and what is wrong with it',
    takes: 0,
    execute: async ({ wiring, say }) => {
      const connection = wiring.open('archiver_read');
      try {
        presentLedger(await readLedger(connection), say);
      } finally {
        await connection.end({ timeout: 1 });
      }
    },
  },
  preflight: single(
    'preflight',
    'checks everything that a run needs, and changes nothing',
    0,
    (_, { say }) => {
      say('ready');
      return Promise.resolve(undefined);
    },
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

function present(report: RunReport, options: CommandOptions, say: (line: string) => void): void {
  if (options.dryRun) {
    presentForecast(report.forecast ?? [], say);
    return;
  }
  say(report.summary);
  for (const { partition, state, rows, bytes, manifest } of report.partitions) {
    say(
      `  ${partition}: ${state}, ${String(rows ?? 0)} rows, ${String(bytes ?? 0)} bytes${manifest === null ? '' : `, ${manifest}`}`,
    );
  }
  for (const { partitionSet, warnings } of report.partitionSets) {
    for (const warning of warnings) say(`  ${partitionSet}: ${warning}`);
  }
  for (const table of report.tooYoung)
    say(`  ${table}: detached, but not past the retention yet; left alone`);
}

function presentForecast(forecast: readonly Forecast[], say: (line: string) => void): void {
  say(`a run would archive ${String(forecast.length)} partitions; nothing was changed`);
  for (const { partition, lowerBound, upperBound, attached, rows, bytes, segments } of forecast) {
    say(
      `  ${partition} [${lowerBound}, ${upperBound}): about ${String(rows)} rows, ${String(bytes)} bytes, ${String(segments)} segments`,
    );
    if (attached) say('    select partman.run_maintenance(…)  detaches it');
    say('    alter table … set schema partition_archive, behind a fence');
    say('    select aws_s3.query_export_to_s3(…) once a segment, and copy (…) to stdout to prove it');
    say('    drop table … restrict, where the configuration lets it and the grace period is over');
  }
}

function presentLedger(rows: readonly LedgerRow[], say: (line: string) => void): void {
  const line = (...cells: string[]): void => {
    const widths = [6, 34, 12, 10, 14];
    say(
      cells
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join(' ')
        .trimEnd(),
    );
  };
  line('id', 'partition', 'state', 'period', 'rows', 'remarks');
  for (const row of rows) {
    const remarks = [
      ...(row.dropAfter !== null && row.state === 'verified'
        ? [`drop after ${row.dropAfter.toISOString()}`]
        : []),
      ...(row.blockedReason === null ? [] : [`${row.blockedCode ?? ''}: ${row.blockedReason}`]),
      ...(row.failedReason === null ? [] : [`${row.failedCode ?? ''}: ${row.failedReason}`]),
    ];
    line(
      String(row.id),
      displayName(row.schema, row.table),
      row.state,
      row.period,
      String(row.rows ?? ''),
      remarks.join('; '),
    );
  }
}
