/** RESULTS.md beside a harness: what its last whole run gave. */
import { writeFileSync } from 'node:fs';

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

/** Writes the file. A run of some cases only is a sample, and does so only where it is asked to. */
export function writeResults(
  file: URL,
  { command, title, summary, table, seconds }: Results,
  now: Date,
): void {
  const [columns = [], ...rows] = table;
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const day = now.toISOString().slice(0, 10);
  const lines = [
    `# ${title}`,
    '',
    `<!-- Written by \`${command}\`. -->`,
    '',
    `${day}, \`${command}\`, ${Math.round(seconds / 60)} minutes. ${summary}`,
    '',
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map(line),
    '',
  ];
  writeFileSync(file, lines.join('\n'));
}

/** The command as it was typed, with the options that were given. */
export function typedCommand(script: string): string {
  const options = process.argv.slice(2).filter((option) => option !== '--write');
  return options.length === 0 ? `npm run ${script}` : `npm run ${script} -- ${options.join(' ')}`;
}
