/**
 * The crash matrix: every kind of fault at every point of a run where it can strike. `npm run test:crash`, with
 *
 *   --jobs 2         cases at the same time
 *   --minutes 30     as many cases as fit, evenly from the whole matrix
 *   --every 7        only each seventh case
 *   --fault kill     only faults whose name contains this
 *   --export stream  segments are streamed, not exported by aws_s3
 *   --compression zstd, --proof two-readings  as in the configuration
 *   --point 'S3'     only points whose label or channel contains this
 *   --write          RESULTS.md (RESULTS-stream.md) is written, as after a run of all cases
 *
 * Ends with 1 if a row was lost or a run did not end as it should.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandOptions } from '../../adapters/command-options.ts';
import { startLocalStack, type LocalStack } from '../../local/stack.ts';
import { EXPORT_OPTIONS, exportOptions } from '../support/export-options.ts';
import { typedCommand, writeResults } from '../support/results.ts';
import type { Point } from '../support/faults/gate.ts';
import type { Lines } from '../support/invariant.ts';
import { CrashBench } from './bench.ts';
import { recordPoints, tryFault, type Outcome } from './case.ts';
import { FAULTS, type Fault } from './faults.ts';

interface Case {
  readonly point: Point;
  readonly fault: Fault;
}

const { values: options } = commandOptions(import.meta.filename, {
  options: {
    jobs: { type: 'string', default: '2' },
    minutes: { type: 'string' },
    every: { type: 'string', default: '1' },
    fault: { type: 'string', default: '' },
    point: { type: 'string', default: '' },
    ...EXPORT_OPTIONS,
    write: { type: 'boolean', default: false },
  },
});

const streamed = options.export === 'stream';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const describe = ({ channel, number, label }: Point): string => `${channel} ${String(number)} (${label})`;

/** So that the first cases, however many, are spread over all: any bound of these fractions is met at even distances. */
function inEvenOrder(cases: readonly Case[]): Case[] {
  const GOLDEN = (Math.sqrt(5) - 1) / 2;
  const places = cases.map((each, index) => ({ each, place: (index * GOLDEN) % 1 }));
  return places.sort((a, b) => a.place - b.place).map(({ each }) => each);
}

/** All cases that the options let in, and each n-th of them. */
function chooseCases(points: readonly Point[]): { all: number; cases: Case[] } {
  const filtered = points
    .filter((point) => `${point.channel} ${point.label}`.toLowerCase().includes(options.point.toLowerCase()))
    .flatMap((point) => FAULTS.filter((fault) => fault.appliesTo(point)).map((fault) => ({ point, fault })))
    .filter(({ fault }) => fault.name.toLowerCase().includes(options.fault.toLowerCase()));
  const all = options.minutes === undefined ? filtered : inEvenOrder(filtered);
  return { all: all.length, cases: all.filter((_, index) => index % Number(options.every) === 0) };
}

async function tryAll(
  benches: readonly CrashBench[],
  known: Lines,
  cases: readonly Case[],
  stack: LocalStack,
  outcomes: Outcome[],
  until: number,
): Promise<void> {
  const queue = cases.values();
  const work = async (bench: CrashBench): Promise<void> => {
    for (const each of queue) {
      if (performance.now() > until) return;
      const outcome = await tryFault(bench, known, each, stack).catch((error: unknown) =>
        untried(each, error),
      );
      outcomes.push(outcome);
      if (outcome.problems.length > 0) {
        say(`${describe(each.point)}, ${each.fault.name}: ${outcome.first}; ${outcome.problems.join('; ')}`);
      }
      if (outcomes.length % 50 === 0) say(`${String(outcomes.length)} cases`);
    }
  };
  await Promise.all(benches.map(work));
}

/** A case of which nothing is known stops neither the others nor the summary. */
function untried({ point, fault }: Case, error: unknown): Outcome {
  const nothing = { first: 'unknown', runs: 0, blocked: [], lost: 0 };
  return { point, fault: fault.name, ...nothing, problems: [`it could not be tried: ${String(error)}`] };
}

function summaryOf(outcomes: readonly Outcome[]): (string | number)[][] {
  const faults = FAULTS.map(({ name }) => [name, outcomes.filter(({ fault }) => fault === name)] as const);
  return [
    ['fault', 'cases', 'survived', 'lost rows', 'blocked'],
    ...faults.filter(([, these]) => these.length > 0).map(([name, these]) => [name, ...totals(these)]),
    ['all', ...totals(outcomes)],
  ];
}

function print(table: readonly (readonly (string | number)[])[]): void {
  for (const cells of table) {
    const columns = cells.map((cell, index) =>
      index === 0 ? String(cell).padEnd(46) : String(cell).padStart(10),
    );
    say(columns.join(''));
  }
}

function totals(outcomes: readonly Outcome[]): number[] {
  const survived = outcomes.filter(({ problems }) => problems.length === 0).length;
  const lost = outcomes.filter((outcome) => outcome.lost > 0).length;
  return [outcomes.length, survived, lost, outcomes.filter(({ blocked }) => blocked.length > 0).length];
}

const directory = mkdtempSync(join(tmpdir(), 'crash-matrix-'));
// The server's account must be able to go in.
chmodSync(directory, 0o755);
const stack = await startLocalStack({ directory, objectStore: 'memory', log: () => undefined });
const started = performance.now();
const outcomes: Outcome[] = [];
let points: readonly Point[];
let known: Lines;
let all: number;
try {
  const benches = [];
  for (let job = 1; job <= Number(options.jobs); job += 1) {
    benches.push(await CrashBench.start(stack, `crash_${String(job)}`, exportOptions(options)));
  }
  const [alone] = benches;
  if (alone === undefined) throw new Error('--jobs must be at least 1');
  ({ points, known } = await recordPoints(alone));
  const chosen = chooseCases(points);
  ({ all } = chosen);
  say(`${points.length} points, ${chosen.cases.length} of ${all} cases, ${known.size} rows`);
  const together = chosen.cases.filter(({ fault }) => fault.alone !== true);
  const single = chosen.cases.filter(({ fault }) => fault.alone === true);
  const milliseconds = Number(options.minutes ?? Infinity) * 60_000;
  const begin = performance.now();
  // Those that are tried alone take a larger part of the time than their number is of all.
  const share = together.length / (together.length + single.length * benches.length);
  await tryAll(benches, known, together, stack, outcomes, begin + milliseconds * share);
  await tryAll([alone], known, single, stack, outcomes, begin + milliseconds);
  for (const bench of benches) {
    await bench.close().catch((error: unknown) => {
      say(`a bench could not be closed: ${String(error)}`);
    });
  }
} finally {
  await stack.stop();
}
const table = summaryOf(outcomes);
print(table);
const seconds = Math.round((performance.now() - started) / 1000);
say(`${seconds} s`);
const some = outcomes.length === all ? '' : ` of ${all}`;
const tried = `${points.length} points, ${outcomes.length}${some} cases, ${known.size} rows`;
if (options.write || [options.every, options.fault, options.point, options.minutes].join('') === '1') {
  const summary = `${tried}. A case survives if no row is ever missing and the runs end as expected; a partition blocks if S3 reports an object of its archive as missing or shorter, or that a manifest exists.`;
  const command = typedCommand('test:crash');
  writeResults(
    new URL(`RESULTS${streamed ? '-stream' : ''}.md`, import.meta.url),
    { command, title: `Results of the crash matrix${streamed ? ', streamed' : ''}`, summary, table, seconds },
    new Date(),
  );
}
const survived = outcomes.length > 0 && outcomes.every(({ problems }) => problems.length === 0);
if (survived) rmSync(directory, { recursive: true, force: true });
else say(`the stack's logs are in ${directory}`);
process.exitCode = survived ? 0 : 1;
