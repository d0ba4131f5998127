/** One change of one place in a file. */
export interface Mutant {
  /** From the root of the repository. */
  readonly file: string;
  readonly line: number;
  /** What is replaced, as offsets into the file. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  readonly what: string;
  /** Tests that are likely to notice, in this order; for TypeScript they are known by the file's name. */
  readonly tests?: readonly string[];
}

/** How jest ended. */
export type Ending = 'passed' | 'failed' | 'hung';

/** What became of a mutant. */
export type Fate = 'killed' | 'timeout' | 'survived' | 'stillborn';

/** By how its tests ended. */
export const FATES: Readonly<Record<Ending, Fate>> = {
  passed: 'survived',
  failed: 'killed',
  hung: 'timeout',
};

/** The file with the change in it. */
export function mutate(text: string, { start, end, replacement }: Mutant): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** A mutant in one line, the same as long as its own line of the file is. */
export function describeMutant(text: string, mutant: Mutant): string {
  const before = text.slice(mutant.start, mutant.end).replaceAll(/\s+/g, ' ');
  const begin = text.lastIndexOf('\n', mutant.start - 1) + 1;
  const end = text.indexOf('\n', mutant.start);
  const column = mutant.start - begin;
  const line = text.slice(begin, end).trim();
  const indent = text.slice(begin, end).length - text.slice(begin, end).trimStart().length;
  return `${mutant.file} | ${line} | ${String(column - indent)}: ${shorten(before)} -> ${shorten(mutant.replacement)}`;
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
