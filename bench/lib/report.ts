import { readFile, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { table, type Outcome } from './result.ts';

const run = promisify(execFile);
const BENCH = new URL('../', import.meta.url);

/** Writes results.json and RESULTS.md: the table of goals, the figures behind it, and what was tried (FINDINGS.md). */
export async function writeReport(outcomes: readonly Outcome[], started: Date): Promise<void> {
  const rows = outcomes.flatMap((outcome) => outcome.rows);
  await writeFile(new URL('results.json', BENCH), `${JSON.stringify(rows, null, 2)}\n`);
  const minutes = Math.round((Date.now() - started.getTime()) / 60_000);
  const text = [
    '# Results of the benchmark',
    '',
    '<!-- Written by `npm run bench`; from "Goals that are not met" on it is FINDINGS.md. -->',
    '',
    `${started.toISOString().slice(0, 10)}, ${minutes} minutes. ${await machine()}`,
    '',
    'Absolute times mean little on a shared machine: ratios are taken within each round, and their median counts. To repeat: `npm run bench`; one row: `npm run bench -- <name>`; a look at whether everything works: `npm run bench -- --quick`.',
    '',
    table(
      ['name', 'value', 'unit', 'goal', 'met'],
      rows.map(({ name, value, unit, goal, met }) => [name, value, unit, goal, met ? 'yes' : '**no**']),
    ),
    ...outcomes.flatMap(({ rows: own, figures }) => [
      '',
      `## ${own.map(({ name }) => name).join(', ')}`,
      '',
      figures,
    ]),
    '',
    (await readFile(new URL('FINDINGS.md', BENCH), 'utf8')).replaceAll(/^#/gm, '##').trimEnd(),
    '',
  ].join('\n');
  await writeFile(new URL('RESULTS.md', BENCH), text);
}

async function machine(): Promise<string> {
  const [processor] = cpus();
  const { dependencies } = JSON.parse(await readFile(new URL('../package.json', BENCH), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const [server, gateway] = await Promise.all([run('psql', ['--version']), run('radosgw', ['--version'])]);
  return [
    `${cpus().length} × ${processor?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB,`,
    `Linux ${release()}; Node.js ${process.version}, ${server.stdout.trim()}, ${gateway.stdout.split('(')[0]?.trim() ?? ''},`,
    `postgres.js ${dependencies['postgres'] ?? ''}.`,
    'PostgreSQL runs without durability and autovacuum, and the object store in memory, for all that is compared.',
  ].join(' ');
}
