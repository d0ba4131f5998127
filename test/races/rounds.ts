import { setTimeout as sleep } from 'node:timers/promises';
import { ArchiverError } from '../../core/errors.ts';
import type { RaceBench, Waits } from './bench.ts';
import { isOurs, type Deadlock } from './deadlocks.ts';
import type { Differences } from './model.ts';
import type { Way } from './mutants.ts';
import { WRITERS, type WriterKind } from './writers.ts';

/** What came of one round or of several. */
export interface RoundResult {
  readonly committed: number;
  readonly lost: number;
  /** What is not as it should be, lost rows among it. */
  readonly problems: readonly string[];
  /** Refusals by SQLSTATE and kind of writer. */
  readonly refused: ReadonlyMap<string, number>;
  /** All that the server found, those among writers only too. */
  readonly deadlocks: readonly Deadlock[];
  /** How often the archiver was kept from a lock. */
  readonly waits: Readonly<Waits>;
}

/** Runs after the writers have stopped, until one has nothing left to do. */
const MOST_RUNS = 4;

/** Writers of one round: more of them, and the archiver gets no lock for minutes. */
const WRITERS_A_ROUND = 4;

/** Some kinds of writers, so that in many rounds each meets each other. */
function chooseWriters(random: () => number = Math.random): WriterKind[] {
  const kinds = Object.keys(WRITERS) as WriterKind[];
  return kinds
    .map((kind) => ({ kind, order: random() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, WRITERS_A_ROUND)
    .map(({ kind }) => kind);
}

/** Writers of these kinds against the archiver in a fresh database; then everything is archived and counted. */
export async function raceRound(
  bench: RaceBench,
  kinds: readonly WriterKind[] = chooseWriters(),
  settings: Readonly<Record<string, string>> = {},
): Promise<RoundResult> {
  const race = await bench.begin(settings);
  const problems: string[] = [];
  try {
    const [mixed, truncated] = race.cold;
    if (mixed === undefined || truncated === undefined) throw new Error('there are not two cold partitions');
    const own = await race.know(truncated.partition);
    await race.know();
    for (const kind of kinds) {
      if (kind === 'by TRUNCATE') race.write(kind, WRITERS[kind], truncated, own);
      else race.write(kind, WRITERS[kind], mixed);
    }
    await sleep(Math.random() * 60);
    // Twice, since what the writers bring about between and after the runs is to be met, too.
    for (let time = 0; time < 2; time += 1) {
      const ended = await race.run();
      if (ended instanceof ArchiverError && ended.code !== 'PartitionsFailed') problems.push(describe(ended));
    }
    const working = await race.stopWriters();
    problems.push(...(await untilDone(race)));
    const differences = await race.judge();
    problems.push(...describeDifferences(differences), ...differences.problems);
    if (differences.unaccounted.length > 0)
      problems.push(`no manifest names ${differences.unaccounted.join(', ')}`);
    const refused = new Map<string, number>();
    let committed = 0;
    for (const { kind, results } of working) {
      committed += results.get('none') ?? 0;
      for (const [code, times] of results) if (code !== 'none') refused.set(`${code} ${kind}`, times);
    }
    const deadlocks = bench.log.read().filter(({ database }) => database === race.database);
    for (const { victim, roles, statements } of deadlocks.filter(isOurs))
      problems.push(`a deadlock of ${roles.join(', ')}, which ended ${victim}: ${statements}`);
    return { committed, lost: differences.lost.length, problems, refused, deadlocks, waits: race.waits };
  } finally {
    await race.end();
  }
}

/** The archiver alone, until nothing is left to do. */
async function untilDone(race: Awaited<ReturnType<RaceBench['begin']>>): Promise<string[]> {
  let last = '';
  for (let time = 0; time < MOST_RUNS; time += 1) {
    const ended = await race.run();
    if (!(ended instanceof ArchiverError) && ended.archived === 0 && ended.dropped === 0) {
      const states = await race.sql<{ state: string; reason: string | null }[]>`
        select state, blocked_reason as reason from partition_archiver.partition where state not in ('attached', 'dropped')`;
      return states.map(({ state, reason }) => `a partition is ${state}: ${reason ?? ''}`);
    }
    last = ended instanceof ArchiverError ? describe(ended) : ended.summary;
  }
  return [`it does not end: ${last}`];
}

/** What a way to archive and drop loses when somebody writes into the table meanwhile; stops at the first loss. */
export async function mutantRounds(
  bench: RaceBench,
  way: Way,
  most: number,
): Promise<RoundResult & { rounds: number }> {
  let committed = 0;
  for (let round = 1; round <= most; round += 1) {
    const race = await bench.begin();
    try {
      const [target] = race.cold;
      if (target === undefined) throw new Error('there is no cold partition');
      await race.sql.unsafe(`alter table app.event detach partition ${target.partition}`);
      await race.know();
      await race.know(target.partition);
      const name = 'by the name of the partition';
      const writers = [race.write(name, WRITERS[name], target), race.write(name, WRITERS[name], target)];
      await sleep(10 + Math.random() * 20);
      const archive = await way(race.sql, target.partition);
      await race.stopWriters();
      committed += writers.reduce((sum, { results }) => sum + (results.get('none') ?? 0), 0);
      const { lost } = await race.judge(archive ?? new Map());
      if (lost.length > 0) {
        return {
          rounds: round,
          committed,
          lost: lost.length,
          problems: [`${String(lost.length)} rows lost`],
          refused: new Map(),
          deadlocks: [],
          waits: race.waits,
        };
      }
    } finally {
      await race.end();
    }
  }
  const waits = { times: 0, ms: 0 };
  return { rounds: most, committed, lost: 0, problems: [], refused: new Map(), deadlocks: [], waits };
}

function describeDifferences({ lost, twice, wrong }: Differences): string[] {
  const some = (what: string, ids: readonly string[]): string[] =>
    ids.length === 0 ? [] : [`${String(ids.length)} rows ${what}: ${ids.slice(0, 5).join(', ')}`];
  return [...some('lost', lost), ...some('twice', twice), ...some('wrong', wrong)];
}

function describe({ code, message }: ArchiverError): string {
  return `${code}: ${message}`;
}
