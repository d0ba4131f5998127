/** RESULTS.md beside a harness: what the last run of each command gave. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** What a run gave. */
export interface Results {
  /** The npm script, as one types it. */
  readonly command: string;
  readonly title: string;
  /** What was tried, in a sentence. */
  readonly summary: string;
  /** The first row names the columns. */
  readonly table: readonly (readonly (string | number)[])[];
  readonly seconds: number;
}

/** Writes the run into the file. A run of some cases only is a sample, and is written only where `--write` asks for it. */
export function writeResults(file: URL, results: Results, now: Date): void {
  writeFileSync(file, addRun(existsSync(file) ? readFileSync(file, 'utf8') : '', results, now));
}

/** The text with the run in it, in the place of the last one of the same command. A sample replaces no whole run. */
export function addRun(text: string, results: Results, now: Date): string {
  const [, ...runs] = text.split(/^(?=## )/m);
  const run = runOf(results, now);
  const [heading = ''] = run.split('\n');
  const at = runs.findIndex((each) => each.startsWith(`${heading}\n`));
  runs.splice(at === -1 ? runs.length : at, 1, run);
  const head = `# ${results.title}\n\n<!-- Written by the commands that are the headings. -->\n\n`;
  return head + runs.map((each) => each.trimEnd()).join('\n\n') + '\n';
}

function runOf({ command, summary, table, seconds }: Results, now: Date): string {
  const [columns = [], ...rows] = table;
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const day = now.toISOString().slice(0, 10);
  return [
    `## \`${command}\``,
    '',
    `${day}, ${Math.round(seconds / 60)} minutes. ${summary}`,
    '',
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map(line),
  ].join('\n');
}

/** The command as it was typed, with the options that were given. */
export function typedCommand(script: string): string {
  const options = process.argv.slice(2).filter((option) => option !== '--write');
  return options.length === 0 ? `npm run ${script}` : `npm run ${script} -- ${options.join(' ')}`;
}
