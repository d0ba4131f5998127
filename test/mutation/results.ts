/** RESULTS.md of the mutations: for each file, its last run. A run of some files replaces their rows alone. */
import { readFileSync, writeFileSync } from 'node:fs';

/** Mutants, and of them killed, survived, and survived with a reason in survivors.ts. */
export type Counts = readonly [mutants: number, killed: number, survived: number, explained: number];

/** A file and its mutants. */
export type Row = readonly [file: string, ...Counts];

const RESULTS = new URL('RESULTS.md', import.meta.url);

const HEAD = `# Results of the mutations

<!-- Written by \`npm run test:mutation -- --write\`. -->

Each deciding place is changed alone, and a test has to fail; survivors.ts explains survivors. Each row is of the last run of the file's mutants, \`npm run test:mutation -- --file <file>\`; survivors that got a test afterwards were tried again alone.

| file | mutants | killed | survived | explained | score | day |
| --- | --- | --- | --- | --- | --- | --- |
`;

/** Writes the rows of the files that were tried beside those of the others, and the sum of all. */
export function writeRows(tried: readonly Row[], now: Date): void {
  writeFileSync(RESULTS, mergeRows(readFileSync(RESULTS, 'utf8'), tried, now));
}

/** The text of RESULTS.md after a run of some files. A file that is gone keeps its row until somebody removes it. */
export function mergeRows(text: string, tried: readonly Row[], now: Date): string {
  const kept = text
    .split('\n')
    .filter((line) => /^\| \w+\//.test(line))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
  const today = now.toISOString().slice(0, 10);
  const rows = new Map<string, readonly [Counts, day: string]>(
    kept.map(([file = '', mutants, killed, survived, explained, , day = '']) => {
      const counts: Counts = [Number(mutants), Number(killed), Number(survived), Number(explained)];
      return [file, [counts, day]];
    }),
  );
  for (const [file, ...counts] of tried) rows.set(file, [counts, today]);
  const all = [...rows.values()].reduce<Counts>(
    (sum, [counts]) => sum.map((count, index) => count + (counts[index] ?? 0)) as unknown as Counts,
    [0, 0, 0, 0],
  );
  const line = (file: string, [mutants, killed, ...rest]: Counts, day: string): string =>
    `| ${[file, mutants, killed, ...rest, `${((100 * killed) / Math.max(1, mutants)).toFixed(1)} %`, day].join(' | ')} |`;
  const lines = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, [counts, day]]) => line(file, counts, day));
  return `${HEAD}${[...lines, line('all', all, '')].join('\n')}\n`;
}
