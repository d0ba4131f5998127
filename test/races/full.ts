/**
 * The race harness in full: `npm run test:race`, with
 *
 *   --rounds 200     of all kinds of writers against the archiver
 *   --mutants 60     most rounds that a mutant gets to lose a row
 *   --deadlock 1s    deadlock_timeout of the databases
 *   --write          RESULTS.md (RESULTS-stream.md) is written, as after a run without options
 *   --export stream  segments are streamed, not exported by aws_s3
 *   --compression zstd, --proof two-readings  as in the configuration
 *
 * Ends with 1 if a row was lost, if the archiver was in a deadlock, or if a mutant lost none.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandOptions } from '../../adapters/command-options.ts';
import { startLocalStack } from '../../local/stack.ts';
import { EXPORT_OPTIONS, exportOptions } from '../support/export-options.ts';
import { typedCommand, writeResults } from '../support/results.ts';
import { RaceBench } from './bench.ts';
import { isOurs, type Deadlock } from './deadlocks.ts';
import { mutantRounds, raceRound } from './rounds.ts';
import { CONTROL, MUTANTS } from './mutants.ts';

const { values: options } = commandOptions(import.meta.filename, {
  options: {
    rounds: { type: 'string', default: '200' },
    mutants: { type: 'string', default: '60' },
    deadlock: { type: 'string', default: '1s' },
    write: { type: 'boolean', default: false },
    ...EXPORT_OPTIONS,
  },
});

const streamed = options.export === 'stream';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const directory = mkdtempSync(join(tmpdir(), 'races-'));
// The server's account must be able to go in.
chmodSync(directory, 0o755);
const stack = await startLocalStack({ directory, objectStore: 'memory', log: () => undefined });
const started = performance.now();
let survived = true;
const table: [string, string | number][] = [['what', 'result']];
try {
  const bench = await RaceBench.start(stack, 'race', {
    way: exportOptions(options),
  });
  for (const [name, way] of Object.entries(MUTANTS)) {
    const { rounds, lost } = await mutantRounds(bench, way, Number(options.mutants));
    say(`mutant "${name}": ${String(lost)} committed rows lost in round ${String(rounds)}`);
    table.push([`mutant: ${name}`, lost > 0 ? 'loses rows' : 'loses none']);
    if (lost === 0) survived = false;
  }
  const control = await mutantRounds(bench, CONTROL, Number(options.mutants));
  say(
    `control, lock first: ${String(control.lost)} of ${String(control.committed)} transactions lost rows in ${String(control.rounds)} rounds`,
  );
  table.push(['control: lock first', control.lost > 0 ? 'loses rows' : 'loses none']);
  if (control.lost > 0) survived = false;

  let [committed, lost, bad] = [0, 0, 0];
  const refused = new Map<string, number>();
  const deadlocks: Deadlock[] = [];
  const waits = { times: 0, ms: 0, most: 0 };
  for (let round = 1; round <= Number(options.rounds); round += 1) {
    const result = await raceRound(bench, undefined, { deadlock_timeout: options.deadlock });
    committed += result.committed;
    lost += result.lost;
    deadlocks.push(...result.deadlocks);
    waits.times += result.waits.times;
    waits.ms += result.waits.ms;
    waits.most = Math.max(waits.most, result.waits.ms);
    for (const [code, times] of result.refused) refused.set(code, (refused.get(code) ?? 0) + times);
    if (result.problems.length > 0) {
      bad += 1;
      say(`round ${String(round)}: ${result.problems.join('; ')}`);
    }
    if (round % 20 === 0) say(`${String(round)} rounds`);
  }
  say(
    `archiver: ${options.rounds} rounds, ${String(committed)} transactions of writers, ${String(lost)} rows lost, ${String(bad)} rounds with problems`,
  );
  say(
    `deadlocks: ${String(deadlocks.length)}, with the archiver in ${String(deadlocks.filter(isOurs).length)} of them`,
  );
  say(
    `kept waiting: ${String(waits.times)} times, ${String(Math.round(waits.ms / 1000))} s in all, ${String(Math.round(waits.most / 1000))} s in the worst round, had the pauses not been cut short`,
  );
  table.push(
    ['rounds', options.rounds],
    ['transactions of writers', committed],
    ['rows lost', lost],
    ['rounds with problems', bad],
    ['deadlocks', deadlocks.length],
    ['deadlocks with the archiver', deadlocks.filter(isOurs).length],
  );
  for (const [what, times] of [...refused].sort()) say(`refused ${String(times)} times: ${what}`);
  if (bad > 0) survived = false;
  await bench.close();
} finally {
  await stack.stop();
}
const seconds = Math.round((performance.now() - started) / 1000);
say(`${seconds} s`);
const command = typedCommand('test:race');
if (options.write || command === 'npm run test:race') {
  writeResults(
    new URL(`RESULTS${streamed ? '-stream' : ''}.md`, import.meta.url),
    {
      command,
      title: `Results of the races${streamed ? ', streamed' : ''}`,
      summary:
        'Ten kinds of writers against the whole pipeline. Mutants archive and drop as the original recipe does. A deadlock with the archiver, by the log of the server, is a problem of its round.',
      table,
      seconds,
    },
    new Date(),
  );
}
if (survived) rmSync(directory, { recursive: true, force: true });
else say(`the stack's logs are in ${directory}`);
process.exitCode = survived ? 0 : 1;
