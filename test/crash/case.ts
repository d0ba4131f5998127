import { Gate, PASS, type Point, type Verdict } from '../support/faults/gate.ts';
import { compareRows, type Lines } from '../support/invariant.ts';
import type { CrashBench, CrashCase } from './bench.ts';
import type { Fault, ServerControl } from './faults.ts';

/** What became of one fault at one point. */
export interface Outcome {
  readonly point: Point;
  readonly fault: string;
  /** How the run that met the fault ended. */
  readonly first: string;
  /** Further runs until everything was done. */
  readonly runs: number;
  /** Codes of partitions that an operator had to unblock. */
  readonly blocked: readonly string[];
  readonly lost: number;
  /** Everything that is not as it should be, lost rows among it; none where the fault was survived. */
  readonly problems: readonly string[];
}

/** Further runs before a case counts as one that does not end. */
const MOST_RUNS = 4;

/** The points of a run that meets no fault, and the rows that are known before it. */
export async function recordPoints(bench: CrashBench): Promise<{ points: readonly Point[]; known: Lines }> {
  const crash = await bench.begin();
  try {
    const { inTables: known } = await crash.findRows();
    const gate = new Gate();
    const end = await crash.run(gate);
    const problems = await judge(crash, known, true);
    if (!end.ok || problems.length > 0) {
      throw new Error(`a run without a fault failed: ${JSON.stringify(end)} ${problems.join('; ')}`);
    }
    return { points: gate.points, known };
  } finally {
    await crash.end();
  }
}

/** Lets a run meet a fault, runs again until everything is done, and checks the invariant after each run. */
export async function tryFault(
  bench: CrashBench,
  known: Lines,
  { point, fault }: { readonly point: Point; readonly fault: Fault },
  server?: ServerControl,
): Promise<Outcome> {
  const crash = await bench.begin();
  const problems: string[] = [];
  const blocked: string[] = [];
  try {
    let struck = false as boolean;
    let striking = PASS as Verdict | Promise<Verdict>;
    const gate = new Gate((met, moment) => {
      const here = met.channel === point.channel && moment === fault.moment;
      const now = here && (struck ? fault.lasts === true : met.number === point.number);
      if (!now) return PASS;
      if (!struck && met.label !== point.label) problems.push(`it is ${met.label} this time`);
      struck = true;
      striking = fault.strike({
        sql: crash.sql,
        database: crash.database,
        secrets: bench.secrets,
        server,
        kill: () => {
          bench.runners.kill();
        },
        hurry: () => {
          bench.runners.hurry();
        },
      });
      return striking;
    });
    const end = await crash.run(gate);
    // A run that gives up sooner than a server is started again must not be judged before there is a server to ask.
    await striking;
    const first = end.ok ? `ended, ${String(end.failed)} failed` : end.name;
    if (!struck) problems.push('the point was not reached');
    if (!end.ok && (end.name === 'hung' || end.name === 'crashed'))
      problems.push(`it ${end.name}: ${end.message}`);
    problems.push(...(await judge(crash, known, false)).map((problem) => `at once: ${problem}`));

    let runs = 0;
    for (let done = false; !done; runs += 1) {
      if (runs === MOST_RUNS) {
        problems.push(`it does not end: ${JSON.stringify(await crash.states())}`);
        break;
      }
      blocked.push(...(await crash.unblock()));
      const again = await crash.run(new Gate());
      done = again.ok && (await crash.states()).every(({ state }) => state === 'dropped');
      if (!again.ok && again.name !== 'PartitionsFailed')
        problems.push(`run again: ${again.name}: ${again.message}`);
    }
    if (blocked.length > 0 && fault.lies !== true)
      problems.push(`blocked by a fault that may pass: ${blocked.join(', ')}`);
    problems.push(...(await judge(crash, known, true)));
    return { point, fault: fault.name, first, runs, blocked, lost: problems.filter(isLoss).length, problems };
  } finally {
    await crash.end();
  }
}

function isLoss(problem: string): boolean {
  return problem.includes('rows lost');
}

/** What is wrong; with `finished` also what a run that is through must have left. */
async function judge(crash: CrashCase, known: Lines, finished: boolean): Promise<string[]> {
  const found = await crash.findRows();
  const { lost, surplus } = compareRows(known, found);
  const problems = [...found.problems];
  if (lost.length > 0) problems.push(`${String(lost.length)} rows lost`);
  if (surplus.length > 0) problems.push(`${String(surplus.length)} rows twice`);
  // Maintenance sets it to null within a transaction: at whatever point that ends, nobody may ever see it.
  const [{ unset }] = await crash.sql<[{ unset: number }]>`
    select count(*)::integer as unset from partman.part_config where retention is null`;
  if (unset > 0) problems.push(`${String(unset)} sets without their retention`);
  if (!finished) return problems;
  const states = await crash.states();
  const archived = states.reduce((sum, { rows }) => sum + (rows ?? 0), 0);
  if (states.length !== 2 || states.some(({ state }) => state !== 'dropped')) {
    problems.push(`not everything is dropped: ${JSON.stringify(states)}`);
  }
  if (archived !== found.inArchives.size) {
    problems.push(
      `the ledger says ${String(archived)} rows, the archives have ${String(found.inArchives.size)}`,
    );
  }
  if (found.unaccounted.length > 0) problems.push(`no manifest names ${found.unaccounted.join(', ')}`);
  return problems;
}
