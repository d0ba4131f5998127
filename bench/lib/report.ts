import { readFile, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { table, type Outcome, type ResultRow } from './result.ts';

const run = promisify(execFile);
const BENCH = new URL('../', import.meta.url);

/** What earlier runs found, of the cases that this one did not measure. */
interface Earlier {
  readonly rows: readonly ResultRow[];
  /** Sections of RESULTS.md by the rows that they are about, and the line that says when and where. */
  readonly sections: ReadonlyMap<string, string>;
  readonly measured: string;
}

/**
 * Writes results.json and RESULTS.md: the table of goals, and the figures behind it. Of a run of some cases the others stay
 * as they were; `order` has the rows of all.
 */
export async function writeReport(
  outcomes: readonly Outcome[],
  started: Date,
  order: readonly (readonly string[])[],
): Promise<void> {
  const names = outcomes.map(({ rows }) => rows.map(({ name }) => name));
  const isWhole = order.every((each) =>
    names.some((measured) => each.some((name) => measured.includes(name))),
  );
  const earlier = isWhole ? undefined : await readEarlier();
  const found = new Map(outcomes.flatMap(({ rows }) => rows.map((row) => [row.name, row] as const)));
  for (const row of earlier?.rows ?? []) if (!found.has(row.name)) found.set(row.name, row);
  const rows = order.flat().flatMap((name) => found.get(name) ?? []);
  await writeFile(new URL('results.json', BENCH), `${JSON.stringify(rows, null, 2)}\n`);

  const minutes = Math.round((Date.now() - started.getTime()) / 60_000);
  const measured = `${started.toISOString().slice(0, 10)}, ${minutes} minutes. ${await machine()}`;
  const some = names.flat().join(', ');
  const text = [
    '# Results of the benchmark',
    '',
    '<!-- Written by `npm run bench`. -->',
    '',
    ...(earlier === undefined
      ? [measured]
      : [...stillMeasured(earlier.measured, names.flat()), `Measured later (${some}): ${measured}`]),
    '',
    'Absolute times mean little on a shared machine: ratios are taken within each round, and their median counts. To repeat: `npm run bench`; one row: `npm run bench -- <name>`, with `--write` into this file; a look at whether everything works: `npm run bench -- --quick`.',
    '',
    table(
      ['name', 'value', 'unit', 'goal', 'met'],
      rows.map(({ name, value, unit, goal, met }) => [name, value, unit, goal, met ? 'yes' : '**no**']),
    ),
    '',
    '[FINDINGS.md](FINDINGS.md) says why goals are not met, and what was tried.',
    ...order.flatMap((each) => sectionOf(each, outcomes, earlier)),
    '',
  ].join('\n');
  await writeFile(new URL('RESULTS.md', BENCH), text);
}

function sectionOf(names: readonly string[], outcomes: readonly Outcome[], earlier?: Earlier): string[] {
  const now = outcomes.find(({ rows }) => rows.some(({ name }) => names.includes(name)));
  if (now !== undefined) return ['', `## ${now.rows.map(({ name }) => name).join(', ')}`, '', now.figures];
  const before = [...(earlier?.sections ?? [])].find(([title]) =>
    title.split(', ').some((name) => names.includes(name)),
  );
  return before === undefined ? [] : ['', `## ${before[0]}`, '', before[1]];
}

/** The lines of earlier runs, without the rows that were measured again. */
function stillMeasured(earlier: string, again: readonly string[]): string[] {
  return earlier.split('\n\n').flatMap((line) => {
    const [, list, when] = /^Measured later \(([^)]*)\): (.*)$/s.exec(line) ?? [];
    if (list === undefined || when === undefined) return [line, ''];
    const left = list.split(', ').filter((name) => !again.includes(name));
    return left.length === 0 ? [] : [`Measured later (${left.join(', ')}): ${when}`, ''];
  });
}

async function readEarlier(): Promise<Earlier> {
  const text = await readFile(new URL('RESULTS.md', BENCH), 'utf8');
  const [head = '', ...sections] = text.split(/^## /m);
  const measured = (head.split('-->')[1] ?? '').split('Absolute times')[0]?.trim() ?? '';
  return {
    rows: JSON.parse(await readFile(new URL('results.json', BENCH), 'utf8')) as ResultRow[],
    measured,
    sections: new Map(
      sections.map((section) => {
        const [title = '', ...lines] = section.split('\n');
        return [title, lines.join('\n').trim()];
      }),
    ),
  };
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
