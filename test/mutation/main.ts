/**
 * Mutation testing of what decides: does a test fail for every single change of it? `npm run test:mutation`, with
 *
 *   --only typescript       or sql: one kind only
 *   --file core/archive/drop        only mutants of files whose name contains this
 *   --jobs 2                mutants at the same time
 *   --unexplained           mutants that test/mutation/survivors.ts gives a reason for count as survived, and are not tried
 *   --write                 the rows of the files that were tried are written to RESULTS.md, as after a run of all mutants
 *
 * Ends with 1 if a mutant survived for which test/mutation/survivors.ts gives no reason.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOptions } from '../../adapters/command-options.ts';
import { describeMutant, type Fate, type Mutant } from './mutant.ts';
import { writeRows, type Counts, type Row } from './results.ts';
import { SqlBench } from './sql-bench.ts';
import { sqlMutants } from './sql-mutants.ts';
import { SURVIVORS } from './survivors.ts';
import { assertGreen, DECIDING_MODULES, tryTypeScript } from './typescript-bench.ts';
import { mutantsOf } from './typescript-mutants.ts';
import { Workbench } from './workbench.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const { values: options } = commandOptions(import.meta.filename, {
  options: {
    only: { type: 'string', default: '' },
    file: { type: 'string', default: '' },
    unexplained: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
    write: { type: 'boolean', default: false },
  },
});

interface Outcome {
  readonly mutant: Mutant;
  readonly fate: Fate;
  /** How it is known to survivors.ts. */
  readonly name: string;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

async function tryAll(
  mutants: readonly Mutant[],
  makeTrial: () => Promise<{ try: (mutant: Mutant) => Promise<Fate>; close: () => Promise<void> | void }>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const wanted = mutants.filter(({ file }) => file.includes(options.file));
  // Without any, jest would be given no test file, and would run all of them.
  if (wanted.length === 0) return outcomes;
  const queue = wanted.values();
  const work = async (): Promise<void> => {
    const trial = await makeTrial();
    try {
      for (const mutant of queue) {
        const name = describeMutant(read(mutant.file), mutant);
        const known = options.unexplained && SURVIVORS[name] !== undefined;
        const fate = known ? 'survived' : await trial.try(mutant);
        outcomes.push({ mutant, fate, name });
        if (fate !== 'killed') say(`${fate}: ${name} (line ${String(mutant.line)})`);
        if (outcomes.length % 25 === 0) say(`${String(outcomes.length)} mutants`);
      }
    } finally {
      await trial.close();
    }
  };
  await Promise.all(Array.from({ length: Number(options.jobs) }, work));
  return outcomes;
}

function summaryOf(outcomes: readonly Outcome[]): Row[] {
  const files = [...new Set(outcomes.map(({ mutant }) => mutant.file))].sort();
  return files.map((file) => [file, ...totals(outcomes.filter(({ mutant }) => mutant.file === file))]);
}

function print(rows: readonly Row[]): void {
  say(
    [
      'file'.padEnd(32),
      ...['mutants', 'killed', 'survived', 'explained'].map((word) => word.padStart(10)),
    ].join(''),
  );
  for (const [file, ...counts] of rows) {
    say([file.padEnd(32), ...counts.map((count) => String(count).padStart(10))].join(''));
  }
}

function totals(outcomes: readonly Outcome[]): Counts {
  const tried = outcomes.filter(({ fate }) => fate !== 'stillborn');
  const survived = tried.filter(({ fate }) => fate === 'survived');
  const explained = survived.filter(({ name }) => SURVIVORS[name] !== undefined).length;
  return [tried.length, tried.length - survived.length, survived.length, explained];
}

const started = performance.now();
const outcomes: Outcome[] = [];
if (options.only !== 'sql') {
  const mutants = DECIDING_MODULES.flatMap((file) => mutantsOf(file, read(file)));
  outcomes.push(
    ...(await tryAll(mutants, async () => {
      const workbench = new Workbench();
      await assertGreen(workbench);
      return { try: (mutant) => tryTypeScript(workbench, mutant), close: () => workbench.close() };
    })),
  );
}
if (options.only !== 'typescript') {
  const mutants = sqlMutants(read).filter(({ file }) => file.includes(options.file));
  outcomes.push(...(await tryAll(mutants, () => SqlBench.start())));
}
const rows = summaryOf(outcomes);
print(rows);
const seconds = Math.round((performance.now() - started) / 1000);
say(`${seconds} s`);
if (options.write || options.only + options.file === '') writeRows(rows, new Date());
const unexplained = outcomes.filter(
  ({ fate, name }) => fate === 'stillborn' || (fate === 'survived' && SURVIVORS[name] === undefined),
);
if (unexplained.length > 0) say(`${String(unexplained.length)} want a test, or a reason in survivors.ts`);
process.exitCode = unexplained.length === 0 ? 0 : 1;
