/**
 * `npm run bench [-- <name> …] [--quick] [--write]`: measures the archiver on the local stack. A whole run writes RESULTS.md and
 * results.json beside this file; a choice of rows does with `--write`, and leaves the others there; small sizes only print.
 */
import { commandOptions } from '../adapters/command-options.ts';
import { CASES } from './cases.ts';
import { startEnvironment } from './lib/environment.ts';
import { writeReport } from './lib/report.ts';
import type { Outcome } from './lib/result.ts';
import { makeSet, NARROW, WIDE } from './lib/tables.ts';

const { values: options, positionals: wanted } = commandOptions(import.meta.filename, {
  options: { quick: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const known = CASES.flatMap(({ names }) => names);
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) throw new Error(`no row ${unknown.join(', ')}; there are ${known.join(', ')}`);
const chosen = CASES.filter(
  ({ names }) => wanted.length === 0 || names.some((name) => wanted.includes(name)),
);

function say(line: string): void {
  console.log(line);
}

const started = new Date();
const environment = await startEnvironment(options.quick, say);
const outcomes: Outcome[] = [];
try {
  if (chosen.some(({ withoutSets }) => withoutSets !== true)) {
    say('Making the rows to measure with');
    await makeSet(environment, NARROW, options.quick ? NARROW.rows / 10 : NARROW.rows);
    await makeSet(environment, WIDE, options.quick ? WIDE.rows / 10 : WIDE.rows);
  }
  for (const { names, run } of chosen) {
    say(`\n${names.join(', ')}`);
    const outcome = await run(environment);
    for (const { name, value, unit, goal, met } of outcome.rows) {
      say(`  ${name}: ${value} ${unit} (goal ${goal}: ${met ? 'met' : 'NOT MET'})`);
    }
    say(outcome.figures.replaceAll(/^/gm, '  '));
    outcomes.push(outcome);
  }
} finally {
  await environment.stop();
}
if ((wanted.length === 0 || options.write) && !options.quick) {
  await writeReport(
    outcomes,
    started,
    CASES.map(({ names }) => names),
  );
  say('\nWritten: bench/RESULTS.md, bench/results.json');
}
